"""Folders of runs as training leaves them, written in a moment."""

import json
import math
from pathlib import Path

import torch
from PIL import Image
from safetensors.torch import save_file

from ganzo.options import make_options, saveable


def line(epoch, **numbers):
    """A record of an epoch."""
    common = {
        "epoch": epoch,
        "train_g_loss": 1 / epoch,
        "train_d_loss": 0.5,
        "time": 2.0,
        "images_per_second": 100.0,
    }
    return common | {"lr_g": 1e-4, "lr_d": 1e-4} | numbers


def store(name, lines=(), pictures=(), root=Path(), facts=None, **options):
    """Write the two folders of a run; returns the one with weights."""
    folder, output = root / "models" / name, root / "output" / name
    (output / "samples").mkdir(parents=True)
    folder.mkdir(parents=True)
    saved = saveable(
        make_options(**{"dataset": "digits", "epochs": 3, "seed": 1, "experiment": name} | options)
    )
    (folder / "options.json").write_text(json.dumps(saved, sort_keys=True))
    told = {"torch": "2.9", "device": "cpu (test)", "command": ["ganzo", "train"]}
    (folder / "environment.json").write_text(json.dumps(told | {"facts": {"image_size": 8} | (facts or {})}))
    for here, key, there in ((folder, "output_folder", output), (output, "model_folder", folder)):
        where = {"model_folder": ".", "output_folder": "."} | {key: f"../../{there.parent.name}/{name}"}
        (here / "folders.json").write_text(json.dumps(where))
    save_file({"a": torch.zeros(2, 3), "b.running_mean": torch.zeros(9)}, folder / "generator.safetensors")
    (output / "results.json").write_text("".join(json.dumps(clean(each)) + "\n" for each in lines))
    for epoch in pictures:
        Image.linear_gradient("L").rotate(7 * epoch).save(output / "samples" / f"epoch_{epoch}.png")
    return folder


def clean(record):
    """A record as JSON knows it."""
    return {key: None if isinstance(v, float) and not math.isfinite(v) else v for key, v in record.items()}
