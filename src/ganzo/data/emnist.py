"""Source `emnist`."""

import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from ganzo.data import Source
from ganzo.data.download import File, fetched, found
from ganzo.data.idx import Part, damaged, held_out, joined, pair, parse_idx, read_idx
from ganzo.data.kept import PixelSource
from ganzo.registry import DataError, OptionError, Words, register

Split = Literal["byclass", "bymerge", "balanced", "letters", "digits", "mnist"]

DIGITS, UPPER = "0123456789", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
MERGED = DIGITS + UPPER + "abdefghnqrt"  # the other small letters are written as the large ones are
CLASSES = {
    "byclass": DIGITS + UPPER + UPPER.lower(),
    "bymerge": MERGED,
    "balanced": MERGED,
    "letters": UPPER.lower(),  # small and large ones together
    "digits": DIGITS,
    "mnist": DIGITS,
}
INSIDE = ("EMNIST/raw", "EMNIST/raw/gzip", "gzip", "emnist")
ARCHIVE = File(
    "gzip.zip", "https://biometrics.nist.gov/cs_links/EMNIST/gzip.zip", "58c8d27c78d21e728a6bc7b3cc06412e"
)


@register("dataset", "emnist")
class EmnistSource(PixelSource):
    """EMNIST: handwritten digits and letters of 28×28 grey pixels, in six splits of up to 814,255 pictures.

    byclass (62 classes) and bymerge (47) hold all pictures; balanced (47), letters (26), digits and mnist (10) have as
    many of each class. The files are read as they are published, out of the one archive that holds all splits, or
    unpacked. They store pictures transposed, which are turned upright here.

    Data: G. Cohen, S. Afshar, J. Tapson and A. van Schaik, "EMNIST: an extension of MNIST to handwritten letters",
    2017, https://arxiv.org/abs/1702.05373; NIST, 562 MB to fetch, public domain.

    Args:
        data_dir: folder with the files; what is missing is fetched into a sub-folder of it
        dataset_part: which part to train on; with `train`, the part `test` is held out
        emnist_split: which split of EMNIST (none: the one that `--image-class` names, else balanced)
        image_class: classes that are kept (`select` keeps them); the name of a split among them chooses the split
        download: whether files that are missing are fetched
    """

    def __init__(
        self,
        *,
        data_dir: str = "data",
        dataset_part: Part = "train",
        emnist_split: Split | None = None,
        image_class: Words | None = None,
        download: bool = True,
    ):
        self.data_dir, self.part, self.download = data_dir, dataset_part, download
        self.split: Split = split_of(emnist_split, image_class)
        parts = [self._read(part) for part in ("train", "test") if dataset_part in (part, "all")]
        values, labels = joined(parts, "emnist")
        if self.split == "letters":
            labels = labels.astype(np.int64) - 1  # stored as 1 to 26
        upright = np.ascontiguousarray(values.transpose(0, 2, 1))
        super().__init__(f"emnist-{self.split}-{dataset_part}", upright, labels, CLASSES[self.split])

    def _read(self, part: str) -> tuple[np.ndarray, np.ndarray]:
        """Pictures and labels of one part, from their own files or out of the archive."""
        folder = Path(self.data_dir).expanduser()
        start = f"emnist-{self.split}-{part}"
        names = {f"{start}-images-idx3-ubyte.gz": 3, f"{start}-labels-idx1-ubyte.gz": 1}
        places = [found(folder, name, INSIDE) for name in names]
        if all(places):
            images, labels = (read_idx(p, d) for p, d in zip(places, names.values(), strict=True) if p)
        else:
            (archive,) = fetched(folder, [ARCHIVE], "emnist", INSIDE, self.download)
            images, labels = (member(archive, name, dimensions) for name, dimensions in names.items())
        return pair(images, labels, start)

    def select(self, wanted: Sequence[str]) -> Source:
        """The pictures of some classes; the name of the split itself stands for all of its classes."""
        rest = [name for name in wanted if name != self.split]
        return super().select(rest) if rest else self

    def held_out(self) -> Source | None:
        return held_out(self, data_dir=self.data_dir, emnist_split=self.split, download=self.download)


def split_of(emnist_split: Split | None, image_class: str | None) -> Split:
    """The split that the two options name together."""
    words = [emnist_split, *(word.strip() for word in (image_class or "").split(","))]
    named = [split for split in get_args(Split) if split in words]
    if len(named) > 1:
        raise OptionError(
            f"One split of EMNIST is trained on; `--emnist-split` and `--image-class` name {' and '.join(named)}."
            " Name one of them."
        )
    return named[0] if named else "balanced"


def member(archive: Path, name: str, dimensions: int) -> np.ndarray:
    """The values of an IDX file in the published archive."""
    where = f"{archive}:{name}"
    try:
        with zipfile.ZipFile(archive) as opened:
            inner = next((n for n in opened.namelist() if n.rpartition("/")[2] == name), None)
            content = opened.read(inner) if inner else b""
    except (zipfile.BadZipFile, OSError, EOFError, RuntimeError, zlib.error) as error:
        raise damaged(str(archive), f"it cannot be unpacked ({error})") from error
    if inner is None:
        raise DataError(
            f"The archive of EMNIST must hold `{name}`; `{archive}` does not. Delete it, so that it is fetched anew."
        )
    return parse_idx(content, where, dimensions)
