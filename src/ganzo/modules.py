"""Files that offer functions instead of a class: `get_network`, `get_class`, `get_dataset_train`, `get_dataset_test`.

Such a file is named without a class: `--generator nets/gen.py --generator-args '{"nf": 32}'`. What its function can be
given becomes the component's options, so that it is checked, saved and restored like those of any other component.
"""

import hashlib
import inspect
import typing
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from ganzo.data import Source
from ganzo.discriminator import Discriminator
from ganzo.errors import OptionError, RegistryError
from ganzo.generator import Generator
from ganzo.nn.side import sides
from ganzo.schema import REQUIRED

OFFERS = {  # the function that a file gives a component of a namespace by
    "generator": "get_network",
    "discriminator": "get_network",
    "game": "get_class",
    "dataset": "get_dataset_train",
}
FACTS = {"z_dim": "state_size", "img_size": "image_size"}  # their words, and ours


def component(namespace: str, name: str, module: ModuleType) -> type:
    """The class that a file stands for when none in it is named."""
    wanted = OFFERS.get(namespace, "")
    function = getattr(module, wanted, None) if wanted else None
    if not callable(function):
        offers = f"offers no `{wanted}`" if wanted else "is a file"
        raise RegistryError(
            f"`{name}` {offers}, so its class must be named to be a {namespace}: `path/to/file.py:Class`."
        )
    if namespace == "dataset":
        return dataset_class(name, function, getattr(module, "get_dataset_test", None))
    if namespace == "game":
        found = function()
        if not inspect.isclass(found):
            raise RegistryError(f"`get_class` of `{name}` must return a class; got {found!r}.")
        return found
    return network_class(function, Generator if namespace == "generator" else Discriminator)


def network_class(function: Callable[..., nn.Module], base: Any) -> type:
    """A network that is built by a function; labels are kept from it."""

    class FileNetwork(base):
        def __init__(self, **given: Any) -> None:
            super().__init__()
            self.network = called(function, given)

        def forward(self, inputs: Any, labels: Tensor | None = None) -> Any:
            return self.network(inputs)

    open_as(FileNetwork.__init__, function)
    FileNetwork.__doc__ = function.__doc__
    return FileNetwork


def dataset_class(file: str, train: Callable[..., Any], test: Callable[..., Any] | None) -> type:
    """A source of the examples of a torch `Dataset`: images, or tuples that begin with one; labels are left out."""

    class FileDataset(Source):
        in_memory = True
        name = file

        def __init__(self, *, image_size: int | str, **given: Any) -> None:
            height, width = sides(image_size)
            self.size, self.given = height if height == width else (height, width), given
            self.examples = called(train, given, self.size)

        def __len__(self) -> int:
            return len(self.examples)

        def image(self, index: int) -> Image.Image:
            return as_picture(self.examples[index])

        def fingerprint(self) -> str:
            digest = hashlib.sha256()
            for index in range(len(self)):
                digest.update(np.asarray(self.image(index)).tobytes())
            return digest.hexdigest()

        def held_out(self) -> Source | None:
            if test is None:
                return None
            held = type(self).__new__(type(self))
            held.size, held.given = self.size, self.given
            held.examples = called(test, self.given, self.size)
            return held

    open_as(FileDataset.__init__, train, first="image_size")
    FileDataset.__doc__ = train.__doc__
    return FileDataset


def open_as(init: Any, function: Callable[..., Any], first: str | None = None) -> None:
    """Let a constructor show what a function can be given: facts by our words, all else as options.

    Args:
        init: the constructor; it takes keywords alone
        function: what it calls
        first: the fact that the function is given by position; none where all go by name
    """
    try:
        hints = typing.get_type_hints(function, include_extras=True)
    except NameError:  # an annotation that names what is not imported
        hints = {}
    plain = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    known = [p for p in inspect.signature(function).parameters.values() if p.kind in plain]
    shown = [inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)]
    annotations = {}
    if first is not None:
        known = known[1:]
        shown.append(inspect.Parameter(first, inspect.Parameter.KEYWORD_ONLY))
    for p in known:
        name = FACTS.get(p.name, p.name)
        default = None if p.default is REQUIRED and p.name not in FACTS else p.default
        shown.append(inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default))
        if p.name in hints or p.default is REQUIRED:
            annotations[name] = hints.get(p.name, int | float | Any | None)
    init.__signature__, init.__annotations__ = inspect.Signature(shown), annotations


def called(function: Callable[..., Any], given: dict[str, Any], *first: Any) -> Any:
    """Call the function of a file with what the options say, by its own words."""
    known = inspect.signature(function).parameters
    theirs = {ours: word for word, ours in FACTS.items() if word in known}
    named = {theirs.get(name, name): value for name, value in given.items()}
    needed = [name for name, value in named.items() if value is None and known[name].default is REQUIRED]
    if needed:
        raise OptionError(
            f"`{function.__name__}` of `{inspect.getsourcefile(function)}` needs `{needed[0]}`; give it among its"
            f" arguments, as `{needed[0]}=…`."
        )
    return function(*first, **named)


def as_picture(example: Any) -> Image.Image:
    """An example as a picture: one of Pillow's, an array of 8-bit numbers H×W×C, or a tensor C×H×W in [-1, 1]."""
    image = example[0] if isinstance(example, tuple | list) else example
    if isinstance(image, Image.Image):
        return image.copy()
    if isinstance(image, Tensor):
        if image.dtype != torch.uint8:
            image = ((image.detach().float() + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
        image = image.permute(1, 2, 0) if image.dim() == 3 else image
        image = image.cpu().numpy()
    pixels = np.asarray(image)
    return Image.fromarray(pixels[..., 0] if pixels.ndim == 3 and pixels.shape[2] == 1 else pixels)
