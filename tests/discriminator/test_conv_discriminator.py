import copy
from argparse import Namespace

import pytest
import torch

from ganzo.discriminator.conv import ConvDiscriminator
from ganzo.errors import OptionError


def test_as_many_parameters_as_the_older_system():
    assert sum(p.numel() for p in ConvDiscriminator().parameters()) == 44_777


@pytest.mark.parametrize(("size", "colors"), [(8, 1), (16, 3), (32, 1)])
def test_every_power_of_two_gives_one_logit(size, colors):
    net = ConvDiscriminator(image_size=size, image_colors=colors, channels=2)
    assert net(torch.randn(3, colors, size, size)).shape == (3, 1)


def test_what_does_not_fit_is_refused():
    with pytest.raises(OptionError, match=r"`layers` must be 5 for the discriminator `conv`.*got 4\. Try 5"):
        ConvDiscriminator(layers=4)
    with pytest.raises(OptionError, match=r"`image_size` must be a power of two.*got 28\. Try 32\."):
        ConvDiscriminator(image_size=28)


def test_both_doors_give_equal_weights():
    torch.manual_seed(0)
    one = ConvDiscriminator(channels=2, image_size=16)
    torch.manual_seed(0)
    other = ConvDiscriminator(Namespace(discriminator_channels=2, generator_channels=64, image_size=16))
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))


def test_gradients_reach_every_parameter():
    net = ConvDiscriminator(image_size=16, channels=2)
    net(torch.randn(4, 3, 16, 16)).square().sum().backward()
    assert all(p.grad is not None for p in net.parameters())
    assert all(p.grad.abs().sum() > 0 for n, p in net.named_parameters() if n.endswith("weight"))


def test_spectral_norm_takes_the_place_of_batch_norm_and_holds_every_layer_at_one():
    net = ConvDiscriminator(image_size=16, channels=4, spectral_norm=True)
    weighted = [m for m in net.modules() if isinstance(m, torch.nn.Conv2d | torch.nn.Linear)]
    for layer in weighted:  # far too large, for the norm to bring down
        layer.parametrizations.weight.original.data.mul_(100)
    images = torch.randn(2, 3, 16, 16)
    for _ in range(100):
        net(images)
    largest = [torch.linalg.matrix_norm(m.weight.flatten(1), 2) for m in weighted]
    assert not any(isinstance(m, torch.nn.BatchNorm2d) for m in net.modules())
    assert [s.item() for s in largest] == pytest.approx([1.0, 1.0, 1.0], rel=1e-2)


def test_a_copy_under_spectral_norm_judges_alike_and_apart():
    net = ConvDiscriminator(image_size=8, channels=2, spectral_norm=True).eval()
    other = copy.deepcopy(net)
    images = torch.randn(2, 3, 8, 8)
    before = net(images)
    assert torch.equal(other(images), before)
    with torch.no_grad():
        other.judge.judge.linear.bias.add_(1.0)
    assert torch.equal(net(images), before)


def test_channels_last_gives_the_same_logits():
    net = ConvDiscriminator(image_size=16, channels=4)
    images = torch.randn(4, 3, 16, 16)
    expected = net(images)
    net = net.to(memory_format=torch.channels_last)
    torch.testing.assert_close(
        net(images.to(memory_format=torch.channels_last)), expected, rtol=1e-4, atol=1e-5
    )
