"""Pictures that a source holds in memory, as one array."""

import hashlib
from collections.abc import Sequence

import numpy as np
from PIL import Image

from ganzo.data import Source
from ganzo.registry import DataError


class PixelSource(Source):
    """A source whose pictures are one array of 8-bit pixels.

    Args:
        name: what messages call it
        values: the pixels, uint8, grey N×H×W or N×H×W×3
        labels: the class of each picture, N whole numbers from 0; none where there are no classes
        class_names: the classes, in the order of their numbers
    """

    def __init__(
        self,
        name: str,
        values: np.ndarray,
        labels: np.ndarray | Sequence[int] | None = None,
        class_names: Sequence[str] = (),
    ):
        self.name = name
        self.values = values
        self.class_names = tuple(class_names)
        self.labels = None if labels is None else np.asarray(labels, np.int64).tolist()
        self._fingerprint: str | None = None
        count = len(values)
        if not count:
            raise DataError(
                f"A data set must hold pictures; `{name}` holds none. Give the files of another part."
            )
        if self.labels is None:
            return
        if len(self.labels) != count:
            raise DataError(
                f"Each picture of `{name}` needs one label; there are {count} pictures and {len(self.labels)} labels."
                " Delete the files, so that they are fetched anew."
            )
        if min(self.labels) < 0 or max(self.labels) >= len(self.class_names):
            raise DataError(
                f"The labels of `{name}` must lie from 0 to {len(self.class_names) - 1}; they lie from"
                f" {min(self.labels)} to {max(self.labels)}. Delete the files, so that they are fetched anew."
            )

    def __len__(self) -> int:
        return len(self.values)

    def image(self, index: int) -> Image.Image:
        return Image.fromarray(self.values[index])

    def fingerprint(self) -> str:
        if self._fingerprint is None:
            digest = hashlib.sha256(f"pixels {self.values.shape} {self.labels is not None}".encode())
            digest.update(np.ascontiguousarray(self.values).data)
            digest.update(np.asarray(self.labels or (), np.int64).tobytes())
            self._fingerprint = digest.hexdigest()
        return self._fingerprint
