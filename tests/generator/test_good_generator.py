from argparse import Namespace

import pytest
import torch

from ganzo.errors import OptionError
from ganzo.generator.good import GoodGenerator


def test_as_many_parameters_as_the_older_system():
    assert sum(p.numel() for p in GoodGenerator().parameters()) == 8_540_483


@pytest.mark.parametrize(("size", "colors"), [(16, 3), (48, 1)])
def test_every_multiple_of_16_works(size, colors):
    images = GoodGenerator(image_size=size, image_colors=colors, state_size=4, channels=2)(torch.randn(2, 4))
    assert images.shape == (2, colors, size, size)
    assert images.abs().max() <= 1


def test_width_is_the_image_size_where_none_is_given():
    assert GoodGenerator(image_size=16).last.in_channels == 16
    assert GoodGenerator(image_size=16, channels=3).last.in_channels == 3


@pytest.mark.parametrize(("size", "better"), [(60, 64), (28, 32), (8, 16)])
def test_another_size_is_refused_with_one_that_works(size, better):
    with pytest.raises(
        OptionError, match=rf"`image_size` must be a multiple of 16 .*`good`; got {size}\. Try {better}\."
    ):
        GoodGenerator(image_size=size)


def test_both_doors_give_equal_weights():
    torch.manual_seed(0)
    one = GoodGenerator(channels=2, image_size=16, state_size=4)
    torch.manual_seed(0)
    other = GoodGenerator(Namespace(generator_channels=2, image_size=16, state_size=4))
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))


def test_gradients_reach_every_parameter():
    net = GoodGenerator(image_size=16, state_size=4, channels=2)
    net(torch.randn(4, 4)).square().sum().backward()
    assert all(p.grad is not None for p in net.parameters())
    assert all(p.grad.abs().sum() > 0 for n, p in net.named_parameters() if n.endswith("weight"))


def test_channels_last_gives_the_same_images():
    net = GoodGenerator(image_size=16, state_size=4, channels=4)
    noise = torch.randn(4, 4)
    expected = net(noise)
    torch.testing.assert_close(
        net.to(memory_format=torch.channels_last)(noise), expected, rtol=1e-4, atol=1e-5
    )
