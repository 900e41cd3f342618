from argparse import Namespace

import pytest
import torch

from ganzo.errors import OptionError
from ganzo.generator import Generator
from ganzo.generator.u_gen import LastingDropout, UGenerator


def conv(inputs, outputs):
    return inputs * outputs * 16 + outputs


@pytest.mark.parametrize(("layers", "d"), [(4, 8), (1, 3), (5, 3)])
def test_as_many_parameters_as_the_layer_table_has(layers, d):
    expected = conv(3, d) + conv(2 * d, 3)
    for i in range(layers):
        norm = 2 * (2 ** (i + 1) * d) if i < layers - 1 else 0
        expected += conv(2**i * d, 2 ** (i + 1) * d) + norm
    for i in range(layers, 0, -1):
        expected += conv(2 ** (i + 1) * d, 2 ** (i - 1) * d) + 2 * (2 ** (i - 1) * d)
    net = UGenerator(layers=layers, channels=d)
    assert sum(p.numel() for p in net.parameters()) == expected


def test_the_old_library_example_builds():
    net = UGenerator(Namespace(generator_layers=5, generator_channels=3))
    assert net(torch.randn(2, 3, 64, 64)).shape == (2, 3, 64, 64)


def test_input_and_output_have_colours_of_their_own():
    net = UGenerator(layers=2, channels=2, image_size=16, image_colors=3, input_colors=1)
    images = net(100 * torch.randn(2, 1, 16, 16))
    assert images.shape == (2, 3, 16, 16)
    assert images.abs().max() <= 1


def test_one_pixel_in_the_middle_is_enough():
    assert UGenerator(layers=4, channels=2, image_size=32)(torch.randn(2, 3, 32, 32)).isfinite().all()


def test_the_dropout_is_the_noise_also_in_evaluation_mode():
    images = torch.randn(2, 3, 32, 32)
    net = UGenerator(image_size=32).eval()
    assert not torch.equal(net(images), net(images))
    torch.manual_seed(0)
    one = net(images)
    torch.manual_seed(0)
    assert torch.equal(net(images), one)
    plain = UGenerator(image_size=32, dropout=None)
    assert torch.equal(plain(images), plain(images))


@pytest.mark.parametrize(("layers", "count"), [(1, 1), (2, 2), (3, 3), (4, 3)])
def test_dropout_stands_in_the_three_innermost_layers_of_the_way_up(layers, count):
    net = UGenerator(layers=layers, dropout=0.3)
    noisy = [[m.p for m in layer if isinstance(m, LastingDropout)] for layer in net.up]
    assert noisy == [[0.3]] * count + [[]] * (layers - count)
    assert sum(isinstance(m, LastingDropout) for m in net.modules()) == count


def test_each_level_is_seen_on_the_way_up():
    """Without what comes from below, every way down still reaches the output by its skip."""
    net = UGenerator(layers=3, channels=2, image_size=16, dropout=None).eval()
    images = torch.randn(1, 3, 16, 16)
    before = net(images)
    with torch.no_grad():
        net.up[0][1].weight.zero_()  # the innermost layer of the way up
    assert not torch.allclose(net(images), before)
    net(images).sum().backward()
    assert net.down[1][1].weight.grad.any()


@pytest.mark.parametrize(
    ("size", "layers", "sentence"),
    [
        (48, 4, r"`image_size` must be a multiple of 32 .*`layers` is 4; got 48\. Try 64, or `layers` 3\."),
        (16, 4, r"multiple of 32 .*got 16\. Try 32, or `layers` 3\."),
        (65, 4, r"multiple of 32 .*got 65\. Try 64\."),
        ("96x60", 4, r"Each side of `image_size` must be .*got 96x60\. Try 96x64, or `layers` 1\."),
        (64, 10**6, r"`layers` must be at most 15 .*got 1000000\. Try 5\."),
    ],
)
def test_a_size_that_cannot_be_halved_is_refused_with_what_can(size, layers, sentence):
    with pytest.raises(OptionError, match=sentence):
        UGenerator(image_size=size, layers=layers)


def test_what_the_refusals_offer_works():
    for size, layers in ((48, 3), (16, 3), (64, 5), ("96x60", 1), ("96x64", 4)):
        UGenerator(image_size=size, layers=layers, channels=1)


def test_both_doors_give_equal_weights():
    torch.manual_seed(0)
    one = UGenerator(channels=2, layers=2, image_size=16, input_colors=1)
    torch.manual_seed(0)
    other = UGenerator(Namespace(generator_channels=2, generator_layers=2, image_size=16, input_colors=1))
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))


@pytest.mark.parametrize("way", ["concat", "batch-norm"])
def test_labels_can_be_let_in(way):
    options = Namespace(
        generator="u-gen",
        generator_layers=2,
        generator_channels=2,
        generator_dropout=None,
        generator_conditional=way,
        classes=3,
        image_size=16,
        image_colors=3,
        input_colors=1,
    )
    net = Generator.from_options(options)
    images, labels = torch.randn(1, 1, 16, 16).expand(3, -1, -1, -1), torch.arange(3)
    assert net.translates and net.uses_labels
    made = net(images, labels)
    assert made.shape == (3, 3, 16, 16)
    made.square().sum().backward()
    assert all(p.grad is not None for p in net.parameters())
