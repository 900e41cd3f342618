import pytest
import torch

from ganzo.discriminator.sn_resnet import SNResNetDiscriminator
from ganzo.errors import OptionError


def test_as_many_parameters_as_the_older_system():
    net = SNResNetDiscriminator(image_size=32)
    assert sum(p.numel() for p in net.parameters()) == 1_053_825


@pytest.mark.parametrize(("size", "halvings"), [(32, 2), (64, 3), (128, 4)])
def test_each_halving_is_one_block_more_and_two_keep_the_side(size, halvings):
    w = 4
    conv = 9 * w * w + w
    first = (9 * 3 * w + w) + conv + (3 * w + w)
    count = first + (halvings - 1) * (2 * conv + w * w + w) + 2 * 2 * conv + (w + 1)
    net = SNResNetDiscriminator(image_size=size, channels=w)
    assert sum(p.numel() for p in net.parameters()) == count
    images = torch.randn(3, 3, size, size)
    assert net(images).shape == (3, 1)
    assert net.blocks(images).shape == (3, w, 8, 8)


def test_the_features_are_the_mean_over_the_last_pixels():
    net = SNResNetDiscriminator(image_size="64x32", channels=2, spectral_norm=False)
    images = torch.randn(2, 3, 32, 64)
    features = net.blocks(images).relu()
    assert features.shape == (2, 2, 8, 16)
    torch.testing.assert_close(net(images), net.judge.judge.linear(features.sum((2, 3)) / 128))


def test_samples_are_judged_one_by_one():
    net = SNResNetDiscriminator(image_size=32, channels=2).eval()
    images = torch.randn(3, 3, 32, 32)
    torch.testing.assert_close(net(images)[:1], net(images[:1]))


@pytest.mark.parametrize("spectral_norm", [True, False])
def test_spectral_norm_holds_every_layer_or_none(spectral_norm):
    net = SNResNetDiscriminator(image_size=32, channels=2, spectral_norm=spectral_norm)
    weighted = [m for m in net.modules() if isinstance(m, torch.nn.Conv2d | torch.nn.Linear)]
    assert len(weighted) == 3 + 3 + 2 + 2 + 1
    assert all(hasattr(m, "parametrizations") is spectral_norm for m in weighted)


def test_first_weights_are_xaviers_and_wider_in_shortcuts():
    net = SNResNetDiscriminator(image_size=32, channels=64, spectral_norm=False)
    block = net.blocks[1]
    assert block.conv1.weight.abs().max().item() == pytest.approx((6 / (18 * 64)) ** 0.5, rel=0.01)
    assert block.shortcut.weight.abs().max().item() == pytest.approx((2 * 6 / 128) ** 0.5, rel=0.01)
    assert not block.conv1.bias.any()


@pytest.mark.parametrize(("size", "better"), [(16, 32), (48, 64)])
def test_another_size_is_refused_with_one_that_works(size, better):
    with pytest.raises(
        OptionError, match=rf"a power of two, 32 or more.*`sn-resnet`; got {size}\. Try {better}\."
    ):
        SNResNetDiscriminator(image_size=size)


@pytest.mark.parametrize("block", [0, 1, 2, 4])
def test_it_goes_on_from_the_output_of_a_block(block):
    net = SNResNetDiscriminator(image_size=32, channels=4, classes=3, head="projection").eval()
    images, labels = torch.randn(2, 3, 32, 32), torch.tensor([0, 2])
    features = net.features(images, until=block)
    assert features.shape[2] == {0: 32, 1: 16, 2: 8, 4: 8}[block]
    assert torch.equal(net.forward_from(features, labels, after=block), net(images, labels))
