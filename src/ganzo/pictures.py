"""Pictures of a user's that a stored run translates, one file for each."""

from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from ganzo.data import FolderSource
from ganzo.data.pixels import pixels
from ganzo.errors import RunError
from ganzo.nn.batch import ask
from ganzo.nn.grid import to_picture
from ganzo.nn.pixels import to_float, to_stored
from ganzo.nn.sampling import evaluating


def translate_folder(
    options: Namespace, generator: Any, folder: str, output: Path, label: int | None, seed: int | None
) -> Iterator[Path]:
    """Translate every picture of a folder, and write each under its own name into a folder that is new.

    Args:
        options: of the stored run: how pictures are brought to their size
        generator: images to images, with its weights
        folder: where the pictures lie; they need no targets
        output: where the new folder `translated`, `translated_2`, … is made
        label: the class of all, where the generator reads labels
        seed: seed of what the generator draws; none for a fresh draw
    """
    source = FolderSource(data_dir=folder)
    place = fresh(output)
    labels = None if label is None else torch.tensor([label], device=options.device)
    for index, name in enumerate(source.files):
        with source.image(index) as picture:
            stored = pixels(picture, options.image_size, options.input_colors, options.resize)
        image = to_float(torch.from_numpy(stored.copy())[None], options.device)
        with evaluating(generator, None if seed is None else seed + index):
            made = to_stored(ask(generator, image, labels))[0]
        path = place / Path(name).with_suffix(".png")
        path.parent.mkdir(parents=True, exist_ok=True)
        to_picture(made).save(path)
        yield path


def fresh(output: Path) -> Path:
    """A folder for translated pictures that is not there yet."""
    number = 1
    while (place := output / ("translated" if number == 1 else f"translated_{number}")).exists():
        number += 1
    try:
        place.mkdir(parents=True)
    except OSError as error:
        raise RunError(f"`{place}` cannot be made ({error.strerror or error}).") from error
    return place
