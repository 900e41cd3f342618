"""The memory of training, as `ganzo train --dry-run` predicts it and as real turns take it.

    python -m benchmarks.memory [--rows conv-64-fp32,good-64-bf16] [--turns 5] [--repeats 3] [--record FILE] [--resume]

Each prediction and each measurement is a fresh process on one thread of the CPU, without tuning. Measured is the
anonymous memory (without mapped files) at its peak, as another process sees it every millisecond, beyond what a process
has that has played a tiny game: that is what torch takes for itself. `tensors` is the prediction without what the heap
of the C library takes beyond the tensors in it; `ratio` sets the prediction against the median of the measurements.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from argparse import Namespace
from pathlib import Path
from typing import Any

from benchmarks.measuring import ROOT
from benchmarks.record import Record, Rows, parser_of, rows_asked, table
from benchmarks.rows import pictures
from ganzo.assemble import assemble
from ganzo.free import held, numbers
from ganzo.memory import estimate, play
from ganzo.options import make_options

EVERY = 0.001  # seconds between two looks at a process

NETWORKS: dict[str, dict[str, Any]] = {
    "conv-64": {"generator": "conv", "discriminator": "conv", "loss": "gan", "batch_size": 64,
                "generator_channels": 64, "discriminator_channels": 64},
    "good-64": {"generator": "good", "discriminator": "good", "loss": "wgan-gp", "batch_size": 16},
    "sn-resnet-32": {"generator": "sn-resnet", "discriminator": "sn-resnet", "loss": "hinge", "batch_size": 64,
                     "image_size": 32},
    "u-gen-64": {"generator": "u-gen", "discriminator": "patch-gan", "loss": "pix2pix", "game": "translate",
                 "data_format": "pair-of-images", "split": "horizontal", "batch_size": 64},
    "fc-64": {"generator": "fc", "discriminator": "fc", "loss": "gan", "batch_size": 64},
}  # fmt: skip
ROWS = {f"{name}-{precision}": (name, precision) for name in NETWORKS for precision in ("fp32", "bf16")}
TINY = {"dataset": "digits", "subset": 64, "image_size": 8, "image_colors": 1, "batch_size": 4}
ALIKE = {"threads": 1, "tune": False, "seed": 0, "device": "cpu"}


def options_of(row: str, folder: Path) -> Namespace:
    """The options of a row, on pictures of random pixels."""
    name, precision = ROWS[row]
    values = {"image_size": 64, "data_dir": str(pictures(folder, width=128)), "precision": precision}
    return make_options(
        **values | {"dataset": "folder", "cache_dir": str(folder / "cache")} | ALIKE | NETWORKS[name]
    )


def predict(row: str, folder: Path) -> dict[str, int]:
    """What is predicted, by what it is for."""
    return estimate(options_of(row, folder)).items()


def real(row: str, folder: Path, turns: int) -> dict[str, int]:
    """Play; returns the memory that the process had before, after a tiny game."""
    parts = assemble(make_options(**TINY, **ALIKE))
    play(parts.game, parts.data, parts.noise)
    del parts
    before = held()
    parts = assemble(options_of(row, folder))
    play(parts.game, parts.data, parts.noise, turns)
    return {"before": before}


def child(*words: str) -> tuple[dict[str, int], int]:
    """A process of its own: what it says at its end, and the peak of its anonymous memory."""
    command = [sys.executable, "-m", "benchmarks.memory", "--child", *words]
    environment, peak = {**os.environ, "OMP_NUM_THREADS": "1"}, 0
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment, cwd=ROOT) as process:

        def watch() -> None:
            nonlocal peak
            while process.poll() is None:
                peak = max(peak, numbers(Path(f"/proc/{process.pid}/status")).get("RssAnon", 0) << 10)
                time.sleep(EVERY)

        watcher = threading.Thread(target=watch)
        watcher.start()
        out, _ = process.communicate()
        watcher.join()
    if process.returncode:
        raise SystemExit(f"`{' '.join(command)}` failed.")
    return json.loads(out.splitlines()[-1]), peak


def measure(row: str, folder: Path, turns: int, repeats: int) -> dict[str, Any]:
    """One row of the table, with every figure, in bytes."""
    items, _ = child("predict", row, str(folder))
    grown = []
    for _ in range(repeats):
        said, peak = child("real", row, str(folder), str(turns))
        grown.append(peak - said["before"])
    predicted, measured = sum(items.values()), statistics.median(grown)
    return {
        "batch_size": NETWORKS[ROWS[row][0]]["batch_size"], "items": items, "predicted": predicted,
        "tensors": predicted - items.get("allocator", 0), "taken": measured, "all_taken": grown,
        "ratio": predicted / measured, "turns": turns,
    }  # fmt: skip


def page(rows: Rows) -> str:
    """The table, in MiB, and what its columns say."""
    head = ["row", "batch", "tensors", "predicted", "measured", "all measured", "predicted / measured"]
    lines = []
    for name, row in rows.items():
        sizes = [f"{row[key] / 2**20:,.0f}" for key in ("tensors", "predicted", "taken")]
        spread = " – ".join(f"{size(row['all_taken']) / 2**20:,.0f}" for size in (min, max))
        lines.append([name, row["batch_size"], *sizes, spread, f"{row['ratio']:.2f}"])
    return table(head, lines) + (
        "\nMiB beyond what the process has after a tiny game: `measured` is the median of fresh processes, each at its"
        " peak over some turns; `tensors` is the prediction without what the heap takes beyond the tensors in it.\n"
    )


def main(arguments: list[str] | None = None) -> Rows:
    """Measure the rows, print the table, and write the record."""
    parser = parser_of("benchmarks.memory", __doc__, ROWS, device=False, threads=False)
    parser.add_argument("--turns", type=int, default=5, help="turns of a measurement (%(default)s)")
    parser.add_argument("--repeats", type=int, default=3, help="measurements of a row (%(default)s)")
    args = parser.parse_args(arguments)
    if args.quick:
        args.turns, args.repeats = 1, 1
    record = Record(args.record, "benchmarks.memory", page, ROWS, arguments)
    with tempfile.TemporaryDirectory() as folder:
        for name in rows_asked(parser, args, ROWS, record):
            record.add(name, lambda name=name: measure(name, Path(folder), args.turns, args.repeats))  # type: ignore[misc]
    print(record.text())
    return record.rows


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        what, row, folder, *turns = sys.argv[2:]
        told = predict(row, Path(folder)) if what == "predict" else real(row, Path(folder), int(turns[0]))
        print(json.dumps(told))
    else:
        main()
