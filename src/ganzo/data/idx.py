"""The IDX format, and the sources whose parts are a file of pictures and a file of labels in it.

A file starts with two zero bytes, the type of its values (8: unsigned bytes) and the number of its dimensions; each
dimension follows as 4 bytes, high byte first, then the values in C order. Y. LeCun, C. Cortes and C. Burges, "The MNIST
database of handwritten digits", 1998, http://yann.lecun.com/exdb/mnist/.
"""

import gzip
import math
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np

from ganzo.data import Source
from ganzo.data.download import File, MissingFiles, fetched
from ganzo.data.kept import PixelSource
from ganzo.data.progress import tell
from ganzo.registry import DataError

Part = Literal["train", "test", "all"]

BYTES = 8  # the type of the values: unsigned bytes, the only one that these sets use
GZIP = b"\x1f\x8b"


def read_idx(path: Path, dimensions: int) -> np.ndarray:
    """The values of an IDX file, plain or gzipped, uint8 in the shape that the file states."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(
            f"The files of a data set must be readable; `{path}` is not ({error.strerror})."
        ) from error
    return parse_idx(content, str(path), dimensions)


def parse_idx(content: bytes, name: str, dimensions: int) -> np.ndarray:
    """The values in the bytes of an IDX file, which messages call by its name."""
    if content.startswith(GZIP):
        try:
            content = gzip.decompress(content)
        except (OSError, EOFError, zlib.error) as error:
            raise damaged(name, f"it cannot be unpacked ({error})") from error
    start = bytes((0, 0, BYTES, dimensions))
    if content[:4] != start:
        raise damaged(
            name, f"it must start with the bytes {start.hex(' ')}, and starts with {content[:4].hex(' ')}"
        )
    head = 4 + 4 * dimensions
    shape = [int.from_bytes(content[at : at + 4], "big") for at in range(4, head, 4)]
    if len(content) != head + math.prod(shape):
        sides = "×".join(map(str, shape))
        raise damaged(name, f"it says that it holds {sides} bytes, and holds {max(len(content) - head, 0)}")
    return np.frombuffer(content, np.uint8, offset=head).reshape(shape)


def damaged(name: str, why: str) -> DataError:
    """What is said of a file that is another one than its name says, or not whole."""
    return DataError(f"`{name}` must be whole: {why}. Delete it, so that it is fetched anew.")


class IdxSource(PixelSource):
    """A published set in two parts, each a file of pictures and a file of labels.

    The files are looked for in `data_dir`, as they are published or unpacked, and in the set's own sub-folder there,
    to which they are fetched where they are missing.

    Args:
        data_dir: folder with the files; what is missing is fetched into a sub-folder of it
        dataset_part: which part to train on; with `train`, the part `test` is held out
        download: whether files that are missing are fetched
    """

    called: ClassVar[str]
    url: ClassVar[str]  # what stands before each file's name
    inside: ClassVar[Sequence[str]]  # sub-folders that may hold the files
    sums: ClassVar[Sequence[str]]  # md5 of pictures and labels to train on, then to test

    def __init__(self, *, data_dir: str = "data", dataset_part: Part = "train", download: bool = True):
        self.data_dir, self.part, self.download = data_dir, dataset_part, download
        parts = [self._read(part) for part in ("train", "test") if dataset_part in (part, "all")]
        values, labels = joined(parts, self.called)
        super().__init__(f"{self.called}-{dataset_part}", values, labels, self.class_names)

    def _read(self, part: str) -> tuple[np.ndarray, np.ndarray]:
        """Pictures and labels of one part."""
        start, at = ("train", 0) if part == "train" else ("t10k", 2)
        names = (f"{start}-images-idx3-ubyte.gz", f"{start}-labels-idx1-ubyte.gz")
        files = [File(name, self.url + name, md5) for name, md5 in zip(names, self.sums[at:], strict=False)]
        folder = Path(self.data_dir).expanduser()
        images, labels = fetched(folder, files, self.called, self.inside, self.download)
        return pair(read_idx(images, 3), read_idx(labels, 1), str(images))

    def held_out(self) -> Source | None:
        return held_out(self, data_dir=self.data_dir, download=self.download)


def pair(images: np.ndarray, labels: np.ndarray, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Pictures and labels of one part, as many of these as of those."""
    if len(images) != len(labels):
        raise DataError(
            f"Each picture needs one label: `{name}` holds {len(images)} pictures, and the file of labels beside it"
            f" {len(labels)}. Give both files of one part."
        )
    return images, labels


def joined(parts: Sequence[tuple[np.ndarray, np.ndarray]], who: str) -> tuple[np.ndarray, np.ndarray]:
    """All parts as one; a single one is not copied."""
    if len(parts) == 1:
        return parts[0]
    sizes = {images.shape[1:] for images, _ in parts}
    if len(sizes) > 1:
        listed = " and ".join(sorted("×".join(map(str, size)) for size in sizes))
        raise DataError(
            f"The pictures of `{who}` must be of one size; its parts have {listed}. Choose one part."
        )
    images, labels = zip(*parts, strict=True)
    return np.concatenate(images), np.concatenate(labels)


def held_out(source: "IdxSource | PixelSource", **named: object) -> Source | None:
    """The part `test` of a source that trains on `train`; None, and a line that says so, where it cannot be had."""
    if getattr(source, "part", None) != "train":
        return None
    try:
        return type(source)(dataset_part="test", **named)  # type: ignore[call-arg, arg-type]
    except MissingFiles as error:
        tell(f"nothing is held out from {source.name}: {error}")
        return None
