import pytest

from ganzo.errors import Parted
from ganzo.launch import Ranks
from ganzo.nn import ranks

LOST = "[gloo/transport/tcp/pair.cc:547] Connection closed by peer [127.0.0.1]:1234"
FULL = "DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes"


@pytest.fixture
def two(monkeypatch):
    monkeypatch.setattr(ranks, "_ranks", Ranks(1, 2))


def said(text, **how):
    with pytest.raises(RuntimeError) as caught, ranks.talk(**how):
        raise RuntimeError(text)
    return caught.value


@pytest.mark.parametrize("among_others", [False, True])
def test_a_lost_process_is_said_in_one_sentence(two, among_others):
    with pytest.raises(Parted, match=r"Another process of this run has ended.*so rank 1 of 2 ends too"):
        with ranks.talk(among_others=among_others):
            raise RuntimeError(LOST)


@pytest.mark.parametrize("among_others", [False, True])
def test_a_shortage_of_memory_stays_what_it_is(two, among_others):
    assert str(said(FULL, among_others=among_others)) == FULL


def test_what_else_goes_wrong_in_a_backward_stays_what_it_is(two):
    assert str(said("a tensor has the wrong shape", among_others=True)) == "a tensor has the wrong shape"


def test_a_shape_that_does_not_fit_is_no_lost_process(two):
    wrong = "skip connection: shapes 3 and 4 do not fit"
    assert str(said(wrong, among_others=True)) == wrong


def test_a_single_process_has_no_other_that_could_be_lost():
    assert str(said(LOST, among_others=True)) == LOST
