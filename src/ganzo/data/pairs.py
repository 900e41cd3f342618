"""Sources whose examples are pairs of input and target: two halves of a picture, or two folders."""

import os
from collections import Counter
from collections.abc import Sequence
from typing import Literal

from PIL import Image

from ganzo.data import Source
from ganzo.data.folder import FolderSource
from ganzo.data.pixels import upright
from ganzo.data.selection import Selection
from ganzo.registry import DataError

LISTED = 20  # names that a message lists
PARTS = {"train", "val", "valid", "validation", "test"}  # sub-folders of pair sets that are no classes

Split = Literal["horizontal", "vertical"]


class HalvesSource(Source):
    """Pictures that hold input and target, cut in two at the integer half; an odd line between is left out.

    Args:
        source: the whole pictures
        split: whether the halves lie side by side or one above the other
        swap: whether the second half is the input
    """

    pictures_each = 2

    def __init__(self, source: Source, split: Split, swap: bool = False):
        self.source, self.split, self.swap = source, split, swap
        self.name, self.in_memory = source.name, source.in_memory
        self.class_names, self.labels = classes_of(source)

    def __len__(self) -> int:
        return len(self.source)

    def image(self, index: int) -> Image.Image:
        return self.pictures(index)[0]

    def pictures(self, index: int) -> list[Image.Image]:
        with self.source.image(index) as picture:
            picture.load()
            whole = upright(picture)
            (width, height), (x, y) = whole.size, whole.size
            if self.split == "horizontal":
                width //= 2
            else:
                height //= 2
            if not (width and height):
                raise ValueError(f"a picture of {x}×{y} pixels cannot be cut in two")
            halves = [whole.crop((0, 0, width, height)), whole.crop((x - width, y - height, x, y))]
        return halves[::-1] if self.swap else halves

    def item_name(self, index: int) -> str:
        return self.source.item_name(index)

    def fingerprint(self) -> str:
        return f"halves {self.split} {self.swap} {self.source.fingerprint()}"

    def select(self, wanted: list[str]) -> Source:
        return HalvesSource(self.source.select(wanted), self.split, self.swap)

    def held_out(self) -> Source | None:
        held = self.source.held_out()
        return None if held is None else HalvesSource(held, self.split, self.swap)


class TargetFolder(FolderSource):
    """A folder with the targets of another one."""

    flag, otherwise = "--target-dir", ""


class FoldersSource(Source):
    """Two folders, in which input and target have the same name, but for the ending where that is clear.

    Args:
        inputs: the inputs
        targets: the targets
        swap: whether inputs and targets change places
    """

    pictures_each = 2

    def __init__(self, inputs: FolderSource, targets: FolderSource, swap: bool = False):
        self.inputs, self.targets, self.swap = inputs, targets, swap
        self.name = f"{inputs.name} and {targets.name}"
        shared = {stem for files in (inputs.files, targets.files) for stem in twice(files)}
        mine, theirs = (
            {name_of(file, shared): number for number, file in enumerate(source.files)}
            for source in (inputs, targets)
        )
        alone = [
            unmatched(have.keys() - other.keys(), source.name)
            for have, other, source in ((mine, theirs, inputs), (theirs, mine, targets))
        ]
        if any(alone):
            raise DataError(
                "Each input needs a target of the same name, and each target an input; without the other one are"
                f" {' and '.join(filter(None, alone))}. Give `--data-dir` and `--target-dir` the same names."
            )
        self.numbers = [theirs[name] for name in mine]  # of the target of each input
        self.class_names, self.labels = classes_of(inputs)

    def __len__(self) -> int:
        return len(self.inputs)

    def image(self, index: int) -> Image.Image:
        if self.swap:
            return self.targets.image(self.numbers[index])
        return self.inputs.image(index)

    def pictures(self, index: int) -> list[Image.Image]:
        first = self.inputs.image(index)
        try:
            second = self.targets.image(self.numbers[index])
        except BaseException:
            first.close()
            raise
        return [second, first] if self.swap else [first, second]

    def item_name(self, index: int) -> str:
        return f"{self.inputs.item_name(index)} with {self.targets.item_name(self.numbers[index])}"

    def fingerprint(self) -> str:
        return f"folders {self.swap} {self.inputs.fingerprint()} {self.targets.fingerprint()}"

    def select(self, wanted: list[str]) -> Source:
        chosen = self.inputs.select(wanted)
        assert isinstance(chosen, Selection), "a folder knows no words but its classes"
        return Selection(self, chosen.indices, chosen.classes)


def classes_of(source: Source) -> tuple[Sequence[str], Sequence[int] | None]:
    """The classes of a source, and the label of each picture; none where its folders are parts such as `train`."""
    if PARTS.issuperset(source.class_names):
        return (), None
    return source.class_names, source.labels


def twice(files: Sequence[str]) -> set[str]:
    """The names without ending that several files of a folder have."""
    return {stem for stem, count in Counter(os.path.splitext(file)[0] for file in files).items() if count > 1}


def name_of(file: str, shared: set[str]) -> str:
    """What a file is matched by: its name without the ending, or its whole name where others share the former."""
    stem = os.path.splitext(file)[0]
    return file if stem in shared else stem


def unmatched(names: set[str], folder: str) -> str:
    """The names that have no counterpart, for a message; nothing where there are none."""
    more = ", …" if len(names) > LISTED else ""
    return f"{len(names)} of `{folder}` ({', '.join(sorted(names)[:LISTED])}{more})" if names else ""
