"""CIFAR's files: pickled dictionaries, in a folder or in the archive as it is published, read without running code."""

import io
import pickle
import tarfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np

from ganzo.data import Source
from ganzo.data.download import File, fetched
from ganzo.data.idx import held_out
from ganzo.data.kept import PixelSource
from ganzo.registry import DataError

Part = Literal["train", "test", "all"]


# How a pickle makes an array. What is allowed is NumPy's own, which no pickle can change.
REBUILD = np.empty(0, np.uint8).__reduce__()[0]
ALLOWED = {
    ("numpy.core.multiarray", "_reconstruct"): REBUILD,
    ("numpy._core.multiarray", "_reconstruct"): REBUILD,
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
}
SIDE = 32  # pixels


class PlainUnpickler(pickle.Unpickler):
    """Reads numbers, texts, lists, dictionaries and arrays; whatever else a pickle asks for is refused, never run."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in ALLOWED:
            raise DataError(f"it asks for `{module}.{name}`, which no file of CIFAR needs")
        return ALLOWED[module, name]


def unpickled(content: bytes, name: str) -> dict[str, Any]:
    """The dictionary in a file of CIFAR, which messages call by its name."""
    try:
        values = PlainUnpickler(io.BytesIO(content), encoding="bytes").load()
        return {key.decode() if isinstance(key, bytes) else str(key): value for key, value in values.items()}
    except Exception as error:  # damaged bytes may make the unpickler raise anything
        why = " ".join(str(error).split()) or type(error).__name__
        raise damaged(name, f"it must be a pickled dictionary of numbers and texts: {why}") from error


def damaged(name: str, why: str) -> DataError:
    """What is said of a file that is not one of CIFAR's, or not a whole one."""
    return DataError(f"`{name}` is no sound file of CIFAR, {why}. Delete it, so that it is fetched anew.")


class CifarSource(PixelSource):
    """A set of 32×32 colour pictures in CIFAR's files.

    The files are looked for in the published folder inside `data_dir`, in `data_dir` itself, and in the published
    `.tar.gz` there, which is read as it is.

    Args:
        data_dir: folder with the files; what is missing is fetched into it
        dataset_part: which part to train on; with `train`, the part `test` is held out; `all` joins both
        download: whether files that are missing are fetched
    """

    called: ClassVar[str]
    archive: ClassVar[File]
    inside: ClassVar[str]  # the folder in the archive
    batches: ClassVar[dict[str, Sequence[str]]]  # the files of each part
    meta: ClassVar[str]  # the file with the names of the classes
    known: ClassVar[Sequence[str]] = ()  # the classes, where that file is not there
    labels_in, names_in = "labels", "label_names"

    def __init__(self, *, data_dir: str = "data", dataset_part: Part = "train", download: bool = True):
        self.data_dir, self.part, self.download = data_dir, dataset_part, download
        wanted = [
            name for part in ("train", "test") if dataset_part in (part, "all") for name in self.batches[part]
        ]
        content = self._contents(wanted)
        parts = [self._batch(content[name], name) for name in wanted]
        values = np.concatenate([pictures for pictures, _ in parts])
        labels = np.concatenate([numbers for _, numbers in parts])
        names = (
            unpickled(content[self.meta], self.meta).get(self.names_in, ())
            if self.meta in content
            else self.known
        )
        class_names = [name.decode() if isinstance(name, bytes) else str(name) for name in names]
        super().__init__(f"{self.called}-{dataset_part}", values, labels, class_names)

    def _contents(self, wanted: Sequence[str]) -> dict[str, bytes]:
        """The bytes of the wanted files, and those of the names of the classes where they are there."""
        folder = Path(self.data_dir).expanduser()
        needed = [*wanted, *([] if self.known else [self.meta])]
        for place in (folder / self.inside, folder):
            if all((place / name).is_file() for name in needed):
                names = [*wanted, *([self.meta] if (place / self.meta).is_file() else [])]
                try:
                    return {name: (place / name).read_bytes() for name in names}
                except OSError as error:
                    raise damaged(str(place), f"it must be readable: {error.strerror}") from error
        [path] = fetched(folder, [self.archive], self.called, download=self.download)
        found: dict[str, bytes] = {}
        try:
            with tarfile.open(path) as tar:
                for member in tar:
                    name = member.name.rpartition("/")[2]
                    if member.isfile() and name in (*wanted, self.meta) and (file := tar.extractfile(member)):
                        found[name] = file.read()
        except (OSError, EOFError, tarfile.TarError, zlib.error) as error:
            raise damaged(str(path), f"it must be a whole archive: {error}") from error
        if missing := [name for name in needed if name not in found]:
            raise damaged(str(path), f"it must hold {', '.join(f'`{name}`' for name in missing)}")
        return found

    def _batch(self, content: bytes, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Pictures N×32×32×3 and labels N of one file."""
        batch = unpickled(content, name)
        data: Any = batch.get("data")
        labels = batch.get(self.labels_in)
        shape = getattr(data, "shape", ())
        if not isinstance(data, np.ndarray) or data.dtype != np.uint8 or shape[1:] != (3 * SIDE * SIDE,):
            got = (
                f"{'×'.join(map(str, shape))} of {data.dtype}" if hasattr(data, "dtype") else f"{data!r:.40}"
            )
            raise damaged(name, f"its `data` must be N×{3 * SIDE * SIDE} of uint8, and is {got}")
        if (
            not isinstance(labels, list)
            or len(labels) != len(data)
            or not all(type(n) is int for n in labels)
        ):
            raise damaged(name, f"its `{self.labels_in}` must be a list of {len(data)} whole numbers")
        pictures = data.reshape(-1, 3, SIDE, SIDE).transpose(0, 2, 3, 1)
        return np.ascontiguousarray(pictures), np.asarray(labels, np.int64)

    def held_out(self) -> Source | None:
        return held_out(self, data_dir=self.data_dir, download=self.download)
