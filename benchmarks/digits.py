"""What the default recipe reaches in 30 and 60 seconds, over five seeds: `python -m benchmarks.digits`.

The protocol is frozen here. Each seed trains by the command `ganzo train` for 30 seconds of wall clock, tuning
included, is scored, goes on by `--restore` to 60 seconds, and is scored again. Then, with the judge of the embedded
digits:

- right: 1,000 samples of each class; the share that is read as the class asked for, over all and in the worst class;
- precision, recall, density, coverage (k = 5) and Fréchet distance on 64 inner features of the judge: 359 samples of
  the classes of the 359 held-out digits, against these; the mean over twelve draws. The row `real` is the same for 359
  training digits of these classes, the mean over forty draws without replacement, and `spread of a draw` is one
  standard deviation of such a draw;
- the same with as many samples as there are training digits (1,438). There `real` is the training set itself, which
  holds every digit once; draws from it with replacement (`redrawn`) are further away;
- nearest: the distance in pixels from a sample to the nearest training digit, beside the same of held-out digits.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from benchmarks.step import machine
from ganzo.assemble import assemble
from ganzo.checkpoint import load_weights
from ganzo.nn.grid import grid
from ganzo.nn.judge import load_judge
from ganzo.nn.pixels import to_float
from ganzo.nn.sampling import labels_for, sample_images
from ganzo.options import Completed, Layer, read_file

SECONDS = (30, 60)
PER_CLASS = 1000
DRAWS = 12
DRAWS_OF_REAL = 40
NEIGHBOURS = 5
CLASSES = 10


def main() -> None:
    """Train, score, print and record."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    parser.add_argument("--record", type=Path, help="folder to write digits.json, digits.md and pictures to")
    arguments = parser.parse_args()
    load_before, started = os.getloadavg(), time.strftime("%Y-%m-%d %H:%M")
    rows: list[dict[str, Any]] = []
    real: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for seed in arguments.seeds:
            for seconds in SECONDS:
                turns = train(folder, seed, seconds)
                scores, real, picture = score(Path(folder) / "models" / f"seed-{seed}")
                rows.append({"seed": seed, "seconds": seconds, "turns": turns, **scores})
                print(json.dumps(rows[-1]), flush=True)
                if arguments.record and seed == arguments.seeds[0]:
                    arguments.record.mkdir(parents=True, exist_ok=True)
                    Image.fromarray(picture).save(arguments.record / f"digits-{seconds}s.png")
    record = {
        "command": "python -m benchmarks.digits --seeds " + " ".join(map(str, arguments.seeds)),
        "started": started,
        "load_average": {"before": load_before, "after": os.getloadavg()},
        "machine": machine(),
        "real": real,
        "rows": rows,
        "targets": targets(rows, real["real"]),
    }
    print(table(record))
    print(f"\n{table_of_targets(record)}")
    if arguments.record:
        (arguments.record / "digits.json").write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
        (arguments.record / "digits.md").write_text(page(record), encoding="utf-8")


def train(folder: str, seed: int, seconds: int) -> int:
    """Train by the command line up to so many seconds in all; returns the turns that were played."""
    words = [sys.executable, "-m", "ganzo", "train", "--config", "digits", "--seed", str(seed)]
    words += [
        "--experiment",
        f"seed-{seed}",
        "--epochs",
        "100000",
        "--max-seconds",
        str(seconds),
        "--log",
        "none",
    ]
    words += ["--restore"] if seconds != SECONDS[0] else []
    subprocess.run(words, cwd=folder, check=True)
    newest = max(
        (Path(folder) / "models" / f"seed-{seed}" / "checkpoints").iterdir(),
        key=lambda p: int(p.name.split("-")[1]),
    )
    return int(newest.name.split("-")[1])


@torch.no_grad()
def score(run: Path) -> tuple[dict[str, float], dict[str, dict[str, float]], np.ndarray]:
    """The scores of a stored run, those of real digits, and a picture of samples."""
    torch.set_num_threads(os.cpu_count() or 1)
    options = Completed([Layer("saved run", read_file(run / "options.json"))]).options
    parts = assemble(options)
    generator, noise = parts.game.generator.network, parts.noise
    load_weights(generator, run / "generator.safetensors")
    judge = load_judge()

    def draw(labels: Tensor, seed: int) -> Tensor:
        return sample_images(generator, noise, len(labels), seed, labels, CLASSES)

    known, held = parts.data.examples, parts.data.held_out().examples
    train_images, test_images = to_float(known.image), to_float(held.image)
    train, test = judge.features(train_images).double(), judge.features(test_images).double()

    asked = torch.arange(CLASSES).repeat_interleave(PER_CLASS)
    right = (judge(draw(asked, 1)).argmax(1) == asked).double().view(CLASSES, PER_CLASS).mean(1)
    scores = {"right": right.mean().item(), "worst": right.min().item()}
    few = [judge.features(draw(held.label, 100 + i)).double() for i in range(DRAWS)]
    many = [judge.features(draw(known.label, 200 + i)).double() for i in range(3)]
    scores |= means([compare(fake, test) for fake in few])
    scores |= {
        f"{name} of 1,438": value for name, value in means([compare(fake, test) for fake in many]).items()
    }
    usual, ours = nearest(test_images, train_images), nearest(draw(held.label, 100), train_images)
    scores |= {"nearest": ours.median().item(), "nearest 5 %": ours.quantile(0.05).item()}
    real = real_rows(train, test, known.label, held.label)
    real["real"] |= {"nearest": usual.median().item(), "nearest 5 %": usual.quantile(0.05).item()}
    labels = labels_for(100, CLASSES, "cpu")
    assert labels is not None, "ten classes give labels"
    picture = grid(draw(labels, 7), CLASSES)
    return scores, real, picture[0].numpy()


def real_rows(train: Tensor, test: Tensor, known: Tensor, held: Tensor) -> dict[str, dict[str, float]]:
    """What features of real training digits score against those of held-out ones, with the counts of the fakes."""
    generator = torch.Generator().manual_seed(0)

    def some(replace: bool) -> Tensor:
        chosen = []
        for digit in range(CLASSES):
            own, count = torch.where(known == digit)[0], int((held == digit).sum())
            pick = torch.randint if replace else torch.randperm
            size: Any = (len(own), (count,)) if replace else (len(own),)
            chosen.append(own[pick(*size, generator=generator)[:count]])
        return train[torch.cat(chosen)]

    draws = [compare(some(False), test) for _ in range(DRAWS_OF_REAL)]
    again = [compare(some(True), test) for _ in range(DRAWS_OF_REAL)]
    index = [torch.randint(len(train), (len(train),), generator=generator) for _ in range(DRAWS)]
    redrawn = means([compare(train[i], test) for i in index])
    return {
        "real": means(draws) | {f"{name} of 1,438": value for name, value in compare(train, test).items()},
        "spread of a draw": {name: float(np.std([one[name] for one in draws])) for name in draws[0]},
        "redrawn": means(again) | {f"{name} of 1,438": value for name, value in redrawn.items()},
    }


def means(rows: list[dict[str, float]]) -> dict[str, float]:
    """The mean of each number."""
    return {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}


def compare(some: Tensor, held_out: Tensor) -> dict[str, float]:
    """Precision, recall, density, coverage and Fréchet distance of features (N×64) against held-out ones (M×64)."""
    own, theirs = radius(some), radius(held_out)
    distance = torch.cdist(some, held_out)
    inside = distance <= theirs[None]
    return {
        "precision": inside.any(1).double().mean().item(),
        "recall": (distance <= own[:, None]).any(0).double().mean().item(),
        "density": (inside.double().sum(1) / NEIGHBOURS).mean().item(),
        "coverage": inside.any(0).double().mean().item(),
        "frechet": frechet(some, held_out),
    }


def radius(points: Tensor) -> Tensor:
    """The distance of each point to its fifth neighbour."""
    return torch.cdist(points, points).kthvalue(NEIGHBOURS + 1, dim=1).values


def frechet(a: Tensor, b: Tensor) -> float:
    """The Fréchet distance between two Gaussians: |m - n|² + tr(A + B - 2 (AB)^½)."""
    cov_a, cov_b = torch.cov(a.T), torch.cov(b.T)
    values, vectors = torch.linalg.eigh(cov_a)
    root = (vectors * values.clamp_min(0).sqrt()) @ vectors.T
    cross = torch.linalg.eigvalsh(root @ cov_b @ root).clamp_min(0).sqrt().sum()
    return ((a.mean(0) - b.mean(0)).square().sum() + cov_a.trace() + cov_b.trace() - 2 * cross).item()


def nearest(images: Tensor, others: Tensor) -> Tensor:
    """The distance of each image to the nearest other one, in pixels of [-1, 1]."""
    return torch.cdist(images.flatten(1), others.flatten(1)).min(1).values


def table(record: dict[str, Any]) -> str:
    """The record as two Markdown tables: equal counts, and the counts of the training set."""
    names = [name for name in record["rows"][0] if name not in ("seed", "seconds")]
    large = [name for name in names if name.endswith("of 1,438")]
    return "\n\n".join(one_table(record, chosen) for chosen in ([n for n in names if n not in large], large))


def one_table(record: dict[str, Any], names: list[str]) -> str:
    """A row for each seed, the means, and the rows of real digits."""
    lines = [f"| seconds | seed | {' | '.join(names)} |", "|---" * (len(names) + 2) + "|"]
    for seconds in SECONDS:
        rows = [row for row in record["rows"] if row["seconds"] == seconds]
        lines += [
            f"| {seconds} | {row['seed']} | {' | '.join(figure(row[name]) for name in names)} |"
            for row in rows
        ]
        lines.append(
            f"| **{seconds}** | **mean** | {' | '.join(figure(means(rows)[name]) for name in names)} |"
        )
    for kind, row in record["real"].items():
        cells = [figure(row[name]) if name in row else "" for name in names]
        if any(cells):
            lines.append(f"| | **{kind}** | {' | '.join(cells)} |")
    return "\n".join(lines)


def targets(rows: list[dict[str, Any]], real: dict[str, float]) -> list[dict[str, Any]]:
    """Which targets are met, for each seed and for the mean over the seeds."""
    found = []
    for seconds in SECONDS:
        some = [row for row in rows if row["seconds"] == seconds]
        each = [(row["seed"], row) for row in some]
        for who, row in [*each, ("mean", means(some))] if some else []:
            found.append({"seconds": seconds, "seed": who, "met": met(row, real, seconds)})
    return found


def met(row: dict[str, float], real: dict[str, float], seconds: int) -> dict[str, bool]:
    """What is asked for after so many seconds; distances to real digits are those of equal counts."""
    if seconds == SECONDS[0]:
        return {"right ≥ 0.99": row["right"] >= 0.99, "worst ≥ 0.97": row["worst"] >= 0.97}
    near = {
        f"|{name} - real| ≤ 0.03": abs(row[name] - real[name]) <= 0.03
        for name in ("precision", "recall", "coverage")
    }
    return near | {"Fréchet ≤ 1.25 × real": row["frechet"] <= 1.25 * real["frechet"]}


def table_of_targets(record: dict[str, Any]) -> str:
    """The targets as Markdown tables, one for each time."""
    tables = []
    for seconds in SECONDS:
        rows = [row for row in record["targets"] if row["seconds"] == seconds]
        names = list(rows[0]["met"]) if rows else []
        lines = [
            f"| seconds | seed | {' | '.join(cell(n) for n in names)} |",
            "|---" * (len(names) + 2) + "|",
        ]
        lines += [
            f"| {seconds} | {row['seed']} | {' | '.join('met' if ok else 'missed' for ok in row['met'].values())} |"
            for row in rows
        ]
        tables.append("\n".join(lines))
    return "\n\n".join(tables)


def cell(text: str) -> str:
    """A text for a cell of a Markdown table, whose columns are parted by `|`."""
    return text.replace("|", "\\|")


def figure(value: float) -> str:
    """A number for a table."""
    return f"{value:,.0f}" if value > 100 else f"{value:.4f}"


def page(record: dict[str, Any]) -> str:
    """The record as a page."""
    protocol = __doc__.partition("\n\n")[2]
    load = record["load_average"]
    return (
        "# The default recipe on the embedded digits\n\n"
        f"`{record['command']}`, {record['started']}, {record['machine']['cores']} cores"
        f" ({record['machine']['cpu']}, {record['machine']['system']}),"
        f" torch {record['machine']['torch']}, commit {record['machine']['commit']};"
        f" load average {load['before'][0]:.2f} before, {load['after'][0]:.2f} after.\n\n"
        f"{protocol}\n{table(record)}\n\n## Targets\n\n{table_of_targets(record)}\n\n"
        + "\n".join(f"![samples after {seconds} seconds](digits-{seconds}s.png)" for seconds in SECONDS)
        + "\n"
    )


if __name__ == "__main__":
    main()
