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
from ganzo.data.progress import tell
from ganzo.discriminator import Discriminator
from ganzo.errors import DataError, OptionError, RegistryError
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
LOOKED_AT = 64  # examples among which one must be dark somewhere


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
            self.examples = examples_of(train, file, given, self.size)
            check_examples(self.examples, file)

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
            held.examples = examples_of(test, file, self.given, self.size)
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


def examples_of(function: Callable[..., Any], file: str, given: dict[str, Any], *first: Any) -> Any:
    """The data set that a function of a file returns; refuses what has no length, and what is empty."""
    examples = called(function, given, *first)
    sized = hasattr(examples, "__len__") and hasattr(examples, "__getitem__")
    if not sized or not len(examples):
        got = "an empty one" if sized else f"a {type(examples).__name__}"
        raise DataError(
            f"`{function.__name__}` of `{file}` must return a data set of map style that holds examples; got {got}."
        )
    return examples


def check_examples(examples: Any, file: str) -> None:
    """Refuse floats that begin at 0, and say where examples change from one reading to the next."""
    one, other = (np.asarray(as_picture(examples[0])) for _ in range(2))
    if not np.array_equal(one, other):
        tell(
            f"`{file}` gives another picture each time that it is read, as random transforms do; one draw of each is"
            " kept (`--random-flip` and `--random-crop` are drawn anew)"
        )
    count = min(len(examples), LOOKED_AT)
    for index in range(count):
        numbers = floats_of(image_of(examples[index]))
        if numbers is None or bool((numbers < 0).any()):
            return
    raise DataError(
        f"Images of `{file}` must be uint8, or float in [-1, 1]; got none below 0 in the first {count}, as `ToTensor`"
        " makes them. Leave it out, or add `Normalize(0.5, 0.5)`."
    )


def image_of(example: Any) -> Any:
    """What an example begins with."""
    return example[0] if isinstance(example, tuple | list) and len(example) else example


def floats_of(image: Any) -> Tensor | None:
    """The numbers of a tensor or an array of floats; None of anything else."""
    if isinstance(image, np.ndarray) and image.dtype.kind == "f":
        return torch.from_numpy(image.astype(np.float32))
    return image.detach().float() if isinstance(image, Tensor) and image.is_floating_point() else None


def as_picture(example: Any) -> Image.Image:
    """An example as a picture.

    Args:
        example: one of Pillow's pictures, 8-bit numbers or floats in [-1, 1]; tensors are C×H×W, arrays may be H×W×C
            too, which is what 8-bit ones are where both would fit
    """
    image = given = image_of(example)
    if isinstance(image, Image.Image):
        return image.copy()
    floats = floats_of(image)
    by_tensor = floats is not None or isinstance(image, Tensor)
    shape = tuple[int, ...](getattr(image, "shape", ()))
    if len(shape) == 3 and not isinstance(image, Tensor) and (shape[0] in (1, 3)) != (shape[2] in (1, 3)):
        by_tensor = shape[0] in (1, 3)
    if floats is not None:
        image = ((floats + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
    pixels = image.detach().cpu().numpy() if isinstance(image, Tensor) else np.asarray(image)
    if by_tensor and pixels.ndim == 3:
        pixels = pixels.transpose(1, 2, 0)
    try:
        if pixels.ndim < 2 or not pixels.size:
            raise ValueError("no picture")
        return Image.fromarray(pixels[..., 0] if pixels.ndim == 3 and pixels.shape[2] == 1 else pixels)
    except (TypeError, ValueError) as error:
        got = f"{'×'.join(map(str, shape))} of {given.dtype}" if shape else f"a {type(given).__name__}"
        raise DataError(
            "An example must begin with a picture: one of Pillow's, 8-bit numbers H×W×C or C×H×W, or floats in"
            f" [-1, 1]; got {got}."
        ) from error
