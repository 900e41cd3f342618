"""What is paid around the turns: start-up, the first turn, checkpoints, metrics, reports.

    python -m benchmarks.startup [--rows help,first-turn,checkpoints] [--tries 5] [--record FILE]

- **help**: `ganzo --help` and `ganzo train --help`, whole processes, beside a Python that does nothing; the modules
  that the first one imports are looked through for torch.
- **first-turn**: from the start of the process `ganzo train` to its first batch and to the end of its first turn, with
  the short trial that chooses layout and threads and without it.
- **checkpoints**: how long a run stands still to save, for small networks (the recipe `digits`) and large ones (those
  of WGAN-GP at 64 pixels), and what that is of training time at the interval that a run chooses by itself.
- **metrics**: drawing and scoring 1,000 images of the recipe `digits`, once what is worked out per data set is known.
- **report**: `ganzo report` of a run of a few epochs, the whole process.

Figures are medians of the tries.
"""

import argparse
import json
import os
import statistics
import tempfile
import time
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from benchmarks.measuring import run_python
from benchmarks.record import Record, Rows, note, parser_of, rows_asked, table
from benchmarks.rows import ROWS as RUNS
from ganzo.assemble import assemble
from ganzo.clock import between
from ganzo.metric import Metric
from ganzo.nn.sampling import settle
from ganzo.options import Completed, Layer
from ganzo.recipes import read_config
from ganzo.run import Run
from ganzo.train import train

HELP_SECONDS, SHARE = 0.3, 0.02  # of `ganzo --help`; of training time for checkpoints
SAMPLES = 1000
METRICS = {"random": ("fid", "kid", "prdc"), "classifier": ("fid", "kid", "prdc")}


class Line(dict[str, Any]):
    """One figure of a row: what it is, its median, all tries, and what is asked of it."""

    def __init__(
        self, what: str, values: list[float], unit: str = "s", most: float | None = None, **more: Any
    ):
        middle = statistics.median(values)
        holds = None if most is None else middle < most
        super().__init__(what=what, value=middle, tries=values, unit=unit, most=most, holds=holds, **more)


def process(words: list[str], folder: Path) -> tuple[float, str, str]:
    """Run Python with words, of which NOW is the time; returns seconds, output and errors."""
    start = time.monotonic()
    words = [str(start) if word == "NOW" else word for word in words]
    done = run_python(words, folder, GANZO_CACHE_DIR=str(folder / "cache"))
    return time.monotonic() - start, done.stdout, done.stderr


def measure_help(args: argparse.Namespace, folder: Path) -> list[Line]:
    """The help texts, whole processes."""
    commands = {
        "`python -c pass`": ["-c", "pass"],
        "`ganzo --help`": ["-m", "ganzo", "--help"],
        "`ganzo train --help`": ["-m", "ganzo", "train", "--help"],
    }
    most = {"`ganzo --help`": HELP_SECONDS}
    lines = [
        Line(what, [process(words, folder)[0] for _ in range(args.tries)], most=most.get(what))
        for what, words in commands.items()
    ]
    told = process(["-X", "importtime", "-m", "ganzo", "--help"], folder)[2].splitlines()
    names = [line.rpartition("|")[2].strip() for line in told if "|" in line]
    count = sum(name.partition(".")[0] == "torch" for name in names)
    return [
        *lines,
        Line("modules of torch that `ganzo --help` imports", [count], "", most=1, imported=len(names)),
    ]


def measure_first_turn(args: argparse.Namespace, folder: Path) -> list[Line]:
    """The first turn of the recipe `digits`."""
    lines = []
    for which, words in (("with the trial", []), ("without", ["--no-tune"])):
        found = []
        for number in range(args.tries):
            name = f"first-{number}-{len(words)}"
            rest = (
                f"--config digits --experiment {name} --epochs 1 --max-batches-per-epoch 1 --log none".split()
            )
            told = process(
                ["-m", "benchmarks.first", "NOW", "--", "train", *rest, *words, *device(args)], folder
            )[1]
            found.append(json.loads(told.splitlines()[-1]))
        for event, text in (("batch", "to the first batch"), ("turn", "to the end of the first turn")):
            lines.append(Line(f"`ganzo train` {text}, {which}", [each[event] for each in found]))
    return lines


def device(args: argparse.Namespace) -> list[str]:
    """The words that choose a device."""
    return ["--device", args.device] if args.device else []


def digits(folder: Path, **values: Any) -> Namespace:
    """The recipe `digits`, in a folder."""
    places = {
        "model_dir": str(folder / "models"),
        "output_dir": str(folder / "output"),
        "seed": 0,
        "tune": False,
    }
    layers = [Layer("recipe `digits`", read_config("digits")), Layer("benchmark", places | values)]
    return Completed(layers).options


def measure_checkpoints(args: argparse.Namespace, folder: Path) -> list[Line]:
    """What saving takes, small and large."""
    lines = []
    for what, name in (("small networks (`digits`)", "digits"), ("large networks (`good-64`)", "good-64")):
        options = RUNS[name].options(folder)
        changed = {
            "experiment": f"checkpoints-{name}", "model_dir": str(folder / "models"), "tune": False,
            "output_dir": str(folder / "output"), "epochs": 1, "max_batches_per_epoch": args.tries, "batch_size": 4,
            "checkpoint_every": 0.0, "log": "none", "device": args.device, "metrics": None,
        }  # fmt: skip
        for key, value in changed.items():
            setattr(options, key, value)
        seconds = saving(lambda options=options: train(options))  # type: ignore[misc]
        newest = max((folder / "models" / options.experiment / "checkpoints").iterdir(), key=os.path.getmtime)
        size = sum(file.stat().st_size for file in newest.iterdir()) / 1e6
        lines.append(Line(f"a checkpoint, {what}, {size:.1f} MB", [1000 * each for each in seconds], "ms"))
        interval = between(None, statistics.median(seconds))
        share = [100 * each / interval for each in seconds]
        lines.append(Line(f"of training time, one every {interval:.0f} s", share, "%", most=100 * SHARE))
    return lines


def saving(run: Callable[[], Any]) -> list[float]:
    """The seconds of every checkpoint of a run."""
    found, inner = list[float](), Run.save

    def save(self: Run) -> None:
        start = time.perf_counter()
        inner(self)
        found.append(time.perf_counter() - start)

    Run.save = save  # type: ignore[method-assign]
    try:
        run()
    finally:
        Run.save = inner  # type: ignore[method-assign]
    return found


def measure_metrics(args: argparse.Namespace, folder: Path) -> list[Line]:
    """Scoring 1,000 images, after what is worked out once per data set."""
    lines = []
    for features, names in METRICS.items():
        for name in names:
            options = digits(
                folder, metrics=name, metrics_features=features, metrics_every=1, metrics_samples=SAMPLES,
                device=args.device, cache_dir=str(folder / "cache"),
            )  # fmt: skip
            parts = assemble(options)
            metrics, sampler = Metric.from_options(options), parts.game.sampler
            settle(sampler, parts.noise, parts.data.classes)
            found = []
            for _ in range(args.tries + 1):
                start = time.perf_counter()
                metrics.measure(1, parts.data, parts.noise, sampler)
                found.append(time.perf_counter() - start)
            lines.append(Line(f"`{name}` on `{features}`, 1,000 images", found[1:], first=found[0]))
    return lines


def measure_report(args: argparse.Namespace, folder: Path) -> list[Line]:
    """A page about a run."""
    words = {"experiment": "reported", "epochs": 5, "sample_every": 1, "log": "none", "device": args.device}
    train(digits(folder, **words))
    found = [process(["-m", "ganzo", "report", "reported"], folder)[0] for _ in range(args.tries)]
    return [Line("`ganzo report` of a run of five epochs", found)]


ROWS: dict[str, Callable[[argparse.Namespace, Path], list[Line]]] = {
    "help": measure_help,
    "first-turn": measure_first_turn,
    "checkpoints": measure_checkpoints,
    "metrics": measure_metrics,
    "report": measure_report,
}


def page(rows: Rows) -> str:
    """The table."""
    lines = [line for row in rows.values() for line in row["lines"]]
    return table(["what", "median", "asked for", "first time"], (cells(line) for line in lines))


def cells(line: dict[str, Any]) -> list[str]:
    """One line of the table."""
    most, first = line["most"], line.get("first")
    bound = "none" if line["unit"] == "" else "" if most is None else f"< {figure(most, line['unit'])}"
    asked = "" if most is None else f"{bound}: {'yes' if line['holds'] else '**no**'}"
    return [
        line["what"],
        figure(line["value"], line["unit"]),
        asked,
        "" if first is None else figure(first, "s"),
    ]


def figure(value: float, unit: str) -> str:
    """A number with its unit."""
    return f"{value:.0f}" if unit == "" else f"{value:.3g} {unit}"


def main(arguments: list[str] | None = None) -> Rows:
    """Measure the rows, print the table, and write the record."""
    parser = parser_of("benchmarks.startup", __doc__, ROWS)
    parser.add_argument("--tries", type=int, default=5, help="of each figure (%(default)s)")
    args = parser.parse_args(arguments)
    args.tries = 1 if args.quick else args.tries
    if args.threads:
        torch.set_num_threads(args.threads)
    record = Record(args.record, "benchmarks.startup", page, ROWS, arguments)
    for name in rows_asked(parser, args, ROWS, record):
        with tempfile.TemporaryDirectory() as folder:
            record.add(name, lambda name=name, folder=folder: {"lines": ROWS[name](args, Path(folder))})  # type: ignore[misc]
        note(f"{name} is done")
    print(record.text())
    return record.rows


if __name__ == "__main__":
    main()
