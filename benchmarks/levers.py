"""What each lever brings here: the same run with and without it, all else as it is.

    python -m benchmarks.levers [--rows bf16/conv-32,frozen/digits] [--seconds 0.15] [--rounds 23] [--record FILE]

A lever that is an option of Ganzo is switched on and off in Ganzo's own `run_epoch`; one that is only code (no graph
for fakes, a frozen discriminator, the form of Adam, precision of penalties) in the tuned loop of
`benchmarks/loops.py`. Both play in one process, in windows side by side. A ratio above 1 says that the run with the
lever is quicker: it is the median over the rounds, with its 95 % confidence interval by order statistics. Layout and
threads are those in which a short trial of the tuned loop is quickest, but for the lever that is the layout itself.

`losses` is the largest relative difference between the losses of the first turn with and without, in fp32 where the
lever is neither about precision nor `compile`. What is no more than rounding (about 1e-6) leaves the numbers of a run
as they are; lower precision does not, nor does what draws or follows other numbers (reused fakes, spectral norm in one
pass, batch norm over parts of a batch).
"""

import argparse
import contextlib
import dataclasses
import tempfile
import time
from argparse import Namespace
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch

from benchmarks.measuring import (
    choose,
    layout_name,
    lengths,
    seconds_of,
    setting,
    threads_to_try,
    timed,
    wait,
    windows,
)
from benchmarks.ratios import covered, ratio, shown
from benchmarks.record import Record, Rows, note, parser_of, rows_asked, table
from benchmarks.rows import ROWS
from benchmarks.sides import Side, Sides, interval_of, settled
from benchmarks.work import Levers
from ganzo.data import batches
from ganzo.nn.compiled import can_compile, graphs


@dataclasses.dataclass(frozen=True)
class Lever:
    """Something that may make a run quicker.

    Args:
        about: what is compared
        networks: rows of `benchmarks.step` that it is tried on
        default: whether a run has it unless told otherwise
        on: options with it
        off: options without it
        without: the tuned loop's levers without it, where it is no option
        both: options that both have
        cuda: whether it is there on CUDA alone
    """

    about: str
    networks: tuple[str, ...]
    default: str
    on: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    off: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    without: Levers | None = None
    both: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    cuda: bool = False


CORES = threads_to_try(None, "cpu")[-1]
THREE = ("conv-32", "digits", "sn-resnet-32")
FRESH = {"reuse_fakes": False}  # else the graph is needed anyway
LEVERS: dict[str, Lever] = {
    "channels-last": Lever(
        "B×H×W×C in memory, against B×C×H×W", (*THREE, "translate"), "a short trial decides",
        {"channels_last": True}, {"channels_last": False},
    ),
    "threads": Lever(
        "as many threads as cores, against one", ("fc", *THREE), "a short trial decides",
        {"threads": CORES}, {"threads": 1},
    ),
    "bf16": Lever(
        "bf16 autocast, against fp32", THREE, "where the device has it", {"precision": "bf16"}, {"precision": "fp32"}
    ),
    "fp16": Lever(
        "fp16 autocast, against fp32", ("conv-32", "sn-resnet-32"), "no", {"precision": "fp16"}, {"precision": "fp32"},
        cuda=True,
    ),
    "reuse-fakes": Lever("the generator's move judges the fakes that are there", THREE, "no, but in `digits`",
                         {"reuse_fakes": True}, {"reuse_fakes": False}),
    "one-pass": Lever("real and fake images judged in one pass", ("fc", "digits", "wgan-gp-32", "sn-resnet-32"),
                      "where it changes nothing",
                      {"one_pass": True}, {"one_pass": False}),
    "fused-foreach": Lever("fused Adam, against `foreach`", ("fc", "conv-32", "digits"), "yes",
                           without=Levers(adam="foreach")),
    "fused-loop": Lever("fused Adam, against one weight after the other", ("fc", "conv-32", "digits"), "yes",
                        without=Levers(adam="loop")),
    "no-graph": Lever("no graph for fakes that the discriminator alone judges", THREE, "yes",
                      without=Levers(without_graph=False), both=FRESH),
    "frozen": Lever("no gradients into the discriminator in the generator's move", THREE, "yes",
                    without=Levers(frozen=False)),
    "fp32-penalty": Lever("penalties in fp32, against bf16 (it costs, and is exact)", ("wgan-gp-32", "digits"), "yes",
                          without=Levers(penalty_in_fp32=False)),
    "compile": Lever("`torch.compile` of the networks", ("conv-32", "digits"), "no",
                     {"compile": True}, {"compile": False}),
    "cuda-graphs": Lever("compiled networks recorded and replayed as CUDA graphs", ("conv-32", "digits"), "no",
                         {"compile": True, "cuda_graphs": True}, {"compile": True, "cuda_graphs": False}, cuda=True),
    "accumulate": Lever("gradients of two batches of 32, against one of 64 (it saves memory)", ("conv-32",), "no",
                        {"accumulate": 2, "batch_size": 32}, {"accumulate": 1, "batch_size": 64}),
    "resident": Lever("the examples on the device, against pinned memory", ("conv-32", "digits"), "where they fit",
                      {"resident": True}, {"resident": False}, cuda=True),
}  # fmt: skip
WHICH = ("with", "without")
NAMES = [f"{lever}/{network}" for lever, found in LEVERS.items() for network in found.networks]


def measure(name: str, args: argparse.Namespace, base: Callable[[str], Namespace]) -> dict[str, Any]:
    """One row, with every window's figures."""
    lever_name, network = name.split("/")
    lever, options = LEVERS[lever_name], base(network)
    row = {"lever": lever_name, "about": lever.about, "network": network, "default": lever.default}
    if why := left_out(lever, options):
        return row | {"left_out": why}
    pair = {which: sides_of(lever, options, which) for which in WHICH}
    players = {which: player_of(lever, sides) for which, sides in pair.items()}
    first = {which: first_turn(player) for which, player in players.items()}
    interval, before = interval_of(Sides(options).work), graphs()
    quickest = min(timed(player, interval)[0] for player in players.values())
    turns = dict.fromkeys(players, lengths(args.seconds, quickest, interval))
    found = windows(players, turns, args.rounds)
    compiled = graphs() - before
    own = "compile" in lever.on  # it would have to compile once more
    return row | {
        "ratio": ratio(*seconds_of(found, "without", "with")),
        "ratio_by_cpu": ratio(*seconds_of(found, "without", "with", by_cpu=True)),
        "losses_differ_by": apart(*(told for told, _ in first.values())) if own else losses_apart(lever, options),
        "first_turn_seconds": {which: seconds for which, (_, seconds) in first.items()},
        "compiled_after_warm_up": compiled, "threads": options.threads, "layout": layout_name(options.channels_last),
        "precision": options.precision, "device": str(options.device), "turns": turns["with"], "windows": found,
    }  # fmt: skip


def left_out(lever: Lever, options: Namespace) -> str | None:
    """Why a lever cannot be tried here, or None where it can."""
    device = torch.device(options.device)
    if lever.cuda and device.type != "cuda":
        return "it needs a CUDA device"
    if lever.on.get("threads") == 1:
        return "there is one core"
    if "compile" in lever.on and not can_compile(device):
        return "torch's compiler does not work here"
    return None


def sides_of(lever: Lever, options: Namespace, which: str, **forced: Any) -> Sides:
    """One of the two that are compared."""
    changed = {**lever.both, **forced, **(lever.on if which == "with" else lever.off)}
    resident, layout = changed.pop("resident", True), changed.pop("channels_last", options.channels_last)
    threads = changed.pop("threads", options.threads)
    with contextlib.nullcontext() if resident else beside_the_device():
        loops = Levers() if which == "with" or lever.without is None else lever.without
        return Sides(settled(options, layout, threads, **changed), loops)


def player_of(lever: Lever, sides: Sides) -> Side:
    """Who plays: Ganzo where the lever is an option, else the tuned loop."""
    player = sides.ganzo() if lever.without is None else sides.side(sides.tuned())
    player.threads = sides.options.threads
    return player


def losses_apart(lever: Lever, options: Namespace) -> float:
    """The largest relative difference between the losses of the first turn, with and without."""
    about_precision = "precision" in lever.on or (
        lever.without is not None and not lever.without.penalty_in_fp32
    )
    forced = {} if about_precision else {"precision": "fp32"}
    return apart(*(first_turn(player_of(lever, sides_of(lever, options, w, **forced)))[0] for w in WHICH))


def apart(some: Mapping[str, float], others: Mapping[str, float]) -> float:
    """The largest relative difference of two sets of losses."""
    return max(abs(some[key] - others[key]) / max(abs(others[key]), 1e-12) for key in some)


@contextlib.contextmanager
def beside_the_device() -> Iterator[None]:
    """Let no examples fit on the device."""
    share, batches.RESIDENT = batches.RESIDENT, 0.0
    try:
        yield
    finally:
        batches.RESIDENT = share


def first_turn(side: Side) -> tuple[dict[str, float], float]:
    """The losses of the first turn, and what it takes: where there is something to compile, mostly that."""
    start = time.perf_counter()
    losses = side.play(1)
    wait(side.device)
    return losses, time.perf_counter() - start


def page(rows: Rows) -> str:
    """The tables."""
    head = [
        "lever",
        "what is compared",
        "network",
        "with / without",
        "by CPU time",
        "losses",
        "by default",
        "set-up",
    ]
    compiled = {name: row for name, row in rows.items() if name.startswith("compile/") and "ratio" in row}
    text = table(head, (line(row) for row in rows.values()))
    if compiled:
        heads = ["network", "first turn with, s", "without, s", "compiled again after it"]
        text += "\n" + table(heads, (compile_line(row) for row in compiled.values()))
    ratios = covered(row["ratio"] for row in rows.values() if "ratio" in row)
    return text + (
        f"\nA ratio above 1 says that the run with the lever is quicker: {ratios}. `losses`: the largest relative"
        " difference between the losses of the first turn, with and without; in `wgan-gp-32` that turn has five moves"
        " of the critic, through which Adam magnifies rounding.\n"
    )


def line(row: dict[str, Any]) -> list[str]:
    """One lever on one network."""
    start = [row["lever"], row["about"], row["network"]]
    if "left_out" in row:
        return [*start, f"not measured: {row['left_out']}", "", "", row["default"], ""]
    return [
        *start, shown(row["ratio"]), f"{row['ratio_by_cpu']['median']:.3f}",
        "equal" if row["losses_differ_by"] == 0 else f"{row['losses_differ_by']:.1e}", row["default"],
        f"{setting(row['layout'], row['threads'])}, {row['precision']}",
    ]  # fmt: skip


def compile_line(row: dict[str, Any]) -> list[str]:
    """What compiling costs."""
    seconds, again = row["first_turn_seconds"], row["compiled_after_warm_up"]
    return [
        row["network"],
        f"{seconds['with']:.1f}",
        f"{seconds['without']:.2f}",
        str(again),
    ]


def main(arguments: list[str] | None = None) -> Rows:
    """Measure the rows, print the table, and write the record."""
    parser = parser_of("benchmarks.levers", __doc__, NAMES, rounds=23, seconds=0.15)
    args = parser.parse_args(arguments)
    if args.quick:
        args.rounds, args.seconds = min(args.rounds, 2), min(args.seconds, 0.1)
    record = Record(args.record, "benchmarks.levers", page, NAMES, arguments)
    with tempfile.TemporaryDirectory() as folder:
        known: dict[str, Namespace] = {}

        def base(network: str) -> Namespace:
            if network not in known:
                options = ROWS[network].options(Path(folder))
                options.device = args.device
                layout, threads, _ = choose(
                    options, args.seconds / 5, threads_to_try(args.threads, args.device)
                )
                known[network] = settled(options, layout, threads)
                note(f"{network}: {setting(layout, threads)}")
            return known[network]

        for name in rows_asked(parser, args, NAMES, record):
            record.add(name, lambda name=name: measure(name, args, base))  # type: ignore[misc]
    print(record.text())
    return record.rows


if __name__ == "__main__":
    main()
