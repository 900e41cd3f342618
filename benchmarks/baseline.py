"""The documented baseline: `sngan-digits`, three seeds; `python -m benchmarks.baseline --record benchmarks/records`.

Each seed trains by the command `ganzo train --config sngan-digits` and is scored by `ganzo evaluate`, five times with
other noise: Fréchet distance, precision, recall, density, coverage and Inception Score on the features of `classifier`,
a small network that Ganzo trains on the data's own training labels; 1,000 images each time, against the 359 held-out
digits. A seed's score is the mean of the five; the table has mean and standard deviation over the seeds, and the same
scores of real training digits.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from PIL import Image

from benchmarks.step import machine

METRICS = "fid,prdc,is,classes"


def run(words: str, folder: Path) -> str:
    """Run a command of Ganzo in a folder; returns what it printed."""
    command = [sys.executable, "-m", "ganzo", *words.split()]
    return subprocess.run(command, cwd=folder, check=True, stdout=subprocess.PIPE, text=True).stdout


def measure(seed: int, folder: Path) -> tuple[dict[str, Any], Path]:
    """Train and score one seed; returns what came, and a picture of samples."""
    name, started = f"seed-{seed}", time.monotonic()
    run(f"train --config sngan-digits --experiment {name} --seed {seed} --log none", folder)
    seconds = time.monotonic() - started
    run(f"evaluate {name} --seeds 5 --metrics {METRICS} --metrics-samples 1000 --json {name}.json", folder)
    told = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    picture = folder / run(f"sample {name} --snapshot-size 100 --seed 1", folder).splitlines()[-1]
    return {"seed": seed, "seconds": seconds, **told}, picture


def main() -> None:
    """Train, score, print and record."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument(
        "--record", type=Path, help="folder to write baseline.json, baseline.md and a picture to"
    )
    arguments = parser.parse_args()
    started, rows = time.strftime("%Y-%m-%d %H:%M"), []
    with tempfile.TemporaryDirectory() as place:
        for seed in arguments.seeds:
            row, picture = measure(seed, Path(place))
            rows.append(row)
            if arguments.record and seed == arguments.seeds[0]:
                Image.open(picture).save(arguments.record / "sngan-digits.png", optimize=True)
    record = {
        "command": "python -m benchmarks.baseline --seeds " + " ".join(map(str, arguments.seeds)),
        "started": started,
        "load_average": os.getloadavg(),
        "machine": machine(),
        "rows": rows,
    }
    print(page(record))
    if arguments.record:
        (arguments.record / "baseline.json").write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
        (arguments.record / "baseline.md").write_text(page(record), encoding="utf-8")


def page(record: dict[str, Any]) -> str:
    """The record as a page."""
    rows, told = record["rows"], record["machine"]
    lines = ["# The baseline: sngan-digits", "", *__doc__.splitlines()[2:], ""]
    lines += ["![samples](sngan-digits.png)", "", "| score | mean over the seeds | std | real against real |"]
    lines += ["|---|---|---|---|"]
    for name, found in rows[0]["scores"].items():
        means = [row["scores"][name]["mean"] for row in rows]
        spread = f"{statistics.stdev(means):.3f}" if len(means) > 1 else ""
        lines.append(f"| {name} | {statistics.mean(means):.3f} | {spread} | {found['real']:.3f} |")
    seconds = ", ".join(f"{row['seconds']:.0f}" for row in rows)
    lines += [
        "",
        f"`{record['command']}`, {record['started']}: {seconds} s of training, on {told['cpu']} ({told['cores']} cores,"
        f" load {record['load_average'][0]:.1f}), torch {told['torch']}, commit {told['commit']}. Each score's protocol"
        " is in baseline.json.",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
