"""What several processes of one run exchange, what that costs here, and what it would cost on 8 to 64 devices.

    python -m benchmarks.ranks [--rows fc,conv-64] [--seconds 3] [--rounds 5] [--record FILE] [--device cuda]

On a CPU two processes of one thread each are started by torchrun. In every round one of them plays a window of turns by
itself, with the whole batch, while the other waits; then both play as many, with half of the batch each. The exchange
itself is timed alone: the same numbers of floats, one after the other, after both have come to the same point. With
`--device cuda` one process plays, and what it would have to exchange is counted.

What stands under *arithmetic* was not measured: a ring all-reduce of as many bytes over a link of a given speed takes
2(N-1)/N × bytes / bandwidth + 2(N-1) × latency, for each exchange of a turn. A device is taken to keep the share of the
batch that a process had here, and to wait for every exchange: nothing is hidden behind the backward pass.
"""

import argparse
import contextlib
import json
import statistics
import subprocess
import sys
import tempfile
import time
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import torch

from benchmarks.measuring import ROOT, wait
from benchmarks.record import Record, Rows, note, parser_of, rows_asked, table
from benchmarks.rows import ROWS as ALL
from benchmarks.sides import play, settled
from ganzo.assemble import Parts, assemble
from ganzo.nn import ranks
from ganzo.together import joined

ROWS = ("fc", "conv-64", "good-64", "sn-resnet-32", "translate")
DEVICES = (8, 16, 32, 64)
LINKS = {  # bytes a second in each direction, seconds of latency of a step; what makers state, and users see less
    "NVLink, 300 GB/s": (300e9, 5e-6),
    "PCIe 4.0 ×16, or a network of 200 Gbit/s": (25e9, 10e-6),
    "a network of 25 Gbit/s": (3.1e9, 30e-6),
}
REPEATS = 7  # of the exchange alone
FLOAT = 4  # bytes


@contextlib.contextmanager
def counted() -> Iterator[list[int]]:
    """How many floats each exchange of gradients takes, or would take."""
    found: list[int] = []
    average = ranks.average_gradients

    def count(weights: Any) -> None:
        weights = list(weights)
        found.append(sum(weight.grad.numel() for weight in weights if weight.grad is not None))
        average(weights)

    with mock.patch.object(ranks, "average_gradients", count):
        yield found


def seconds_per_turn(parts: Parts, turns: int) -> float:
    """Seconds of a turn, over so many."""
    wait(parts.game.device)
    start = time.perf_counter()
    play(parts, turns)
    wait(parts.game.device)
    return (time.perf_counter() - start) / turns


def first_turns(parts: Parts) -> tuple[list[int], float]:
    """What is exchanged in a turn, and about how long one takes."""
    with counted() as floats:
        play(parts, 1)
    return list(floats), seconds_per_turn(parts, 1)


def exchange(floats: list[int], device: torch.device) -> float:
    """Seconds of all exchanges of a turn, where no process waits for another: the middle of several trials."""
    tensors = [torch.ones(count, device=device) for count in floats]
    found = []
    for _ in range(REPEATS):
        ranks.most(0)
        start = time.perf_counter()
        for tensor in tensors:
            ranks.average([tensor])
        found.append(time.perf_counter() - start)
    return statistics.median(found)


def played(name: str, folder: Path, seconds: float, rounds: int) -> dict[str, Any] | None:
    """What one of two processes sees of a row; the first tells."""
    with joined() as here:
        options = settled(ALL[name].options(folder), layout=name != "fc", threads=1, device="cpu")
        both = assemble(Namespace(**vars(options)))
        floats, _ = first_turns(both)
        with ranks.alone():
            one = assemble(Namespace(**vars(options))) if here.leads else None
            about = first_turns(one)[1] if one is not None else 0.0
        turns = ranks.shared(max(1, round(seconds / about)) if about else 1)
        alone, together = list[float](), list[float]()
        for _ in range(rounds):
            if one is not None:
                with ranks.alone():
                    alone.append(seconds_per_turn(one, turns))
            ranks.most(0)
            together.append(seconds_per_turn(both, turns))
        return told(options, floats, turns, alone, together, exchange(floats, both.game.device))


def played_alone(name: str, folder: Path, seconds: float, rounds: int, device: str) -> dict[str, Any]:
    """What a row takes on a single device, with the whole batch, and what it would have to exchange."""
    options = settled(ALL[name].options(folder), layout=name != "fc", threads=1, device=device)
    parts = assemble(options)
    floats, about = first_turns(parts)
    turns = max(1, round(seconds / about))
    return told(options, floats, turns, [seconds_per_turn(parts, turns) for _ in range(rounds)])


def told(
    options: Namespace,
    floats: list[int],
    turns: int,
    alone: list[float],
    together: list[float] | None = None,
    exchanged: float | None = None,
) -> dict[str, Any]:
    """A row of the record: everything in seconds and bytes."""
    both = {"together": statistics.median(together), "exchange": exchanged} if together else {}
    return {
        **{key: getattr(options, key) for key in ("device", "precision", "channels_last", "batch_size")},
        "turns": turns,
        "exchanges": [FLOAT * count for count in floats],
        "alone": statistics.median(alone) if alone else None,
        **both,
        "windows": {"alone": alone, "together": together or []},
    }


def measure(name: str, args: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """A row, on the device that is asked for."""
    given = (name, folder, args.seconds, args.rounds)
    if args.device not in (None, "cpu"):
        return played_alone(*given, args.device)
    ALL[name].options(folder)  # paints the pictures, before two processes look for them
    out = folder / "told.json"
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    words = ["-m", "benchmarks.ranks", "--play", name, str(folder), "--tell", str(out)]
    words += ["--seconds", str(args.seconds), "--rounds", str(args.rounds)]
    done = subprocess.run([sys.executable, *launcher, *words], cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"The processes of `{name}` ended with status {done.returncode}:\n{done.stderr}")
    return dict(json.loads(out.read_text(encoding="utf-8")))


def ring(row: dict[str, Any], devices: int, link: str) -> float:
    """Seconds that the exchanges of a turn take among so many devices on a link: arithmetic."""
    bandwidth, latency = LINKS[link]
    steps = 2 * (devices - 1)
    return sum(steps / devices * size / bandwidth + steps * latency for size in row["exchanges"])


def own(row: dict[str, Any]) -> float:
    """Seconds of a turn in which a device computes its share."""
    return row["together"] - row["exchange"] if "together" in row else row["alone"]


def page(rows: Rows) -> str:
    """The tables: what was measured, and what follows by arithmetic."""
    devices = [f"{n} devices" for n in DEVICES]
    parts = ["# What several processes of a run exchange\n", measured(rows)]
    parts += [
        "## Arithmetic, not measured\n",
        "Milliseconds that the exchanges of a turn take, if each link is as fast as it is called; among several"
        " machines the slowest link on the ring counts. The last column: how long the own part of a turn, which is all"
        " but the exchanges, has to be for these to take no more than a tenth of it among 64 devices.\n",
        table(["run", "link", *devices, "own part"], exchanges(rows)),
        "Milliseconds of a turn where the own part takes as long as it did for a process in the first table.\n",
        table(["run", "own part", "link", *devices], turns(rows)),
    ]
    return "\n".join(parts)


def measured(rows: Rows) -> str:
    """What was measured."""
    head = [
        *("run", "batch", "computed in", "exchanges of a turn", "one process", "two processes"),
        *("one / two", "exchanges alone", "share of the turn"),
    ]
    lines = []
    for name, row in rows.items():
        line = [f"{name}: {ALL[name].about}", row["batch_size"], f"{row['precision']}, {row['device']}"]
        sizes = " + ".join(f"{size / 1e6:.2f}" for size in row["exchanges"])
        line += [f"{sizes} MB", f"{milliseconds(row['alone'])} ms"]
        if "together" in row:
            line += [f"{milliseconds(row['together'])} ms", f"{row['alone'] / row['together']:.2f}"]
            line += [f"{milliseconds(row['exchange'])} ms", f"{row['exchange'] / row['together']:.1%}"]
        lines.append(line + ["-"] * (len(head) - len(line)))
    return table(head, lines)


def exchanges(rows: Rows) -> Iterator[list[str]]:
    """The exchanges of a turn on each link, and how long a turn must be for them not to matter."""
    for name, row in rows.items():
        for link in LINKS:
            found = [ring(row, n, link) for n in DEVICES]
            yield [name, link, *map(milliseconds, found), milliseconds(9 * found[-1])]


def turns(rows: Rows) -> Iterator[list[str]]:
    """A turn on each link."""
    for name, row in rows.items():
        for link in LINKS:
            yield [
                *(name, milliseconds(own(row)), link),
                *(milliseconds(own(row) + ring(row, n, link)) for n in DEVICES),
            ]


def milliseconds(seconds: float) -> str:
    """Seconds as thousandths, with three digits or all before the point."""
    value = 1e3 * seconds
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def main(arguments: list[str] | None = None) -> Rows:
    """Measure the rows, print the tables, and write the record; or be one of two processes."""
    parser = parser_of("benchmarks.ranks", __doc__ or "", ROWS, rounds=5, seconds=3.0, threads=False)
    parser.add_argument("--play", nargs=2, metavar=("ROW", "FOLDER"), help=argparse.SUPPRESS)
    parser.add_argument("--tell", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args(arguments)
    if args.play:
        name, folder = args.play
        row = played(name, Path(folder), args.seconds, args.rounds)
        if row is not None and row["alone"] is not None:  # the first process tells
            args.tell.write_text(json.dumps(row), encoding="utf-8")
        return {}
    if args.quick:
        args.seconds, args.rounds = 0.1, 1
    record = Record(args.record, "benchmarks.ranks", page, ROWS, arguments)
    for name in rows_asked(parser, args, ROWS, record):
        with tempfile.TemporaryDirectory() as folder:
            record.add(name, lambda name=name, folder=folder: measure(name, args, Path(folder)))  # type: ignore[misc]
        note(f"{name} is done")
    print(record.text())
    return record.rows


if __name__ == "__main__":
    main()
