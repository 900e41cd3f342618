"""What holds for every discriminator: sizes, colours, heads, precisions, memory formats."""

import pytest
import torch

from ganzo.discriminator import Verdict
from ganzo.discriminator.cgan import ConditionalDiscriminator
from ganzo.discriminator.conv import ConvDiscriminator
from ganzo.discriminator.fc import FCDiscriminator
from ganzo.discriminator.good import GoodDiscriminator
from ganzo.discriminator.patch_gan import PatchGANDiscriminator
from ganzo.discriminator.sn_resnet import SNResNetDiscriminator
from ganzo.nn.side import sides

SIZES = {
    FCDiscriminator: (5, "7x3"),
    ConvDiscriminator: (8, 16, 32, 64, "64x32", "8x10", "32x96"),
    ConditionalDiscriminator: (8, 16, 32, "64x32", "8x10", "32x96"),
    GoodDiscriminator: (16, 48, 80, "48x16", "16x80"),
    PatchGANDiscriminator: (64, 100, "96x64", "64x80"),
    SNResNetDiscriminator: (32, 64, "64x32", "32x40"),
}
CASES = [(cls, size) for cls, sizes_ in SIZES.items() for size in sizes_]
WITH_A_HEAD = [cls for cls in SIZES if cls is not PatchGANDiscriminator]


def make(cls, size, colors=3, **more):
    torch.manual_seed(0)
    settings = {"layers": 2, "state_size": 4} if cls is FCDiscriminator else {"channels": 4}
    return cls(image_size=size, image_colors=colors, **settings, **more)


def pictures(size, colors=3):
    return torch.randn(4, colors, *sides(size))


def check(net, logits):
    assert logits.shape[:2] == (4, 1)
    net.zero_grad()
    logits.float().square().mean().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in net.parameters())
    assert all(p.grad.any() for n, p in net.named_parameters() if "weight" in n and p.dim() > 1)


@pytest.mark.parametrize("spectral_norm", [False, True])
@pytest.mark.parametrize("colors", [1, 3, 6])
@pytest.mark.parametrize(("cls", "size"), CASES)
def test_every_size_that_fits_is_judged_and_learnt_from(cls, size, colors, spectral_norm):
    net = make(cls, size, colors, spectral_norm=spectral_norm)
    logits = net(pictures(size, colors))
    assert logits.dim() == 4 if cls is PatchGANDiscriminator else logits.shape == (4, 1)
    check(net, logits)


@pytest.mark.parametrize("cls", SIZES)
def test_bf16(cls):
    size = SIZES[cls][-1]
    net, images = make(cls, size), pictures(size)
    plain = net(images)
    with torch.autocast("cpu", torch.bfloat16):
        logits = net(images)
    check(net, logits)
    torch.testing.assert_close(logits.float(), plain, rtol=0.1, atol=0.1)


@pytest.mark.parametrize("cls", SIZES)
def test_channels_last_gives_the_same_logits(cls):
    size = SIZES[cls][-1]
    net, images = make(cls, size, spectral_norm=False), pictures(size)
    expected = net(images)
    net = net.to(memory_format=torch.channels_last)
    logits = net(images.to(memory_format=torch.channels_last))
    torch.testing.assert_close(logits, expected, rtol=1e-4, atol=1e-4)
    check(net, logits)


@pytest.mark.parametrize("size", [0, -1])
@pytest.mark.parametrize("cls", WITH_A_HEAD)
def test_heads(cls, size):
    size = SIZES[cls][size]
    images, labels = pictures(size), torch.tensor([0, 1, 2, 0])
    plain = make(cls, size, classes=3, head="plain")
    assert not plain.uses_labels
    assert plain(images, labels).shape == (4, 1)
    projection = make(cls, size, classes=3, head="projection").eval()
    assert projection.uses_labels
    assert not torch.equal(projection(images, labels), projection(images, (labels + 1) % 3))
    auxiliary = make(cls, size, classes=3, head="auxiliary")
    verdict = auxiliary(images, labels)
    assert isinstance(verdict, Verdict)
    assert (verdict.logits.shape, verdict.classes.shape) == ((4, 1), (4, 3))


@pytest.mark.parametrize(
    "cls", [FCDiscriminator, ConvDiscriminator, ConditionalDiscriminator, GoodDiscriminator]
)
def test_a_square_may_be_written_with_both_sides(cls):
    one, other = make(cls, 16), make(cls, "16x16")
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))
