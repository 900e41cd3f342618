from argparse import Namespace

import pytest
import torch

from ganzo.errors import OptionError
from ganzo.generator import Generator
from ganzo.generator.sn_resnet import SNResNetGenerator


def test_as_many_parameters_as_the_older_system():
    net = SNResNetGenerator(image_size=32, state_size=256)
    assert sum(p.numel() for p in net.parameters()) == 1_417_091


@pytest.mark.parametrize(("size", "blocks"), [(32, 3), (64, 4), (128, 5)])
def test_each_doubling_is_one_block_of_the_same_width(size, blocks):
    w = 4  # linear, blocks of two norms and two convolutions, norm, convolution
    count = (8 * 16 * w + 16 * w) + blocks * 2 * (2 * w + 9 * w * w + w) + 2 * w + (9 * w * 3 + 3)
    net = SNResNetGenerator(image_size=size, channels=w, state_size=8)
    assert sum(p.numel() for p in net.parameters()) == count
    assert net(torch.randn(2, 8)).shape == (2, 3, size, size)


def test_first_weights_are_xaviers():
    net = SNResNetGenerator(image_size=32, channels=32)
    bound = (6 / (9 * 32 + 9 * 32)) ** 0.5
    assert net.blocks[0].conv1.weight.abs().max().item() == pytest.approx(bound, rel=0.01)
    assert not net.first.bias.any()


@pytest.mark.parametrize(("size", "better"), [(16, 32), (48, 64), ("80x48", "80x64")])
def test_another_size_is_refused_with_one_that_works(size, better):
    with pytest.raises(
        OptionError, match=rf"a power of two, 32 or more.*`sn-resnet`; got {size}\. Try {better}\."
    ):
        SNResNetGenerator(image_size=size)
    SNResNetGenerator(image_size=better, channels=1)


def test_labels_can_enter_by_its_batch_norms():
    options = Namespace(generator="sn-resnet", generator_channels=4, generator_conditional="batch-norm")
    options.classes, options.image_size, options.image_colors, options.state_size = 3, 32, 1, 4
    net = Generator.from_options(options)
    assert net.uses_labels
    assert len(net.norms) == 3 * 2 + 1
    assert net(torch.randn(3, 4), torch.arange(3)).shape == (3, 1, 32, 32)
