from argparse import Namespace

import torch

from ganzo.discriminator.fc import FCDiscriminator


def test_widths_halve_down_to_one_logit():
    # 1·8·8 -> 16 -> 8 -> 1, each with a bias
    net = FCDiscriminator(layers=3, image_size=8, image_colors=1, state_size=4)
    assert sum(p.numel() for p in net.parameters()) == (64 * 16 + 16) + (16 * 8 + 8) + (8 + 1)
    assert net(torch.randn(5, 1, 8, 8)).shape == (5, 1)


def test_logits_are_not_squashed():
    net = FCDiscriminator(layers=1, image_size=4, image_colors=1)
    torch.nn.init.ones_(net.judge.judge.linear.weight)
    torch.nn.init.zeros_(net.judge.judge.linear.bias)
    assert net(torch.full((1, 1, 4, 4), -1.0)).item() == -16


def test_both_doors_give_equal_weights():
    facts = {"image_size": 8, "image_colors": 1, "state_size": 4}
    torch.manual_seed(0)
    one = FCDiscriminator(layers=2, **facts)
    torch.manual_seed(0)
    other = FCDiscriminator(Namespace(discriminator_layers=2, generator_layers=7, **facts))
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))


def test_dropout_changes_the_logits_of_the_same_images():
    images = torch.randn(4, 1, 8, 8)
    net = FCDiscriminator(image_size=8, image_colors=1, state_size=8, dropout=0.5)
    assert not torch.equal(net(images), net(images))


def test_gradients_reach_every_parameter():
    net = FCDiscriminator(layers=3, image_size=8, state_size=4)
    net(torch.randn(4, 3, 8, 8)).sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in net.parameters())


def test_spectral_norm_bounds_the_slope():
    net = FCDiscriminator(layers=3, image_size=8, image_colors=1, state_size=4, spectral_norm=True)
    images = 10 * torch.randn(2, 1, 8, 8)
    for _ in range(50):  # each pass follows the singular values more closely
        net(images)
    one, other = net(images)
    assert (one - other).abs().item() <= 1.001 * (images[0] - images[1]).norm().item()


def test_channels_last_images_get_the_same_logits():
    net = FCDiscriminator(image_size=8, state_size=4)
    images = torch.randn(2, 3, 8, 8)
    torch.testing.assert_close(net(images.to(memory_format=torch.channels_last)), net(images))
