from argparse import Namespace

import pytest
import torch

from ganzo.generator.fc import FCGenerator


@pytest.mark.parametrize("colors", [1, 3])
def test_images_have_colours_and_lie_between_minus_one_and_one(colors):
    images = FCGenerator(image_size=12, image_colors=colors, state_size=4)(100 * torch.randn(5, 4))
    assert images.shape == (5, colors, 12, 12)
    assert images.abs().max() <= 1


def test_widths_double_up_to_the_pixels():
    # 4 -> 8 -> 16 -> 1·8·8, each with a bias
    net = FCGenerator(layers=3, image_size=8, image_colors=1, state_size=4)
    assert sum(p.numel() for p in net.parameters()) == (4 * 8 + 8) + (8 * 16 + 16) + (16 * 64 + 64)


def test_one_layer_goes_straight_to_the_pixels():
    net = FCGenerator(layers=1, image_size=8, image_colors=1, state_size=4)
    assert sum(p.numel() for p in net.parameters()) == 4 * 64 + 64


def test_dropout_makes_the_same_noise_give_different_images():
    noise = torch.randn(4, 8)
    plain = FCGenerator(image_size=8, state_size=8)
    dropping = FCGenerator(image_size=8, state_size=8, dropout=0.5)
    assert torch.equal(plain(noise), plain(noise))
    assert not torch.equal(dropping(noise), dropping(noise))


def test_both_doors_give_equal_weights():
    facts = {"image_size": 8, "image_colors": 1, "state_size": 4}
    torch.manual_seed(0)
    one = FCGenerator(layers=2, **facts)
    torch.manual_seed(0)
    other = FCGenerator(Namespace(generator_layers=2, **facts))
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))


def test_gradients_reach_every_parameter():
    net = FCGenerator(layers=3, image_size=8, state_size=4)
    net(torch.randn(4, 4)).square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in net.parameters())
