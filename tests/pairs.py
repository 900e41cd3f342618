"""Pairs of small images for tests: the target is the input upside down in its values."""

import numpy as np
import torch
from PIL import Image

from ganzo.data import Batch
from ganzo.data.batches import StoredData

TRANSLATES = {  # a run that translates, over `small.SMALL`
    "game": "translate", "data_format": "pair-of-images", "dataset": "folder", "split": "horizontal",
    "image_size": 16, "image_colors": 1, "batch_size": 4, "generator": "u-gen", "generator_layers": 2,
    "generator_channels": 4, "discriminator": "patch-gan",
    "discriminator_channels": 4, "discriminator_receptive_field": 16,
}  # fmt: skip


def inverted(count=12, size=16, batch_size=4, colors=1, labels=None, seed=1, shuffle=True):
    """Data of such pairs: flat squares before a flat ground."""
    draw = torch.Generator().manual_seed(seed)
    images = torch.randint(0, 256, (count, colors, 1, 1), dtype=torch.uint8, generator=draw)
    images = images.repeat(1, 1, size, size)
    half = size // 2
    images[:, :, :half, :half] = torch.randint(
        0, 256, (count, colors, 1, 1), dtype=torch.uint8, generator=draw
    )
    names = () if labels is None else tuple(map(str, range(int(labels.max()) + 1)))
    return StoredData(
        Batch(images, labels, 255 - images),
        batch_size=batch_size,
        seed=seed,
        shuffle=shuffle,
        class_names=names,
    )


def pair_pictures(folder, count=12, size=16, classes=1):
    """Write a folder of pictures whose left half is an input and whose right half is its target."""
    draw = np.random.default_rng(0)
    for number in range(count):
        ground = draw.integers(0, 256, (4, 4), dtype=np.uint8).repeat(size // 4, 0).repeat(size // 4, 1)
        path = folder / (f"class{number % classes}" if classes > 1 else "") / f"{number:02}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.concatenate([ground, 255 - ground], 1)).save(path)
    return str(folder)
