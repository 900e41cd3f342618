"""What holds for every generator: sizes, colours, precisions, memory formats."""

import pytest
import torch

from ganzo.generator.cgan import ConditionalGenerator
from ganzo.generator.conv import ConvGenerator
from ganzo.generator.fc import FCGenerator
from ganzo.generator.good import GoodGenerator
from ganzo.generator.sn_resnet import SNResNetGenerator
from ganzo.generator.u_gen import UGenerator
from ganzo.nn.side import sides

SIZES = {
    FCGenerator: (5, "7x3"),
    ConvGenerator: (8, 16, 32, 64, "64x32", "8x10", "32x96"),
    ConditionalGenerator: (8, 16, 32, "64x32", "8x10", "32x96"),
    GoodGenerator: (16, 48, 80, "48x16", "16x80"),
    UGenerator: (8, 24, 32, "24x8", "8x64"),
    SNResNetGenerator: (32, 64, "64x32", "32x40"),
}
SMALL = {FCGenerator: {"layers": 2}, UGenerator: {"layers": 2, "channels": 2, "dropout": None}}
CASES = [(cls, size) for cls, sizes_ in SIZES.items() for size in sizes_]


def make(cls, size, colors=3):
    torch.manual_seed(0)
    least = {ConvGenerator: 8, SNResNetGenerator: 4}.get(cls, 2)
    settings = SMALL.get(cls, {"channels": least})
    facts = {} if cls is UGenerator else {"state_size": 4}
    return cls(image_size=size, image_colors=colors, **facts, **settings)


def start(cls, size, colors=3):
    return torch.randn(4, colors, *sides(size)) if cls is UGenerator else torch.randn(4, 4)


def check(net, images, size, colors=3):
    assert images.shape == (4, colors, *sides(size))
    assert images.abs().max() <= 1
    net.zero_grad()
    images.float().square().mean().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in net.parameters())
    assert all(p.grad.any() for n, p in net.named_parameters() if n.endswith("weight") and p.dim() > 1)


@pytest.mark.parametrize("colors", [1, 3])
@pytest.mark.parametrize(("cls", "size"), CASES)
def test_every_size_that_fits_is_made_and_learnt_from(cls, size, colors):
    net = make(cls, size, colors)
    check(net, net(start(cls, size, colors)), size, colors)


@pytest.mark.parametrize("cls", SIZES)
def test_bf16(cls):
    # Not the tall one of `u-gen`: to a single column oneDNN's bf16 convolution is wrong on processors with AMX.
    size = {UGenerator: "24x8"}.get(cls, SIZES[cls][-1])
    net, noise = make(cls, size), start(cls, size)
    plain = net(noise)
    with torch.autocast("cpu", torch.bfloat16):
        images = net(noise)
    check(net, images, size)
    torch.testing.assert_close(images.float(), plain, rtol=0.1, atol=0.1)


@pytest.mark.parametrize("cls", SIZES)
def test_channels_last_gives_the_same_images(cls):
    size = SIZES[cls][-1]
    net, noise = make(cls, size), start(cls, size)
    expected = net(noise)
    net = net.to(memory_format=torch.channels_last)
    if noise.dim() == 4:
        noise = noise.contiguous(memory_format=torch.channels_last)
    images = net(noise)
    torch.testing.assert_close(images, expected, rtol=1e-4, atol=1e-4)
    check(net, images, size)


@pytest.mark.parametrize("cls", [FCGenerator, ConvGenerator, ConditionalGenerator, GoodGenerator])
def test_a_square_may_be_written_with_both_sides(cls):
    one, other = make(cls, 16), make(cls, "16x16")
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))
