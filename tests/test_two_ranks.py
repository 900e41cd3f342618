"""Two real processes train one run: half of every batch each gives what one process makes of the whole."""

import pytest
import torch

from ganzo.nn.random import stream
from small import SMALL
from two_ranks import CASES, TAKEN_UP, distance, played, taken_up, together

TOLERANCE = (
    1e-5  # of weights that move by 7e-3 to 2; the largest difference that was seen is 3.3e-6, for `wgan-gp`
)


@pytest.mark.parametrize("name", CASES)
def test_two_ranks_with_half_a_batch_each_are_one_process_with_the_whole(name):
    tensors, numbers = played(CASES[name])
    found = together().of(0, name)
    assert found.keys() == tensors.keys()
    apart = {key: distance(found[key], value) for key, value in tensors.items()}
    assert max(apart.values()) < TOLERANCE, {key: value for key, value in apart.items() if value >= TOLERANCE}
    assert {key: together().numbers[0][name][key] for key in numbers} == pytest.approx(numbers, abs=TOLERANCE)
    assert numbers["moved"] > 500 * TOLERANCE  # what stands still is always equal


@pytest.mark.parametrize("name", [*CASES, "loose"])
def test_ranks_end_with_the_same_weights_statistics_averages_and_numbers(name):
    one, other = (together().of(rank, name) for rank in range(2))
    assert one.keys() == other.keys()
    assert [key for key in one if not torch.equal(one[key], other[key])] == []
    told, said = ({**together().numbers[rank][name], "seed": None} for rank in range(2))
    assert told == said


def test_dropout_differs_from_rank_to_rank():
    seeds = [numbers["loose"]["seed"] for numbers in together().numbers]
    assert seeds == [SMALL["seed"], stream(SMALL["seed"], "rank 1").initial_seed()]


def test_ranks_that_take_up_what_rank_0_saved_end_bit_for_bit_with_the_same_numbers():
    for numbers in together().numbers:
        assert numbers["taken up"] == {key: numbers[TAKEN_UP][key] for key in numbers["taken up"]}


def test_one_process_takes_up_what_two_have_saved():
    _, whole = played(CASES[TAKEN_UP])
    states, _ = together().left
    assert all(total.shape == (2,) for total in states["game"]["totals"].values())
    numbers = taken_up(CASES[TAKEN_UP], *together().left)
    assert numbers == pytest.approx({key: whole[key] for key in numbers}, abs=TOLERANCE)
