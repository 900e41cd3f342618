"""Arrays and PyTorch's data sets as data, and what is refused."""

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import Dataset, IterableDataset, Subset, TensorDataset

from ganzo.data.arrays import ArrayData, DatasetData
from ganzo.errors import DataError


class Listed(Dataset):
    def __init__(self, items, classes=None):
        self.items = items
        if classes:
            self.classes = classes

    def __len__(self):
        return len(self.items)

    def __getitem__(self, index):
        return self.items[index]


@pytest.mark.parametrize(
    "shape, colors",
    [
        ((5, 3, 4, 4), 3),
        ((5, 1, 4, 4), 1),
        ((5, 4, 4), 1),
        ((5, 4, 4, 3), 3),
        ((5, 4, 4, 1), 1),
        ((5, 3, 3, 3), 3),
        ((5, 2, 4, 4), 2),
        ((5, 8, 4, 4), 8),
        ((5, 3, 4, 6), 3),
        ((5, 1, 6, 3), 1),
        ((5, 3, 6, 1), 3),
        ((5, 4, 6), 1),
        ((5, 6, 4, 3), 3),
        ((5, 9, 2, 1), 1),
    ],
)
@pytest.mark.parametrize("make", [np.asarray, torch.from_numpy], ids=["array", "tensor"])
def test_shapes(shape, colors, make):
    images = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    data = ArrayData(make(images), batch_size=5, shuffle=False)
    last = len(shape) == 4 and shape[1] not in (1, 3) and shape[3] in (1, 3)
    height, width = shape[1:3] if last else shape[-2:]
    size = height if height == width else f"{width}x{height}"
    assert (data.image_size, data.image_colors, data.classes, len(data)) == (size, colors, 0, 5)
    assert (data.input_colors, data.pairs) == (colors, False)
    image, label = data.next()
    assert image.shape == (5, colors, height, width) and label is None
    assert torch.equal(
        image[:, 0], torch.from_numpy(images[..., 0] if last else images.reshape(image.shape)[:, 0])
    )


def test_float_passes_through():
    images = np.linspace(-1, 1, 32).reshape(2, 1, 4, 4)
    images.flags.writeable = False
    image = ArrayData(images, batch_size=2, shuffle=False).next().image
    assert image.dtype == torch.float32 and torch.allclose(
        image.double(), torch.tensor(images.tolist()).double()
    )


def test_labels_and_names():
    images = np.zeros((4, 2, 2), np.uint8)
    data = ArrayData(images, [0, 2, 1, 2], batch_size=4, shuffle=False)
    assert (
        data.classes == 3
        and data.class_names == ("0", "1", "2")
        and data.next().label.tolist() == [0, 2, 1, 2]
    )
    named = ArrayData(images, torch.tensor([0, 1, 0, 1]), class_names=["no", "yes", "maybe"], batch_size=2)
    assert named.classes == 3 and named.next().label.dtype == torch.int64


@pytest.mark.parametrize(
    "images, message",
    [
        (
            np.zeros((4, 9, 5, 4), np.uint8),
            r"must be N×C×H×W, .* with 1 or 3 colours; got 4×9×5×4 of uint8\. Bring",
        ),
        (np.zeros((4, 64, 48, 2), np.uint8), "must be N×C×H×W, .* got 4×64×48×2 of uint8"),
        (np.zeros((4, 4), np.uint8), "must be N×C×H×W, .* got 4×4 of uint8"),
        (np.zeros((0, 4, 4), np.uint8), "must be N×C×H×W, .* got 0×4×4"),
        (np.zeros((4, 4, 4), np.int64), r"uint8, or float in \[-1, 1\]; got int64"),
        (np.full((4, 4, 4), 255.0), r"must lie in \[-1, 1\]; got 255 to 255"),
        (np.full((4, 4, 4), np.nan), r"must lie in \[-1, 1\]; got nan to nan"),
    ],
)
def test_images_that_are_refused(images, message):
    with pytest.raises(DataError, match=message):
        ArrayData(images, batch_size=2)


@pytest.mark.parametrize("labels", [[0, 1], [0, 1, -1], [0.0, 1.0, 2.0], [[0], [1], [2]]])
def test_labels_that_are_refused(labels):
    with pytest.raises(DataError, match="must be 3 whole numbers from 0"):
        ArrayData(np.zeros((3, 2, 2), np.uint8), labels, batch_size=2)
    with pytest.raises(DataError, match="the highest label is 2, got 2 names"):
        ArrayData(np.zeros((3, 2, 2), np.uint8), [0, 1, 2], class_names=["a", "b"], batch_size=2)


def test_a_data_set_of_pictures():
    items = [(Image.new("RGB", (6, 4 + i), (i, 0, 0)), i % 2) for i in range(4)]
    data = DatasetData(Listed(items, ["even", "odd"]), image_size=3, batch_size=4, shuffle=False)
    assert data.class_names == ("even", "odd") and (data.image_size, data.image_colors) == (3, 3)
    image, label = data.next()
    assert image[:, 0, 0, 0].tolist() == [0, 1, 2, 3] and label.tolist() == [0, 1, 0, 1]


def test_a_data_set_keeps_the_size_and_colours_of_its_first_picture():
    data = DatasetData(Listed([Image.new("L", (6, 6), 9)] * 2), batch_size=2)
    assert (data.image_size, data.image_colors, data.classes) == (6, 1, 0)
    assert DatasetData(Listed([Image.new("L", (6, 6))] * 2), image_colors=3, batch_size=2).image_colors == 3
    wide = DatasetData(Listed([Image.new("L", (6, 5), 9)] * 2), batch_size=2)
    assert wide.image_size == "6x5" and wide.next().image.shape == (2, 1, 5, 6)
    asked = DatasetData(Listed([Image.new("L", (6, 5), 9)] * 2), image_size="4x3", batch_size=2)
    assert asked.image_size == "4x3" and asked.next().image.shape == (2, 1, 3, 4)
    assert DatasetData(Listed([Image.new("L", (6, 5))] * 2), image_size="4x4", batch_size=2).image_size == 4


def test_tensor_data_sets_and_subsets():
    images, labels = torch.rand(6, 3, 4, 4) * 2 - 1, torch.arange(6)
    data = DatasetData(Subset(TensorDataset(images, labels), [4, 2]), batch_size=2, shuffle=False)
    image, label = data.next()
    assert torch.equal(image, images[[4, 2]]) and label.tolist() == [4, 2] and data.classes == 5


def test_data_sets_that_are_refused():
    class Endless(IterableDataset):
        def __iter__(self):
            return iter(())

    for dataset, message in [
        (Endless(), "must be of map style and hold examples; got Endless"),
        (Listed([]), "must be of map style and hold examples; got an empty Listed"),
        (TensorDataset(torch.rand(4, 1, 4, 4)), r"got none below 0, as `ToTensor` makes them"),
        (Listed([np.zeros((4, 4), np.uint8), np.zeros((5, 5), np.uint8)]), "example 1 has 5×5 of uint8"),
    ]:
        with pytest.raises(DataError, match=message):
            DatasetData(dataset, batch_size=1)
    with pytest.raises(DataError, match="Only PIL pictures are resized"):
        DatasetData(Listed([np.zeros((4, 4), np.uint8)]), image_size=8, batch_size=1)
