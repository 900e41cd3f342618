"""The time of a run, and its signals."""

import signal

import pytest

from ganzo import clock
from ganzo.clock import Clock, between


@pytest.fixture
def several(monkeypatch):
    """A run of two processes: what this one reads on its clock, and what rank 0 tells; a list of the looks."""
    looks, times = [], iter(range(1000))

    def everyone(told):
        looks.append(told)
        return [("SIGTERM" if len(looks) == 5 else None, 100.0 + next(times)), told]

    monkeypatch.setattr(clock, "talking", lambda: True)
    monkeypatch.setattr(clock, "everyone", everyone)
    return looks


def test_a_single_process_looks_all_the_time(monkeypatch):
    times = iter([1.0, 2.0, 3.0, 4.0])
    monkeypatch.setattr(clock.time, "monotonic", lambda: next(times))
    alone = Clock()
    assert (alone.now, alone.now) == (2.0, 3.0)
    alone.look()  # it needs none
    assert alone.now == 4.0
    assert [alone.looks(turn) for turn in range(3)] == [True] * 3


def test_several_go_by_the_time_of_rank_0_when_they_last_looked(several):
    first = Clock()
    first.look()
    assert [first.now, first.now] == [100.0, 100.0]
    first.look()
    assert first.now == 101.0 and len(several) == 2


def test_several_look_after_as_many_turns_as_rank_0_plays_in_a_while(several):
    first = Clock(every=0.25)
    looked = [turn for turn in range(1, 200) if first.looks(turn)]
    # the second look, a turn and a second after the first, finds one turn a second: the least is a turn
    assert looked[:3] == [1, 2, 3] and len(several) == len(looked) == 199
    first = Clock(every=20.0)
    looked = [turn for turn in range(1, 1000) if first.looks(turn)]
    assert looked[:4] == [1, 2, 22, 422]  # 1 turn a second, then 20, then 400


def test_a_signal_of_any_process_is_heard_by_all_at_the_next_look(several):
    first = Clock()
    for _ in range(4):
        first.look()
    assert first.stop is None
    first.look()
    assert first.stop == "SIGTERM"
    first.look()
    assert first.stop == "SIGTERM"


def test_a_signal_is_told_and_not_heeded_before_the_others_know(several):
    before = signal.getsignal(signal.SIGTERM)
    first = Clock()
    first.listen()
    try:
        signal.raise_signal(signal.SIGTERM)
        assert first.stop is None
        first.look()
        assert several[-1][0] == "SIGTERM" and first.stop == "SIGTERM"
        with pytest.raises(KeyboardInterrupt):  # asked twice
            signal.raise_signal(signal.SIGTERM)
    finally:
        first.close()
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.parametrize(
    "asked, took, seconds", [(None, 0.1, 30.0), (None, 2.0, 120.0), (5.0, 2.0, 5.0), (0.0, 2.0, 0.0)]
)
def test_checkpoints_lie_as_far_apart_as_was_asked_or_as_saving_them_takes_little(asked, took, seconds):
    assert between(asked, took) == seconds
