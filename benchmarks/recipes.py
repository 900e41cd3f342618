"""What recipes come to in a few minutes on data at hand: `python -m benchmarks.recipes --record benchmarks/records`.

Each recipe is trained by its own command, `ganzo train --config NAME --data-dir …`, on the data of
`benchmarks.material`, up to so many seconds of wall clock, and then drawn from by `ganzo sample`. Nothing else is
changed but the seed and what is printed here as `changed`. Then:

- digits and letters are for the eye: the judge of the embedded digits, which knows them by 8×8 pixels, is not sure of
  many real ones in this form;
- pairs: one picture shows generated, edges and photograph of examples that were trained on, the other of held-out
  ones; the mean distance of what is made of 400 held-out edges from their photographs, in 255 grey values, beside
  that of one plain colour, the mean of all training photographs. Held-out pieces show parts of the same photographs
  that no training piece shows, and seven photographs teach no colours of what was never seen: there the generated
  pictures are further off than the plain colour.

The DCGANs and pix2pix-shoes learn at five times the recipe's rate here. At its own 2e-4, DCGANs as narrow as these
still made one and the same picture of every noise after the 2,650 turns that fitted into four minutes (dcgan-mnist,
seed 0; seed 1, fp32 and labels without noise showed the same after about 1,000 turns). The recipe's own schedule is
93,700 turns.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

import torch
from PIL import Image

from benchmarks import material
from benchmarks.step import machine
from ganzo.assemble import assemble
from ganzo.checkpoint import load_weights
from ganzo.nn.pixels import to_float
from ganzo.nn.sampling import evaluating
from ganzo.options import Completed, Layer, read_file


class Trial(NamedTuple):
    """How a recipe is tried: its data, for how long, what is changed of it, pairs held out."""

    data: str
    seconds: int = 240
    changed: str = ""
    held_out: str = ""  # of pairs


TRIALS = {
    "gan-mnist": Trial("--data-dir mnist"),
    "dcgan-mnist": Trial("--data-dir mnist", changed="--lr 1e-3"),
    "dcgan-emnist": Trial("--data-dir emnist", changed="--lr 1e-3"),
    "pix2pix-shoes": Trial("--data-dir pairs", 300, "--lr 1e-3", "--data-dir held-out-pairs"),
    "pix2pix-photos": Trial(
        "--data-dir edges --target-dir photos",
        600,
        held_out="--data-dir held-out-edges --target-dir held-out-photos",
    ),
}


def train(name: str, trial: Trial, folder: Path) -> tuple[dict[str, Any], dict[str, Path]]:
    """Train a recipe and draw pictures from it, both by the commands; returns what came, and the pictures."""
    command = (
        f"ganzo train --config {name} {trial.data} --epochs 100000 --max-seconds {trial.seconds} --seed 0"
    )
    command = " ".join([command, *filter(None, [trial.changed])])
    run([*command.split()[1:], "--log", "none", "--sample-every", "100000"], folder)
    size = "18" if trial.held_out else "100"
    drawn = ["sample", name, "--snapshot-size", size, "--seed", "1"]
    pictures = {name: run(drawn, folder)}
    if trial.held_out:
        pictures[f"{name}-held-out"] = run([*drawn, *trial.held_out.split()], folder)
    lines = [
        json.loads(line) for line in (folder / "output" / name / "results.json").read_text().splitlines()
    ]
    images = sum(line["images_per_second"] * line["time"] for line in lines)
    said = {
        "command": command,
        "pictures": [*pictures],
        "epochs": len(lines),
        "images_per_second": images / sum(line["time"] for line in lines),
        "first": {key: value for key, value in lines[0].items() if "loss" in key},
        "last": {key: value for key, value in lines[-1].items() if "loss" in key},
    }
    return said, {key: folder / printed.splitlines()[-1] for key, printed in pictures.items()}


def run(words: list[str], folder: Path) -> str:
    """Run a command of Ganzo in a folder; returns what it printed."""
    return subprocess.run(
        [sys.executable, "-m", "ganzo", *words], cwd=folder, check=True, stdout=subprocess.PIPE, text=True
    ).stdout


def parts_of(folder: Path, name: str, **changed: Any) -> tuple[Any, Any]:
    """The parts of a stored run with its weights."""
    saved = read_file(folder / "models" / name / "options.json")
    options = Completed([Layer("saved run", saved), Layer("benchmark", changed)]).options
    parts = assemble(options)
    load_weights(parts.game.generator.network, folder / "models" / name / "generator.safetensors")
    return parts, options


@torch.no_grad()
def score_pairs(folder: Path, name: str) -> dict[str, float]:
    """How far what is made of held-out edges is from the photographs."""
    trial = TRIALS[name]

    def placed(words: str) -> dict[str, str]:
        """`--data-dir edges --target-dir photos` as options."""
        flags = words.split()
        return {
            k[2:].replace("-", "_"): str(folder / v) for k, v in zip(flags[::2], flags[1::2], strict=True)
        }

    known, _ = parts_of(folder, name, **placed(trial.data))
    parts, _ = parts_of(folder, name, **placed(trial.held_out))
    plain = to_float(known.data.examples.target).mean((0, 2, 3), keepdim=True)
    network, data = parts.game.generator.network, parts.data.reference()
    made, rival, count = 0.0, 0.0, 0
    with evaluating(network, seed=0):
        while (batch := data.next()) is not None:
            target = to_float(batch.target)
            made += (network(to_float(batch.image)) - target).abs().mean((1, 2, 3)).sum().item()
            rival += (plain - target).abs().mean((1, 2, 3)).sum().item()
            count += len(target)
    return {"distance": 127.5 * made / count, "distance of one colour": 127.5 * rival / count}


def main() -> None:
    """Train, score, print and record."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", default=[*TRIALS], help="recipes to try")
    parser.add_argument("--seconds", type=int, help="instead of each trial's own")
    parser.add_argument(
        "--record", type=Path, help="folder to write recipes.json, recipes.md and pictures to"
    )
    arguments = parser.parse_args()
    torch.set_num_threads(os.cpu_count() or 1)
    rows: dict[str, Any] = {}
    if arguments.record and (arguments.record / "recipes.json").is_file():
        rows = json.loads((arguments.record / "recipes.json").read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        material.make(folder)
        for name in arguments.names:
            trial = TRIALS[name]
            trial = trial._replace(seconds=arguments.seconds or trial.seconds)
            started = time.strftime("%Y-%m-%d %H:%M")
            row, pictures = train(name, trial, folder)
            scores = score_pairs(folder, name) if trial.held_out else {}
            row |= {"scores": scores, "started": started, "machine": machine()}
            row["load_average"] = os.getloadavg()
            rows[name] = row
            print(json.dumps({name: row}), flush=True)
            if arguments.record:
                for key, picture in pictures.items():
                    Image.open(picture).save(arguments.record / f"{key}.png", optimize=True)
                (arguments.record / "recipes.json").write_text(
                    json.dumps(rows, indent=2) + "\n", encoding="utf-8"
                )
                (arguments.record / "recipes.md").write_text(page(rows), encoding="utf-8")


def page(rows: dict[str, Any]) -> str:
    """The record as a page."""
    lines = ["# Recipes on data at hand", ""]
    lines += [line for line in __doc__.splitlines()[2:]]
    for name, row in rows.items():
        told = row["machine"]
        lines += [
            "",
            f"## {name}",
            "",
            *(f"![{key}]({key}.png)" for key in row["pictures"]),
            "",
            f"`{row['command']}`",
            "",
        ]
        lines += [
            f"{row['epochs']} epochs, {row['images_per_second']:,.0f} images/s, on {told['cpu']} ({told['cores']}"
            f" cores, load {row['load_average'][0]:.1f}), torch {told['torch']},"
            f" commit {told['commit']}, {row['started']}.",
            "",
            "| | first epoch | last epoch |",
            "|---|---|---|",
            *(f"| {key} | {value:.3f} | {row['last'][key]:.3f} |" for key, value in row["first"].items()),
        ]
        if row["scores"]:
            lines += ["", "| | |", "|---|---|"]
            lines += [f"| {key} | {value:.3g} |" for key, value in row["scores"].items()]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
