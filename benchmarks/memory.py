"""The memory of training, as `ganzo train --dry-run` predicts it and as real turns take it.

python -m benchmarks.memory [--rows conv,good] [--turns 5] [--rounds 3] [--record FILE]

Each prediction and each measurement is a fresh process on one thread, without tuning. Measured is the anonymous memory
(without mapped files) at its peak, as another process sees it every millisecond, beyond what a process has that has
played a tiny game: that is what torch takes for itself. `tensors` is the prediction without what the heap of the C
library takes beyond the tensors in it; `ratio` sets the prediction against the median of the measurements.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from ganzo.assemble import assemble
from ganzo.free import held, numbers
from ganzo.memory import estimate, play
from ganzo.options import make_options

PICTURES = 128
EVERY = 0.001  # seconds between two looks at a process

ROWS: dict[str, dict[str, Any]] = {
    "conv 64": {"generator": "conv", "discriminator": "conv", "loss": "gan", "batch_size": 64,
                "generator_channels": 64, "discriminator_channels": 64},
    "good 64": {"generator": "good", "discriminator": "good", "loss": "wgan-gp", "batch_size": 16},
    "sn-resnet 32": {"generator": "sn-resnet", "discriminator": "sn-resnet", "loss": "hinge", "batch_size": 64,
                     "image_size": 32},
    "u-gen 64": {"generator": "u-gen", "discriminator": "patch-gan", "loss": "pix2pix", "game": "translate",
                 "data_format": "pair-of-images", "split": "horizontal", "batch_size": 64},
    "fc 64": {"generator": "fc", "discriminator": "fc", "loss": "gan", "batch_size": 64},
}  # fmt: skip
TINY = {"dataset": "digits", "subset": 64, "image_size": 8, "image_colors": 1, "batch_size": 4}


def options_of(row: str, precision: str, folder: Path) -> Any:
    """The options of a row, on pictures of random pixels that are made when they are not there."""
    pictures = folder / "pictures"
    if not pictures.exists():
        pictures.mkdir()
        random = np.random.default_rng(0)
        for number in range(PICTURES):
            pixels = random.integers(0, 256, (64, 128, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(pictures / f"{number:03}.bmp")
    common = {
        "image_size": 64,
        "dataset": "folder",
        "data_dir": str(pictures),
        "cache_dir": str(folder / "cache"),
    }
    common |= {"precision": precision, "threads": 1, "tune": False, "seed": 0, "device": "cpu"}
    return make_options(**common | ROWS[row])


def predict(row: str, precision: str, folder: Path) -> dict[str, int]:
    """What is predicted, by what it is for."""
    return estimate(options_of(row, precision, folder)).items()


def real(row: str, precision: str, folder: Path, turns: int) -> dict[str, int]:
    """Play; returns the memory that the process had before, after a tiny game."""
    parts = assemble(make_options(**TINY, threads=1, tune=False, seed=0, device="cpu"))
    play(parts.game, parts.data, parts.noise)
    del parts
    before = held()
    parts = assemble(options_of(row, precision, folder))
    play(parts.game, parts.data, parts.noise, turns)
    return {"before": before}


def child(*words: str) -> tuple[dict[str, int], int]:
    """A process of its own: what it says at its end, and the peak of its anonymous memory."""
    command = [sys.executable, "-m", "benchmarks.memory", "--child", *words]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    peak = 0
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:

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


def measure(row: str, precision: str, folder: Path, turns: int, rounds: int) -> dict[str, Any]:
    """One row of the table, with every figure."""
    items, _ = child("predict", row, precision, str(folder))
    grown = []
    for _ in range(rounds):
        said, peak = child("real", row, precision, str(folder), str(turns))
        grown.append(peak - said["before"])
    predicted, measured = sum(items.values()), statistics.median(grown)
    return {
        "row": row, "precision": precision, "batch_size": ROWS[row]["batch_size"], "items": items,
        "predicted": predicted, "tensors": predicted - items.get("allocator", 0), "measured": measured,
        "all_measured": grown, "ratio": predicted / measured,
    }  # fmt: skip


def table(rows: list[dict[str, Any]]) -> str:
    """The rows for people to read, in MiB."""
    form = "{:<13} {:<9} {:>5} {:>8} {:>9} {:>9} {:>15} {:>6}"
    head = ("row", "precision", "batch", "tensors", "predicted", "measured", "spread", "ratio")
    lines = [form.format(*head)]
    for r in rows:
        sizes = [f"{r[key] / 2**20:.0f}" for key in ("tensors", "predicted", "measured")]
        spread = " - ".join(f"{size(r['all_measured']) / 2**20:.0f}" for size in (min, max))
        lines.append(
            form.format(r["row"], r["precision"], r["batch_size"], *sizes, spread, f"{r['ratio']:.2f}")
        )
    return "\n".join(lines)


def page(record: dict[str, Any]) -> str:
    """The record as a page."""
    about = record["machine"]
    return (
        "# Memory: predicted and measured\n\n"
        f"`{record['command']}`, {record['began']}, {record['seconds']} s, {about['cpu']}, torch {about['torch']},"
        f" {about['c_library']}; load average {record['load_before'][0]:.2f} before. MiB beyond what the process has"
        f" after a tiny game; `measured` is the median of {record['rounds']} fresh processes, each at its peak over"
        f" {record['turns']} turns; `tensors` is the prediction without what the heap takes beyond the tensors in it;"
        f" `ratio` is `predicted` over `measured`.\n\n```\n{table(record['rows'])}\n```\n"
    )


def machine() -> dict[str, str]:
    """What was measured on, and with what."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    git = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=Path(__file__).parent, capture_output=True, text=True
    )
    return {
        "cpu": model,
        "system": platform.platform(),
        "c_library": " ".join(platform.libc_ver()),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "commit": git.stdout.strip(),
    }


def main(arguments: list[str] | None = None) -> list[dict[str, Any]]:
    """Measure the rows, print the table, and write the record."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.memory", description=__doc__.split("\n")[0])
    parser.add_argument("--rows", default=",".join(ROWS), help="which rows, with commas (%(default)s)")
    parser.add_argument("--precisions", default="fp32,bf16", help="with commas (%(default)s)")
    parser.add_argument("--turns", type=int, default=5, help="turns of a measurement (%(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="measurements of a row (%(default)s)")
    parser.add_argument("--record", type=Path, help="JSON file for every figure")
    args = parser.parse_args(arguments)
    names = args.rows.split(",")
    if unknown := set(names) - set(ROWS):
        parser.error(f"there is no row `{unknown.pop()}`; choose among {', '.join(ROWS)}")
    before, start, rows = os.getloadavg(), time.time(), []
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            for precision in args.precisions.split(","):
                rows.append(measure(name, precision, Path(folder), args.turns, args.rounds))
    print(table(rows))
    if args.record:
        record = {
            "command": "python -m benchmarks.memory " + " ".join(arguments or sys.argv[1:]),
            "began": time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(start)),
            "seconds": round(time.time() - start),
            "machine": machine(),
            "load_before": before,
            "load_after": os.getloadavg(),
            "turns": args.turns,
            "rounds": args.rounds,
            "rows": rows,
        }
        args.record.parent.mkdir(parents=True, exist_ok=True)
        args.record.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
        args.record.with_suffix(".md").write_text(page(record), encoding="utf-8")
    return rows


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        what, row, precision, folder, *turns = sys.argv[2:]
        told = predict(row, precision, Path(folder)) if what == "predict" else None
        print(json.dumps(told or real(row, precision, Path(folder), int(turns[0]))))
    else:
        main()
