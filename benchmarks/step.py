"""How fast a turn is: Ganzo's `run_epoch` against a tuned and a plain loop of the same networks.

    python -m benchmarks.step [--rows conv-32,digits] [--seconds 0.3] [--rounds 51] [--record FILE] [--resume]

Three sides train equal networks from equal weights on the same images, noise and labels, in one process, in windows
that lie side by side: each round has one of every side, in an order that goes round. Many short windows tell more than
few long ones, since a neighbour then disturbs both sides alike, or few rounds. A row whose turns are longer than a
window should be has fewer rounds, at least 17.

- **Ganzo**: `run_epoch`, as users get it (bf16 where the device has it).
- **tuned**: one hand-written loop, with every lever on that leaves the run what it is (`benchmarks/loops.py`). It plays
  as many turns as Ganzo.
- **plain**: the loop that people first write (`benchmarks/plain.py`), in every other round.

A fourth one times the **networks** alone: the passes, losses, penalties, backwards and moves of the tuned loop over
one batch that was made before. What Ganzo's turn takes beyond that (data, encoding, noise, averages, its own Python) is
the share of a turn that is not the networks.

Layout (NCHW or NHWC) and number of threads are those in which a short trial of the *tuned* loop is quickest; Ganzo
uses the same, so that the weights can be compared, and the plain loop uses as many threads. What Ganzo's own trial
would choose is recorded beside it.

A ratio above 1 says that Ganzo is quicker: it is the median over the rounds of the other side's seconds over Ganzo's in
the same round, with the 95 % confidence interval of the median by order statistics. `CPU` is the same ratio by the
processor's seconds in place of the clock's, which neighbours disturb less. Memory is what a side takes at its peak
beyond what is held before its first turn, each in a process of its own, in which the C library gives large blocks
back at once, so that its luck with them does not count. `weights` tells whether Ganzo and the tuned loop ended with
the same ones, bit for bit.
"""

import argparse
import statistics
import tempfile
from argparse import Namespace
from pathlib import Path
from typing import Any

import torch

from benchmarks.measuring import (
    Window,
    choose,
    layout_name,
    lengths,
    peak_of,
    seconds_of,
    setting,
    threads_to_try,
    timed,
    windows,
)
from benchmarks.ratios import covered, ratio, shown
from benchmarks.record import Record, Rows, note, parser_of, rows_asked, table
from benchmarks.record import machine as machine  # it is looked for here
from benchmarks.rows import ROWS
from benchmarks.sides import Networks, Side, Sides, difference, interval_of, settled
from ganzo.assemble import assemble
from ganzo.options import saveable
from ganzo.registry import build

OVER_TUNED, MEMORY = 0.97, 1.05  # the lower end of the ratio that is asked for, and the most memory
SELDOM = ("plain", "networks")  # a window in every other round
LEAST = 17  # rounds: the interval then lies between the fifth and the thirteenth


def measure(name: str, args: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """One row, with every window's figures."""
    asked = ROWS[name].options(folder)
    asked.device = args.device
    layout, threads, trial = choose(asked, min(args.seconds, 0.1), threads_to_try(args.threads, args.device))
    options = settled(asked, layout, threads)
    sides = Sides(options)
    tuned = sides.tuned()
    players = {
        "ganzo": sides.ganzo(), "tuned": sides.side(tuned), "plain": sides.side(sides.plain()),
        "networks": sides.side(sides.tuned(Networks)),
    }  # fmt: skip
    turns, first = turns_of(players, args.seconds, interval_of(sides.work))
    rounds = rounds_of(args.rounds, args.seconds, turns["ganzo"] * max(first["ganzo"], first["tuned"]))
    found = windows(players, turns, rounds, lambda *told: tell(name, rounds, *told), SELDOM)
    row = summary(found, images=sides.work.batches * options.batch_size)
    row |= {"weights_differ_by": difference(sides.parts, tuned), "memory": memory(options, sides, args)}
    return row | {
        "about": ROWS[name].about, "over_plain": ROWS[name].over_plain, "threads": threads,
        "layout": layout_name(layout), "precision": options.precision, "device": str(options.device),
        "turns": turns, "trial_seconds": {setting(*choice): seconds for choice, seconds in trial.items()},
        "ganzo_chose": None if args.quick else own_choice(asked), "options": saveable(options), "windows": found,
    }  # fmt: skip


def turns_of(
    players: dict[str, Side], seconds: float, interval: int
) -> tuple[dict[str, int], dict[str, float]]:
    """Turns of each side in a window, as many for the tuned loop as for Ganzo; and the seconds of a turn.

    The first turns, which allocate, are played here; both sides that are compared by their weights play as many.
    """
    first = {name: [timed(player, interval)[0] for _ in range(2)][-1] for name, player in players.items()}
    turns = {name: lengths(seconds, first[name], interval) for name in players}
    both = dict.fromkeys(("ganzo", "tuned"), lengths(seconds, min(first["ganzo"], first["tuned"]), interval))
    return turns | both, first


def rounds_of(most: int, seconds: float, window: float) -> int:
    """Rounds of a row: fewer where a turn is longer than a window should be, but no fewer than an interval wants."""
    return min(most, max(LEAST, int(most * seconds / window)))


def memory(options: Namespace, sides: Sides, args: argparse.Namespace) -> dict[str, Any]:
    """Megabytes at the peak of Ganzo and of the tuned loop, and their ratio."""
    turns = interval_of(sides.work) * (1 if args.quick else 3)
    found = {side: peak_of(options, side, turns) for side in ("ganzo", "tuned")}
    return {**found, "ratio": found["ganzo"] / found["tuned"], "turns": turns}


def own_choice(asked: Namespace) -> str:
    """The set-up that Ganzo's own short trial chooses."""
    machine = build("common", "machine", asked)
    machine.choose(asked, assemble)
    return setting(bool(machine.channels_last), machine.threads or torch.get_num_threads())


def summary(found: list[Window], images: int) -> dict[str, Any]:
    """Images per second of each side, their ratios, and the share of Ganzo's turn that is not the networks."""
    speed = {}
    for side in found[0]:
        times = [window[side][0] for window in found if side in window]
        speed[side] = {"best": images / min(times), "median": images / statistics.median(times)}
    alone = ratio(*seconds_of(found, "networks", "ganzo"))
    ends = {"median": "median", "low": "high", "high": "low"}
    return {
        "images_per_second": speed,
        "ganzo_over_tuned": ratio(*seconds_of(found, "tuned", "ganzo")),
        "ganzo_over_tuned_by_cpu": ratio(*seconds_of(found, "tuned", "ganzo", by_cpu=True)),
        "ganzo_over_plain": ratio(*seconds_of(found, "plain", "ganzo")),
        "ganzo_over_plain_by_cpu": ratio(*seconds_of(found, "plain", "ganzo", by_cpu=True)),
        "not_networks": {end: 1 - alone[other] for end, other in ends.items()},
    }


def tell(name: str, rounds: int, number: int, window: Window) -> None:
    """Say how far a row is."""
    others = [side for side in ("tuned", "plain") if side in window]
    ratios = " ".join(f"{side} {window[side][0] / window['ganzo'][0]:.3f}" for side in others)
    note(f"{name}: round {number + 1} of {rounds}, Ganzo over {ratios}")


def page(rows: Rows) -> str:
    """The tables."""
    return "\n".join((ratios(rows), speeds(rows), legend(rows)))


def ratios(rows: Rows) -> str:
    """Each row's ratios beside what is asked of them."""
    head = ["row", "Ganzo / tuned", f"low end ≥ {OVER_TUNED}", "by CPU time", "memory / tuned", f"≤ {MEMORY}",
            "Ganzo / plain", "asked for", "not the networks", "weights"]  # fmt: skip
    return table(head, (ratio_cells(name, row) for name, row in rows.items()))


def ratio_cells(name: str, row: dict[str, Any]) -> list[str]:
    """One line of the table of ratios."""
    tuned, plain, used = row["ganzo_over_tuned"], row["ganzo_over_plain"], row["memory"]["ratio"]
    asked, share, apart = row["over_plain"], row["not_networks"], row["weights_differ_by"]
    return [
        name, shown(tuned), held(tuned["low"] >= OVER_TUNED), f"{row['ganzo_over_tuned_by_cpu']['median']:.3f}",
        f"{used:.3f}", held(used <= MEMORY), shown(plain),
        "" if asked is None else f"≥ {asked}: {held(plain['low'] >= asked)}",
        f"{share['median']:.1%} ({share['low']:.1%} – {share['high']:.1%})",
        "equal" if apart == 0 else f"differ by {apart:.1e}",
    ]  # fmt: skip


def speeds(rows: Rows) -> str:
    """Each row's set-up and images per second."""
    head = ["row", "what it trains", "set-up", "Ganzo images/s", "tuned images/s", "plain images/s",
            "Ganzo's own trial", "Ganzo MB", "tuned MB"]  # fmt: skip
    lines = []
    for name, row in rows.items():
        speed = row["images_per_second"]
        cells = [
            f"{speed[side]['best']:,.1f} / {speed[side]['median']:,.1f}"
            for side in ("ganzo", "tuned", "plain")
        ]
        chosen = f"{setting(row['layout'], row['threads'])}, {row['precision']}"
        megabytes = [f"{row['memory'][side]:.0f}" for side in ("ganzo", "tuned")]
        lines.append([name, row["about"], chosen, *cells, row["ganzo_chose"] or "", *megabytes])
    return table(head, lines)


def legend(rows: Rows) -> str:
    """What the columns say."""
    rounds = [row["ganzo_over_tuned"]["windows"] for row in rows.values()] or [0]
    several = f"{min(rounds)} to {max(rounds)}" if len(set(rounds)) > 1 else str(rounds[0])
    return (
        f"Images/s are best / median. A ratio above 1 says that Ganzo is quicker, in {several} rounds:"
        f" {covered(row['ganzo_over_tuned'] for row in rows.values())}. MB are the peak beyond what is held before the"
        " first turn.\n"
    )


def held(true: bool) -> str:
    """Whether a target is reached."""
    return "yes" if true else "**no**"


def main(arguments: list[str] | None = None) -> Rows:
    """Measure the rows, print the tables, and write the record."""
    parser = parser_of("benchmarks.step", __doc__, ROWS, rounds=51, seconds=0.3)
    args = parser.parse_args(arguments)
    if args.quick:
        args.rounds, args.seconds = min(args.rounds, 2), min(args.seconds, 0.1)
    record = Record(args.record, "benchmarks.step", page, ROWS, arguments)
    with tempfile.TemporaryDirectory() as folder:
        for name in rows_asked(parser, args, ROWS, record):
            record.add(name, lambda name=name: measure(name, args, Path(folder)))  # type: ignore[misc]
    print(record.text())
    return record.rows


if __name__ == "__main__":
    main()
