"""The runs that are timed: what each row of `benchmarks.step` trains, as options of Ganzo.

The pictures are random pixels: what they show makes no difference to the time. Batches of the heavy rows are smaller
than those of their papers, so that a window of a few seconds holds several turns on two cores.
"""

import dataclasses
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ganzo.options import Completed, Layer, make_options
from ganzo.recipes import read_config

SEED = 0
PICTURES = 1024  # in the folder that all rows but `digits` learn from


@dataclasses.dataclass(frozen=True)
class Row:
    """One run that is timed.

    Args:
        about: what it is, for the table
        options: from a folder that rows may share to the options of the run
        over_plain: how many times quicker than the plain loop it has to be on a CPU that has bf16; none for no target
    """

    about: str
    options: Callable[[Path], Namespace]
    over_plain: float | None = None


def pictures(folder: Path, width: int = 64, height: int = 64) -> Path:
    """A folder with coloured pictures of random pixels, which is filled if it is not there."""
    place = folder / f"pictures-{width}x{height}"
    if not place.exists():
        place.mkdir(parents=True)
        random = np.random.default_rng(SEED)
        for number in range(PICTURES):
            pixels = random.integers(0, 256, (height, width, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(place / f"{number:04}.bmp")
    return place


def from_folder(folder: Path, **values: Any) -> Namespace:
    """Options for pictures from the folder."""
    place = {"dataset": "folder", "data_dir": str(pictures(folder)), "cache_dir": str(folder / "cache")}
    return make_options(**place, seed=SEED, **values)


def digits(folder: Path) -> Namespace:
    """The default recipe, as it ships."""
    return Completed([Layer("recipe `digits`", read_config("digits")), Layer("seed", {"seed": SEED})]).options


def fc(folder: Path) -> Namespace:
    """What `ganzo train --data-dir FOLDER` trains."""
    return from_folder(folder)


def conv(folder: Path, size: int, batch_size: int = 64, **values: Any) -> Namespace:
    """DCGAN with 64 channels beside the image in both networks: the generator's first layer has size × 8 of them."""
    values = {"generator_channels": 8 * size, "discriminator_channels": 64} | values
    return from_folder(
        folder, image_size=size, batch_size=batch_size, loss="gan", generator="conv", discriminator="conv",
        lr=2e-4, beta1=0.5, beta2=0.999, **values,
    )  # fmt: skip


def wgan_gp(folder: Path, size: int, batch_size: int, critic_steps: int, **values: Any) -> Namespace:
    """The residual networks and the penalty of WGAN-GP."""
    return from_folder(
        folder, image_size=size, batch_size=batch_size, loss="wgan-gp", generator="good", discriminator="good",
        discriminator_iterations=critic_steps, **values,
    )  # fmt: skip


def sn_resnet(folder: Path, critic_steps: int, batch_size: int = 8, **values: Any) -> Namespace:
    """SNGAN's residual networks at 32 pixels: spectral norm, hinge loss."""
    values = {"generator_channels": 256} | values
    return from_folder(
        folder, image_size=32, batch_size=batch_size, loss="hinge", generator="sn-resnet",
        discriminator="sn-resnet", discriminator_iterations=critic_steps, lr=2e-4, **values,
    )  # fmt: skip


def translate(folder: Path, **values: Any) -> Namespace:
    """The networks of the recipe `pix2pix-photos`, on pictures whose halves are input and target."""
    values = {"batch_size": 16, "generator_channels": 16, "discriminator_channels": 16} | values
    return make_options(
        dataset="folder", data_dir=str(pictures(folder, width=128)), cache_dir=str(folder / "cache"), seed=SEED,
        data_format="pair-of-images", split="horizontal", image_size=64, game="translate", generator="u-gen",
        discriminator="patch-gan", loss="pix2pix", lr=5e-4, beta1=0.5, beta2=0.999, **values,
    )  # fmt: skip


ROWS: dict[str, Row] = {
    "fc": Row("fc networks, 64 px, batch 64", fc),
    "conv-32": Row("DCGAN, 64 channels, 32 px, batch 64", lambda folder: conv(folder, 32), 1.7),
    "conv-64": Row("DCGAN, 64 channels, 64 px, batch 64", lambda folder: conv(folder, 64), 1.9),
    "good-64": Row(
        "WGAN-GP's residual networks, 64 px, batch 4, one critic step",
        lambda folder: wgan_gp(folder, 64, 4, 1),
    ),
    "wgan-gp-32": Row(
        "the same at 32 px, batch 8, five critic steps, penalty in fp32",
        lambda folder: wgan_gp(folder, 32, 8, 5),
        1.25,
    ),
    "sn-resnet-32": Row(
        "SNGAN's residual networks, 32 px, batch 8, one critic step", lambda folder: sn_resnet(folder, 1), 2.1
    ),
    "sn-resnet-32-5": Row("the same, five critic steps", lambda folder: sn_resnet(folder, 5)),
    "translate": Row("u-gen, patch-gan, pix2pix, 16 channels, 64 px, batch 16", translate),
    "digits": Row("the recipe `digits`: 16 px, batch 64, reuses fakes", digits),
}
