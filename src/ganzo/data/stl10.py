"""Source `stl10`."""

import hashlib
import os
import shutil
import tarfile
import zlib
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Literal

import numpy as np

from ganzo.data import Source
from ganzo.data.download import File, fetched
from ganzo.data.idx import held_out
from ganzo.data.kept import PixelSource
from ganzo.data.progress import tell
from ganzo.registry import DataError, register

ARCHIVE = File(
    "stl10_binary.tar.gz",
    "http://ai.stanford.edu/~acoates/stl10/stl10_binary.tar.gz",
    "91f7769df0f17e558f3565bffb0c7dfb",
)
INSIDE = "stl10_binary"
NAMES = "class_names.txt"
KNOWN = ("airplane", "bird", "car", "cat", "deer", "dog", "horse", "monkey", "ship", "truck")
SIDE = 96  # pixels
PIECE = 1000  # pictures that are hashed at a time


@register("dataset", "stl10")
class Stl10Source(PixelSource):
    """STL-10: colour pictures of 96×96 pixels; 5,000 to train on and 8,000 to test in ten classes, 100,000 without.

    The files are `train_X.bin` and `train_y.bin`, `test_X.bin` and `test_y.bin`, and `unlabeled_X.bin`, in
    `stl10_binary` or in `data_dir` itself; the pixels are mapped, not read. Where only the archive
    `stl10_binary.tar.gz` is there, the files of the part that is asked for are unpacked beside it.

    Data: A. Coates, H. Lee and A. Y. Ng, "An Analysis of Single Layer Networks in Unsupervised Feature Learning",
    AISTATS 2011, https://cs.stanford.edu/~acoates/stl10/; 2.6 GB to fetch.

    Args:
        data_dir: folder with the files; what is missing is fetched into it
        dataset_part: which part to train on; with `train`, the part `test` is held out; `all` joins these two
        download: whether files that are missing are fetched
    """

    def __init__(
        self,
        *,
        data_dir: str = "data",
        dataset_part: Literal["train", "test", "unlabeled", "all"] = "train",
        download: bool = True,
    ):
        self.data_dir, self.part, self.download = data_dir, dataset_part, download
        parts = ("train", "test") if dataset_part == "all" else (dataset_part,)
        labelled = dataset_part != "unlabeled"
        folder = self._place([f"{part}_{kind}.bin" for part in parts for kind in ("X", "y")[: 1 + labelled]])
        mapped = [pictures(folder / f"{part}_X.bin") for part in parts]
        values = mapped[0] if len(mapped) == 1 else np.concatenate(mapped)
        name = f"stl10-{dataset_part}"
        if not labelled:
            return super().__init__(name, values)
        labels = [np.fromfile(folder / f"{part}_y.bin", np.uint8).astype(np.int64) - 1 for part in parts]
        listed = folder / NAMES
        names = listed.read_text(encoding="utf-8").split() if listed.is_file() else KNOWN
        super().__init__(name, values, np.concatenate(labels), names)

    def _place(self, names: Sequence[str]) -> Path:
        """The folder that holds the named files, which are unpacked where they are not there."""
        folder = Path(self.data_dir).expanduser()
        for place in (folder / INSIDE, folder):
            if all((place / name).is_file() for name in names):
                return place
        [path] = fetched(folder, [ARCHIVE], "stl10", download=self.download)
        place = path.parent / INSIDE
        tell(f"unpacking {', '.join(names)} of {path} into {place}")
        if missing := sorted(set(names) - set(unpack(path, place, (*names, NAMES)))):
            raise damaged(path, f"it must hold {', '.join(f'`{name}`' for name in missing)}")
        return place

    def fingerprint(self) -> str:
        if self._fingerprint is None:  # piece by piece: the pixels may be more than memory holds
            digest = hashlib.sha256(f"pixels {self.values.shape} {self.labels is not None}".encode())
            for start in range(0, len(self), PIECE):
                digest.update(self.values[start : start + PIECE].tobytes())
            digest.update(np.asarray(self.labels or (), np.int64).tobytes())
            self._fingerprint = digest.hexdigest()
        return self._fingerprint

    def held_out(self) -> Source | None:
        return held_out(self, data_dir=self.data_dir, download=self.download)


def pictures(path: Path) -> np.ndarray:
    """The pictures of a file, mapped, as N×96×96×3; in the file each is 3×96×96, column after column."""
    each, size = 3 * SIDE * SIDE, path.stat().st_size
    if not size or size % each:
        raise damaged(path, f"its {size} bytes must be a multiple of the {each} of one picture")
    return np.memmap(path, np.uint8, "r").reshape(-1, 3, SIDE, SIDE).transpose(0, 3, 2, 1)


def unpack(archive: Path, folder: Path, names: Sequence[str]) -> list[str]:
    """Copy the named files out of an archive, each whole or not at all; the names of those that were in it."""
    done = list[str]()
    try:
        with tarfile.open(archive) as tar:
            for member in tar:
                name = member.name.rpartition("/")[2]
                if member.isfile() and name in names and (file := tar.extractfile(member)):
                    with file:
                        copy(file, folder / name)
                    done.append(name)
    except (EOFError, tarfile.TarError, zlib.error) as error:
        raise damaged(archive, f"it must be a whole archive: {error}") from error
    except OSError as error:
        raise DataError(
            f"`{archive}` cannot be unpacked into `{folder}`: {error.strerror or error}. Unpack it yourself, and name"
            " the folder with `--data-dir`."
        ) from error
    return done


def copy(file: IO[bytes], path: Path) -> None:
    """Write a file that appears under its name when it is whole."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}-{os.urandom(4).hex()}.tmp")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with open(temporary, "xb") as target:
            shutil.copyfileobj(file, target)
        os.replace(temporary, path)
    finally:
        with suppress(OSError):
            temporary.unlink()


def damaged(path: Path, why: str) -> DataError:
    """What is said of a file that is not one of STL-10's, or not a whole one."""
    return DataError(f"`{path}` is no sound file of STL-10, {why}. Delete it, so that it is fetched anew.")
