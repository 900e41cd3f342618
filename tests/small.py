"""Runs that take a fraction of a second: 8×8 digits, networks of two layers, a few turns an epoch."""

import contextlib
import copy
from unittest import mock

import numpy as np
import torch
from PIL import Image

from ganzo.nn.random import random_state
from ganzo.options import make_options
from ganzo.train import train

SMALL = {
    "dataset": "digits", "image_size": 8, "image_colors": 1, "state_size": 4, "batch_size": 32,
    "generator_layers": 2, "discriminator_layers": 2, "max_batches_per_epoch": 3, "epochs": 2, "seed": 1,
    "experiment": "run", "log": "none", "save_images_as": [], "checkpoint_every": 1000.0,
    "precision": "fp32", "tune": False, "threads": 1, "channels_last": False,
}  # fmt: skip


READS_LABELS = {"generator": "cgan", "generator_channels": 4}


def small(**changed):
    """The options of such a run; with the judge, which asks for classes, its generator reads labels."""
    own = READS_LABELS if "judge" in changed.get("metrics", ()) else {}
    return make_options(**SMALL | own | changed)


def play(curves=False, **changed):
    """Train such a run; without curves, whose drawing takes longer than all the rest."""
    with contextlib.nullcontext() if curves else mock.patch("ganzo.train.draw_curves"):
        return train(small(**changed))


def everything(run):
    """All that must be the same in two runs that are the same, as a copy that stands still."""
    parts = {
        name: run._parts[name].state_dict() for name in ("data", "noise", "random", "game", "evaluation")
    }
    networks = {name: network.state_dict() for name, network in run.game.networks().items()}
    return copy.deepcopy(
        {**parts, "networks": networks, "torch": random_state()["torch"], "epoch": run.epoch}
    )


def numbers(run):
    """The history of a run, without its times."""
    return [
        {k: v for k, v in line.items() if k not in ("seconds", "images_per_second")} for line in run.history
    ]


def pictures(folder, count=12, size=10, classes=2):
    """Write a folder of small pictures that differ."""
    draw = np.random.default_rng(0)
    for number in range(count):
        path = folder / f"class{number % classes}" / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(draw.integers(0, 256, (size, size, 3), dtype=np.uint8)).save(path)
    return str(folder)


def equal(one, other):
    """Whether two nests of values and tensors are the same, bit for bit."""
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(equal(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(equal, one, other))
    if isinstance(one, torch.Tensor):
        return one.dtype == other.dtype and torch.equal(one, other)
    return one == other
