import dataclasses

import pytest
import torch

from ganzo.nn.batch import Batch

IMAGE, LABEL, TARGET = torch.zeros(3, 1, 2, 2), torch.arange(3), torch.ones(3, 1, 2, 2)


def test_it_unpacks_like_the_old_pair():
    image, label = Batch(IMAGE, LABEL)
    assert image is IMAGE and label is LABEL
    image, label = Batch(IMAGE)
    assert label is None


def test_with_a_target_the_pair_is_image_and_target():
    image, target = Batch(IMAGE, LABEL, TARGET)
    assert image is IMAGE and target is TARGET


def test_its_length_is_the_number_of_examples():
    assert len(Batch(IMAGE)) == 3


def test_it_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Batch(IMAGE).image = TARGET
