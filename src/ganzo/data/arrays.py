"""Data that a program holds already: arrays, and PyTorch's data sets.

Both are built in Python: `ArrayData(images, labels)`, `DatasetData(dataset)`.
"""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ganzo.data import Batch
from ganzo.data.batches import StoredData
from ganzo.data.pixels import pixels
from ganzo.nn.side import sides, size_of
from ganzo.registry import DataError, ImageSize


class ArrayData(StoredData):
    """Images from arrays or tensors, which are not copied where that can be helped.

    Args:
        images: uint8, or float in [-1, 1]; N×C×H×W, or grey N×H×W, or N×H×W×C with 1 or 3 colours
        labels: whole numbers from 0, N
        batch_size: examples in a batch; the last incomplete batch of a pass is dropped
        class_names: names of the classes; numbers where none are given
        seed: seed of the permutations
        device: where the players live
        shuffle: whether passes are shuffled; in a fixed order the last batch may be smaller
        pin_memory: whether batches that travel to a CUDA device go through pinned memory (none: they do)

    Shape: image uint8 or float32 B×C×H×W, label int64 B.
    """

    def __init__(
        self,
        images: Any,
        labels: Any = None,
        *,
        batch_size: int = 64,
        class_names: Sequence[str] = (),
        seed: int | None = None,
        device: torch.device | str = "cpu",
        shuffle: bool = True,
        pin_memory: bool | None = None,
    ):
        stored = as_images(images)
        numbers = None if labels is None else as_labels(labels, len(stored))
        super().__init__(
            Batch(stored, numbers),
            batch_size=batch_size,
            class_names=() if numbers is None else names_for(numbers, class_names),
            seed=seed,
            device=device,
            shuffle=shuffle,
            pin_memory=pin_memory,
            name=type(self).__name__,
        )


class DatasetData(ArrayData):
    """Images from a `torch.utils.data.Dataset`, which is read through once, into memory.

    Args:
        dataset: map style; its items are images or `(image, label)`, an image being a PIL picture, or an array or
            tensor as `ArrayData` takes them
        image_size: size that PIL pictures are stretched to, a square's side or `WxH`; none to keep that of the first
        image_colors: 1 or 3, what PIL pictures are converted to; none to see from the first
        batch_size: examples in a batch; the last incomplete batch of a pass is dropped
        class_names: names of the classes; none to take `dataset.classes`, or numbers
        seed: seed of the permutations
        device: where the players live
        shuffle: whether passes are shuffled; in a fixed order the last batch may be smaller
        pin_memory: whether batches that travel to a CUDA device go through pinned memory (none: they do)

    Shape: image uint8 or float32 B×C×H×W, label int64 B.
    """

    def __init__(
        self,
        dataset: Any,
        *,
        image_size: ImageSize | None = None,
        image_colors: Literal[1, 3] | None = None,
        batch_size: int = 64,
        class_names: Sequence[str] | None = None,
        seed: int | None = None,
        device: torch.device | str = "cpu",
        shuffle: bool = True,
        pin_memory: bool | None = None,
    ):
        if not (hasattr(dataset, "__len__") and hasattr(dataset, "__getitem__")) or not len(dataset):
            raise DataError(f"A data set must be of map style and hold examples; got {_what(dataset)}.")
        images, labels = list[np.ndarray](), list[Any]()
        for index in range(len(dataset)):
            item = dataset[index]
            image, label = (*item, None)[:2] if isinstance(item, tuple | list) else (item, None)
            if isinstance(image, Image.Image):
                image_size, image_colors = _sizes(image, image_size, image_colors)
                image = pixels(image, image_size, image_colors)
            array = _array(image)
            if images and (array.shape, array.dtype) != (images[0].shape, images[0].dtype):
                raise DataError(
                    f"The images of a data set must be of one shape and type: example 0 has {_shape(images[0])},"
                    f" example {index} has {_shape(array)}. Let the data set give PIL pictures, and set `image_size`."
                )
            images.append(array)
            if label is not None:
                labels.append(label)
        stacked = np.stack(images)
        if stacked.dtype.kind == "f" and stacked.min() >= 0:
            raise DataError(
                "Images of a data set must be uint8, or float in [-1, 1]; got none below 0, as `ToTensor` makes them."
                " Leave it out, or add `Normalize(0.5, 0.5)`."
            )
        super().__init__(
            stacked,
            labels or None,
            batch_size=batch_size,
            class_names=getattr(dataset, "classes", ()) if class_names is None else class_names,
            seed=seed,
            device=device,
            shuffle=shuffle,
            pin_memory=pin_memory,
        )
        asked = None if image_size is None else size_of(*sides(image_size))
        if asked not in (None, self.image_size) or image_colors not in (None, self.image_colors):
            raise DataError(
                f"Only PIL pictures are resized and converted; the data set gives {_shape(images[0])}, and"
                f" `image_size` {image_size}, `image_colors` {image_colors} were asked for."
            )


def as_images(images: Any) -> Tensor:
    """Images as they are stored, uint8 or float32 N×C×H×W; refuses other types, shapes and ranges."""
    array = _array(images)
    if array.ndim == 3:
        array = array[:, None]
    elif array.ndim == 4 and array.shape[3] in (1, 3) and array.shape[1] not in (1, 3):
        array = array.transpose(0, 3, 1, 2)
    if array.ndim != 4 or 0 in array.shape or _colors_last(array):
        raise DataError(
            f"Images must be N×C×H×W, N×H×W, or N×H×W×C with 1 or 3 colours; got {_shape(images)}."
            " Bring them into one of these shapes."
        )
    if array.dtype != np.uint8:
        if array.dtype.kind != "f":
            raise DataError(f"Images must be uint8, or float in [-1, 1]; got {array.dtype}.")
        low, high = array.min(), array.max()
        if not (low >= -1 and high <= 1):  # a NaN is neither
            raise DataError(
                f"Float images must lie in [-1, 1]; got {low:g} to {high:g}. Scale them, or give 0 to 255 as uint8."
            )
        array = array.astype(np.float32, copy=False)
    return torch.from_numpy(np.require(array, requirements=["C", "W"]))


def as_labels(labels: Any, count: int) -> Tensor:
    """Labels as int64 N."""
    array = _array(labels)
    if array.shape != (count,) or array.dtype.kind not in "iu" or array.min() < 0:
        raise DataError(
            f"Labels must be {count} whole numbers from 0, one for each image; got {_shape(array)}."
        )
    return torch.from_numpy(array.astype(np.int64))


def names_for(labels: Tensor, class_names: Sequence[str]) -> tuple[str, ...]:
    """A name for each class."""
    classes = int(labels.max()) + 1
    if class_names and len(class_names) < classes:
        raise DataError(
            f"Each class needs a name: the highest label is {classes - 1}, got {len(class_names)} names."
        )
    return tuple(class_names) or tuple(str(number) for number in range(classes))


def _array(values: Any) -> np.ndarray:
    return values.detach().cpu().numpy() if isinstance(values, Tensor) else np.asarray(values)


def _colors_last(array: np.ndarray) -> bool:
    """Whether four numbers are N×H×W×C of 2 or 4 colours: narrower images of as many channels nobody has."""
    return array.shape[3] in (2, 4) and array.shape[1] > 4 and array.shape[2] != array.shape[3]


def _sizes(
    first: Image.Image, size: int | str | None, colors: Literal[1, 3] | None
) -> tuple[int | str, Literal[1, 3]]:
    """What the first picture decides where nothing was asked for."""
    grey = first.mode in ("1", "L", "I;16")
    return size or size_of(first.height, first.width), colors or (1 if grey else 3)


def _shape(values: Any) -> str:
    return (
        f"{'×'.join(map(str, values.shape))} of {values.dtype}" if hasattr(values, "shape") else _what(values)
    )


def _what(value: Any) -> str:
    empty = "an empty " if hasattr(value, "__len__") and not len(value) else ""
    return f"{empty}{type(value).__name__}"
