import random

import numpy as np
import torch

from ganzo.nn.random import Stream, load_random_state, random_state, restore_stream, seed_everything, stream
from small import equal


def test_a_part_has_a_stream_of_its_own():
    one, same, other, seed = stream(1, "noise"), stream(1, "noise"), stream(1, "data"), stream(2, "noise")
    drawn = [torch.rand(5, generator=g) for g in (one, same, other, seed)]
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2]) and not torch.equal(drawn[0], drawn[3])


def test_without_a_seed_each_stream_is_another():
    assert stream(None, "noise").initial_seed() != stream(None, "noise").initial_seed()


def test_streams_leave_torchs_own_numbers_alone():
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    torch.rand(7, generator=stream(0, "noise"))
    assert torch.equal(torch.rand(3), expected)


def test_a_stream_goes_on_from_its_state():
    one = Stream(stream(1, "random"))
    torch.rand(3, generator=one.generator)
    state = one.state_dict()
    expected = torch.rand(3, generator=one.generator)
    other = Stream(stream(9, "random"))
    other.load_state_dict(state)
    assert torch.equal(torch.rand(3, generator=other.generator), expected)


def test_a_state_from_another_kind_of_device_becomes_a_seed():
    state = torch.arange(16, dtype=torch.uint8)  # as long as a GPU's
    one, other = stream(1, "a"), stream(2, "b")
    restore_stream(one, state)
    restore_stream(other, state)
    assert torch.equal(torch.rand(3, generator=one), torch.rand(3, generator=other))


def draws():
    return random.random(), np.random.rand(3).tolist(), np.random.randn(1).tolist(), torch.rand(3)


def test_the_seed_covers_python_numpy_and_torch():
    seed_everything(5)
    expected = draws()
    seed_everything(5)
    assert equal(draws(), expected)
    seed_everything(2**40)  # larger than NumPy takes
    assert not equal(draws(), expected)


def test_all_generators_are_put_back_from_a_state_of_plain_values(tmp_path):
    seed_everything(5)
    draws()
    torch.save(random_state(), tmp_path / "state.pt")
    expected = draws()
    load_random_state(torch.load(tmp_path / "state.pt", weights_only=True))
    assert equal(draws(), expected)
