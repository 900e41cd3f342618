"""Some of the examples of a source: those of chosen classes, or a random subset."""

import hashlib
from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image

from ganzo.data import Source
from ganzo.nn.random import stream
from ganzo.registry import OptionError, nearest

SHOWN = 20  # classes that a message lists


class Selection(Source):
    """Some of the examples of a source, with new numbers; nothing else of it is looked at.

    Args:
        source: the whole
        indices: the numbers that the examples have in the whole, in the order that they get here
        classes: the classes that are kept, ascending, which get new numbers too, and labels only where two or more are
            left; none to leave the classes, and what is held out, as they are
    """

    def __init__(self, source: Source, indices: np.ndarray, classes: Sequence[int] | None = None):
        self.source, self.classes = source, classes
        self.indices = np.asarray(indices, np.int64)
        self.name, self.in_memory, self.pictures_each = source.name, source.in_memory, source.pictures_each
        if source.labels is None or (classes is not None and len(classes) < 2):
            return
        labels = np.asarray(source.labels, np.int64)[self.indices]
        self.class_names = tuple(source.class_names)
        if classes is not None:
            self.class_names = tuple(source.class_names[number] for number in classes)
            labels = np.searchsorted(np.asarray(classes, np.int64), labels)
        self.labels = labels.tolist()

    def __len__(self) -> int:
        return len(self.indices)

    def image(self, index: int) -> Image.Image:
        return self.source.image(int(self.indices[index]))

    def pictures(self, index: int) -> list[Image.Image]:
        return self.source.pictures(int(self.indices[index]))

    def item_name(self, index: int) -> str:
        return self.source.item_name(int(self.indices[index]))

    def fingerprint(self) -> str:
        chosen = "all" if self.classes is None else ",".join(map(str, self.classes))
        digest = hashlib.sha256(f"selection {self.source.fingerprint()} {chosen} ".encode())
        digest.update(self.indices.tobytes())
        return digest.hexdigest()

    def held_out(self) -> Source | None:
        held = self.source.held_out()
        return held if held is None or self.classes is None else _kept(held, self.classes)


def may_hold_out(source: Source) -> bool:
    """Whether a source may have a part that is held out; a choice of examples asks what they are chosen from."""
    inner = source.source if isinstance(source, Selection) else source
    return may_hold_out(inner) if inner is not source else type(source).held_out is not Source.held_out


def of_classes(source: Source, wanted: list[str]) -> Source:
    """The examples of some classes, by name or number; raises OptionError where there is no such class."""
    if source.labels is None or not source.class_names:
        raise OptionError(
            f"`--image-class` needs data with classes, and `{source.name}` has none. Leave it out, or choose other"
            " data."
        )
    classes = sorted({number for word in wanted for number in _numbers(source, word)})
    chosen = _kept(source, classes)
    if chosen is None:
        raise OptionError(
            f"`--image-class` must leave examples; `{source.name}` has none of the class {', '.join(wanted)}."
            " Choose another one."
        )
    return chosen


def words_of(image_class: str, source: Source) -> list[str]:
    """The words of `--image-class`, separated by commas; a class whose own name has commas is one word."""
    if image_class in source.class_names:
        return [image_class]
    words = [word.strip() for word in image_class.split(",")]
    if not all(words):
        raise OptionError(
            f"`--image-class` must be names or numbers of classes, as in `cat,dog`; got `{image_class}`."
            " Name one class at least, and none that is empty."
        )
    return words


def subset_of(source: Source, count: int, seed: int) -> Source:
    """So many examples that a seed picks, in the order that they have in the whole."""
    if count > len(source):
        raise OptionError(
            f"`--subset` must be at most {len(source)}, the number of examples in `{source.name}`; got {count}."
            " Lower it, or leave it out to take them all."
        )
    drawn = torch.randperm(len(source), generator=stream(seed, "subset"))[:count]
    return Selection(source, drawn.sort().values.numpy())


def _numbers(source: Source, word: str) -> list[int]:
    """The classes that a word means: those of that name, else the one of that number."""
    named = [number for number, name in enumerate(source.class_names) if name == word]
    if named:
        return named
    if word.isdecimal() and int(word) < len(source.class_names):
        return [int(word)]
    names = [str(name) for name in source.class_names]
    more = f", … ({len(names)} in all)" if len(names) > SHOWN else ""
    raise OptionError(
        f"`--image-class` must name classes of `{source.name}`, which are {', '.join(names[:SHOWN])}{more}; got"
        f" `{word}`. Choose among them, or give their numbers, from 0.{nearest(word, names)}"
    )


def _kept(source: Source, classes: Sequence[int]) -> Selection | None:
    """The examples of classes that are given by number, or None where there is no example of them."""
    indices = np.flatnonzero(np.isin(np.asarray(source.labels, np.int64), classes))
    return Selection(source, indices, classes) if len(indices) else None
