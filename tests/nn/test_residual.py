import pytest
import torch

from ganzo.nn.residual import DownBlock, EvenUpBlock, PlainBlock, UpBlock, twice


def test_twice_repeats_every_pixel():
    assert twice(torch.tensor([[[[1.0, 2.0]]]])).tolist() == [[[[1, 1, 2, 2], [1, 1, 2, 2]]]]


def test_up_block_doubles_the_side():
    assert UpBlock(4, 2)(torch.randn(3, 4, 5, 5)).shape == (3, 2, 10, 10)


def test_shortcut_is_what_remains_without_the_main_path():
    block = UpBlock(2, 3)
    torch.nn.init.zeros_(block.conv2.weight)
    x = torch.randn(2, 2, 4, 4)
    torch.testing.assert_close(block(x), block.shortcut(twice(x)))  # doubling first, as in the paper


@pytest.mark.parametrize("normalize", [True, False])
def test_down_block_halves_the_side(normalize):
    assert DownBlock(2, 4, (6, 6), normalize)(torch.randn(3, 2, 6, 6)).shape == (3, 4, 3, 3)


def test_down_block_without_a_main_path_is_the_mean_of_four_pixels():
    block = DownBlock(1, 1, (2, 2))
    torch.nn.init.zeros_(block.conv2.weight)
    torch.nn.init.ones_(block.shortcut.weight)
    assert block(torch.tensor([[[[1.0, 2.0], [3.0, 6.0]]]])).item() == 3.0


def test_down_block_knows_both_sides():
    assert DownBlock(2, 4, (6, 10))(torch.randn(3, 2, 6, 10)).shape == (3, 4, 3, 5)


def test_even_up_block_without_a_main_path_only_repeats():
    block = EvenUpBlock(2)
    torch.nn.init.zeros_(block.conv2.weight)
    x = torch.randn(2, 2, 4, 6)
    assert torch.equal(block(x), twice(x))


def test_plain_block_without_a_main_path_is_its_shortcut():
    x = torch.randn(2, 3, 4, 6)
    same, narrow, halved = PlainBlock(3, 3), PlainBlock(3, 2), PlainBlock(3, 3, halve=True)
    for block in (same, narrow, halved):
        torch.nn.init.zeros_(block.conv2.weight)
    assert torch.equal(same(x), x)
    assert torch.equal(narrow(x), narrow.shortcut(x))
    mean = torch.nn.functional.avg_pool2d
    torch.testing.assert_close(halved(x), mean(halved.shortcut(x), 2))  # the order makes no difference


def test_plain_block_bends_what_comes_unless_told():
    x = -torch.rand(2, 3, 4, 4)
    bent, straight = PlainBlock(3, 3), PlainBlock(3, 3, bend=False)
    assert torch.equal(bent(x), x)  # nothing passes a ReLU, and biases start at zero
    assert not torch.equal(straight(x), x)
