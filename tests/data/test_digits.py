"""The digits that come with the package."""

import numpy as np
import pytest
import torch

from ganzo.data import Source
from ganzo.data.digits import FILE, DigitsSource
from ganzo.data.pixels import pixels
from ganzo.data.single_image import SingleImageData
from ganzo.registry import Registry


def test_counts_and_split():
    parts = {part: DigitsSource(digits_part=part) for part in ("train", "test", "all")}
    assert {part: len(source) for part, source in parts.items()} == {"train": 1438, "test": 359, "all": 1797}
    for source in parts.values():
        assert set(source.labels) == set(range(10)) and source.class_names == tuple("0123456789")
    whole = np.bincount(parts["all"].labels)
    assert np.abs(np.bincount(parts["test"].labels) - whole / 5).max() < 1  # a fifth of each class
    assert len({source.fingerprint() for source in parts.values()}) == 3


def test_only_the_training_part_holds_something_out():
    assert DigitsSource().held_out().part == "test"
    assert DigitsSource(digits_part="test").held_out() is None
    assert DigitsSource(digits_part="all").held_out() is None


def test_values_fill_the_range():
    source = DigitsSource(digits_part="all")
    assert source.values.min() == 0 and source.values.max() == 255
    first = source.image(0)
    assert first.size == (8, 8) and first.mode == "L"
    with np.load(FILE, allow_pickle=False) as file:
        assert np.array_equal(np.asarray(first), (file["images"][0] / 16 * 255).round())
        assert "CC BY 4.0" in str(file["attribution"])


@pytest.mark.parametrize("size", [16, 32])
def test_enlarging_is_smooth(size):
    source = DigitsSource()
    large = pixels(source.image(0), size, 1)[0].astype(int)
    small = np.asarray(source.image(0)).astype(int)
    steps, blocks = np.abs(np.diff(large, axis=1)).max(), np.abs(np.diff(small, axis=1)).max()
    assert steps < 0.75 * blocks and 0 <= large.min() and large.max() <= 255
    assert np.abs(large.reshape(8, size // 8, 8, size // 8).mean((1, 3)) - small).mean() < 20


def test_digits_as_data(tmp_path):
    assert Registry.lookup("dataset", "digits") is DigitsSource and issubclass(DigitsSource, Source)
    data = SingleImageData(DigitsSource(), image_size=16, image_colors=1, batch_size=64, seed=0)
    image, label = data.next()
    assert image.shape == (64, 1, 16, 16) and image.dtype == torch.uint8 and label.shape == (64,)
    assert data.batches == 22 and data.classes == 10
    assert not (tmp_path / "cache").exists()  # packed anew each time, without a file
