from argparse import Namespace

import pytest
import torch

from ganzo.discriminator.good import GoodDiscriminator
from ganzo.errors import OptionError


def test_as_many_parameters_as_the_older_system():
    assert sum(p.numel() for p in GoodDiscriminator().parameters()) == 9_454_081


@pytest.mark.parametrize(("size", "colors"), [(16, 3), (48, 1)])
def test_every_multiple_of_16_gives_one_logit(size, colors):
    net = GoodDiscriminator(image_size=size, image_colors=colors, channels=2)
    assert net(torch.randn(3, colors, size, size)).shape == (3, 1)


def test_another_size_is_refused():
    with pytest.raises(
        OptionError, match=r"`image_size` must be a multiple of 16 .*`good`; got 60\. Try 64\."
    ):
        GoodDiscriminator(image_size=60)


def test_samples_are_judged_one_by_one():
    net = GoodDiscriminator(image_size=16, channels=2)
    images = torch.randn(3, 3, 16, 16)
    torch.testing.assert_close(net(images)[:1], net(images[:1]))


def test_both_doors_give_equal_weights():
    torch.manual_seed(0)
    one = GoodDiscriminator(channels=2, image_size=16)
    torch.manual_seed(0)
    other = GoodDiscriminator(Namespace(discriminator_channels=2, image_size=16))
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))


@pytest.mark.parametrize("spectral_norm", [False, True])
def test_gradients_reach_every_parameter(spectral_norm):
    net = GoodDiscriminator(image_size=16, channels=2, spectral_norm=spectral_norm)
    net(torch.randn(4, 3, 16, 16)).square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in net.parameters())


def test_spectral_norm_takes_the_place_of_layer_norm():
    net = GoodDiscriminator(image_size=16, channels=2, spectral_norm=True)
    weighted = [m for m in net.modules() if isinstance(m, torch.nn.Conv2d | torch.nn.Linear)]
    assert not any(isinstance(m, torch.nn.LayerNorm) for m in net.modules())
    assert len(weighted) == 1 + 4 * 3 + 1
    assert all(hasattr(m, "parametrizations") for m in weighted)


def test_channels_last_gives_the_same_logits():
    net = GoodDiscriminator(image_size=16, channels=4)
    images = torch.randn(4, 3, 16, 16)
    expected = net(images)
    net = net.to(memory_format=torch.channels_last)
    torch.testing.assert_close(
        net(images.to(memory_format=torch.channels_last)), expected, rtol=1e-4, atol=1e-4
    )
