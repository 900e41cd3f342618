"""The ledger counts what a reader can count: floats of 4 bytes in tensors of known shapes."""

import pytest
import torch
from torch import nn

from ganzo.data import Batch
from ganzo.ledger import HEAP, HEAP_BELOW, Block, Course, Ledger


def layer():
    torch.manual_seed(0)
    return nn.Linear(3, 5)


def test_what_an_operation_makes_is_a_block():
    images, linear = torch.zeros(7, 3), layer()
    with Ledger("cpu") as ledger:
        logits = linear(images)  # 7×5 floats
    assert [block.size for block in ledger.blocks] == [7 * 5 * 4]
    assert ledger.blocks[0].kept and ledger.blocks[0].died is None and ledger.living == 7 * 5 * 4
    del logits
    assert ledger.blocks[0].died == ledger.moment and ledger.living == 0


def test_what_a_graph_keeps_lives_until_it_is_gone_backward():
    with Ledger("cpu") as ledger:
        inner = torch.relu(layer()(torch.zeros(7, 3)))  # the relu's result is kept for its slope
        loss = inner.square().sum()
        del inner
        held = ledger.living
        loss.backward()
        del loss
    assert held >= 7 * 5 * 4
    assert ledger.living == 0 or {b.size for b in ledger.blocks if b.died is None} <= {3 * 5 * 4, 5 * 4}


def test_views_and_what_is_written_in_place_are_no_blocks():
    there = torch.zeros(4, 4)
    with Ledger("cpu") as ledger:
        there.view(16).add_(1)
        there[1:].t().mul_(2)
    assert ledger.blocks == []


def test_a_block_is_counted_once_through_all_its_views():
    with Ledger("cpu") as ledger:
        made = torch.zeros(6)
        views = [made.view(2, 3), made[2:], made.detach()]
        del made
    assert ledger.living == 6 * 4
    views.clear()
    assert ledger.living == 0


def test_what_was_there_before_is_known_when_it_is_marked():
    linear = layer()
    with Ledger("cpu") as ledger:
        ledger.mark("weights", [linear.weight, linear.bias, linear.weight.t()])
        ledger.mark("other", {"state": [None, torch.zeros(0)], "deep": ({"step": linear.bias},)})
    assert [(block.size, block.role) for block in ledger.blocks] == [(60, "weights"), (20, "other")]


def test_only_what_is_known_is_marked_where_nothing_is_new():
    before = torch.zeros(3)
    with Ledger("cpu") as ledger:
        made = torch.zeros(5)
        ledger.mark("data", Batch(before, made), new=False)
    assert [(block.size, block.role) for block in ledger.blocks] == [(20, "data")]


def test_another_device_is_not_counted():
    with Ledger("cuda") as ledger:
        torch.zeros(9)
    assert ledger.blocks == []


def test_gradients_do_not_count_as_kept():
    linear = layer()
    with Ledger("cpu") as ledger:
        linear(torch.zeros(7, 3)).sum().backward()
        ledger.mark("gradients", [linear.weight.grad, linear.bias.grad])
    found = {block.size: block.kept for block in ledger.blocks if block.role == "gradients"}
    assert found == {60: False, 20: False}


def ledger_of(*blocks, device="none", end=9):
    ledger = Ledger(device)
    ledger.blocks, ledger.moment = list(blocks), end
    return ledger


def test_the_peak_moves_from_one_moment_to_another():
    """At 3 a block that does not grow stands alone, at 5 one that takes ten bytes for each image."""

    def at(images):
        return ledger_of(
            Block(40, 0, False, None, "weights"), Block(100, 3, False, 4), Block(10 * images, 5, True, 6)
        )

    course = Course({2: at(2), 4: at(4)}, began=1)
    assert course.comparable
    assert course.peak(2) == {"weights": 40, "buffers": 100, "allocator": 0}
    assert course.peak(10)["buffers"] == 100
    assert course.peak(11) == {"weights": 40, "activations": 110, "allocator": 0}
    assert course.peak(100)["activations"] == 1000


def test_what_came_and_went_before_the_turn_is_no_peak():
    gone = [Block(9999, 0, True, 2), Block(8, 3, True, 4)]
    assert Course({2: ledger_of(*gone), 4: ledger_of(*gone)}, began=3).peak(4) == {
        "activations": 8,
        "allocator": 0,
    }


def test_a_block_still_lives_in_the_moment_that_ends_it():
    blocks = [Block(8, 1, True, 2), Block(8, 2, True, 3)]  # the second is made out of the first
    assert Course({2: ledger_of(*blocks), 4: ledger_of(*blocks)}, began=1).peak(4)["activations"] == 16


@pytest.mark.parametrize("other", [{}, {2: ledger_of(Block(3, 1, True))}])
def test_turns_that_cannot_be_compared_grow_with_all_that_does_not_last(other):
    larger = ledger_of(Block(40, 0, False, None, "weights"), Block(4, 0, False), Block(80, 2, True, 3))
    course = Course(other | {4: larger}, began=1)
    assert not course.comparable
    assert course.peak(4) == {"weights": 40, "other parts": 4, "activations": 80, "allocator": 0}
    assert course.peak(8) == {"weights": 40, "other parts": 4, "activations": 160, "allocator": 0}


def test_small_blocks_that_come_and_go_leave_holes_in_the_heap():
    blocks = [Block(HEAP_BELOW, 1, True), Block(1000, 1, True), Block(1000, 0, True, None, "weights")]
    course = Course({2: ledger_of(*blocks, device="cpu"), 4: ledger_of(*blocks, device="cpu")}, began=1)
    assert course.peak(4)["allocator"] == pytest.approx(1000 * (HEAP["cpu"] - 1))
