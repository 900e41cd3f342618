from argparse import Namespace

import pytest
import torch

from ganzo.errors import OptionError
from ganzo.generator.conv import ConvGenerator


def test_as_many_parameters_as_the_older_system():
    assert sum(p.numel() for p in ConvGenerator().parameters()) == 174_827


@pytest.mark.parametrize(("size", "colors"), [(8, 1), (16, 3), (32, 1)])
def test_every_power_of_two_works(size, colors):
    images = ConvGenerator(image_size=size, image_colors=colors, state_size=4, channels=8)(torch.randn(2, 4))
    assert images.shape == (2, colors, size, size)
    assert images.abs().max() <= 1


def test_the_needed_number_of_layers_may_be_named():
    assert ConvGenerator(layers=3, image_size=16, channels=4)(torch.randn(2, 128)).shape == (2, 3, 16, 16)


def test_a_number_of_layers_that_does_not_fit_is_refused():
    with pytest.raises(OptionError, match=r"`layers` must be 5 for the generator `conv`.*got 4\. Try 5"):
        ConvGenerator(layers=4)


@pytest.mark.parametrize(("size", "better"), [(28, 32), (60, 64), (4, 8), (48, 64)])
def test_a_size_that_does_not_fit_is_refused_with_one_that_does(size, better):
    with pytest.raises(
        OptionError, match=rf"`image_size` must be a power of two.*got {size}\. Try {better}\."
    ):
        ConvGenerator(image_size=size)
    ConvGenerator(image_size=better, channels=16)


def test_too_few_channels_to_halve_are_refused():
    with pytest.raises(OptionError, match=r"`channels` must be at least 8 .*got 7\. Try 8\."):
        ConvGenerator(image_size=64, channels=7)
    ConvGenerator(image_size=64, channels=8)


def test_both_doors_give_equal_weights():
    torch.manual_seed(0)
    one = ConvGenerator(channels=16, image_size=16, state_size=4)
    torch.manual_seed(0)
    other = ConvGenerator(Namespace(generator_channels=16, image_size=16, state_size=4, image_colors=3))
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))


def test_dropout_stands_after_every_layer_but_the_last():
    net = ConvGenerator(image_size=32, dropout=0.3)  # 4 layers
    assert [m.p for m in net.modules() if isinstance(m, torch.nn.Dropout)] == [0.3] * 3


def test_gradients_reach_every_parameter():
    net = ConvGenerator(image_size=16, state_size=4, channels=8)
    net(torch.randn(4, 4)).square().sum().backward()
    assert all(p.grad is not None for p in net.parameters())
    assert all(p.grad.abs().sum() > 0 for n, p in net.named_parameters() if n.endswith("weight"))


def test_channels_last_gives_the_same_images():
    net = ConvGenerator(image_size=16, state_size=4, channels=8)
    noise = torch.randn(4, 4)
    expected = net(noise)
    torch.testing.assert_close(net.to(memory_format=torch.channels_last)(noise), expected)
