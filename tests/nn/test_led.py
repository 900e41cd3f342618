"""What one process does for all of them, or before the others."""

import time
from pathlib import Path

import pytest

from ganzo.errors import DataError, Followed, Parted
from ganzo.nn import ranks
from ganzo.nn.ranks import everyone, in_turn, led, most, muted, shared, store, writers
from ranked import Started


def outcome(function):
    """What a function gives, or the error that it raises."""
    try:
        return function()
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def failing(error):
    def function():
        raise error

    return function


def packed(fails=(), kind=DataError):
    """Whether this process found what another one left, and what became of it."""
    path, found = Path("packed"), []
    rank = ranks.ranks().rank

    def go():
        with in_turn():
            if rank in fails:
                raise kind(f"rank {rank} cannot")
            found.append(path.exists())
            path.write_text("done")
        return found[0]

    told = outcome(go)
    most(0)
    if rank == 0:
        path.unlink(missing_ok=True)
    most(0)
    return told, found


def exchanged():
    """All that is looked at, on this rank."""
    here = ranks.join()
    calls = []

    def number():
        calls.append(here.rank)
        return 7

    found = {
        "led": led(number),
        "failed": outcome(lambda: led(failing(DataError("there are none")))),
        "broken": outcome(lambda: led(failing(OSError("no disk")))),
        "writers": writers(lambda: [number()]),
        "calls": calls,
        "shared": shared(here.rank + 5),
        "most": most(here.rank),
        "everyone": everyone(str(here)),
        "in turn": packed(),
        "first fails": packed(fails=[0]),
        "second fails": packed(fails=[1]),
        "met": store() is not None,
    }
    with muted():
        found["muted"] = led(lambda: here.rank), most(here.rank), shared(here.rank), everyone(here.rank)
    ranks.leave()
    return found | {"left": (ranks.ranks().count, store(), led(lambda: 3))}


def test_two_processes():
    first, second = (left.result for left in Started(exchanged).left())
    same = {
        "led": 7,
        "shared": 5,
        "most": 1.0,
        "everyone": ["rank 0 of 2", "rank 1 of 2"],
        "met": True,
        "left": (1, None, 3),
    }
    for found in (first, second):
        assert {key: found[key] for key in same} == same
    assert (first["calls"], second["calls"]) == ([0, 0], [])
    assert (first["writers"], second["writers"]) == ([7], [])
    assert (first["failed"], second["failed"]) == ("DataError: there are none", "Followed: rank 0 says why")
    assert (first["broken"], second["broken"]) == ("OSError: no disk", "Followed: rank 0 says why")
    assert (first["in turn"], second["in turn"]) == ((False, [False]), (True, [True]))
    assert first["first fails"] == ("DataError: rank 0 cannot", [])
    assert second["first fails"] == ("Followed: the first process of a machine says why", [])
    assert first["second fails"] == (False, [False]) and second["second fails"] == (
        "DataError: rank 1 cannot",
        [],
    )
    assert [found["muted"] for found in (first, second)] == [(0, 0, 0, [0]), (1, 1, 1, [1])]


def two_machines():
    """As if each process were the first of its machine, and the second could not go on."""
    ranks.join()
    ranks._ranks = ranks.Ranks(ranks.ranks().rank, 2, 0, 1)
    return packed(fails=[1])


def test_a_machine_on_which_it_fails_ends_the_others():
    first, second = (left.result for left in Started(two_machines).left())
    assert first == ("Followed: the first process of another machine says why", [first[1][0]])
    assert second == ("DataError: rank 1 cannot", [])


def parted():
    """What rank 0 hears when the other one leaves in the middle."""
    if ranks.join().rank:
        return None
    began = time.monotonic()
    return outcome(lambda: [most(0) for _ in range(2)]), time.monotonic() - began


def test_a_process_that_leaves_is_missed_at_once():
    first, _ = Started(parted).left()
    said, seconds = first.result
    assert said.startswith(
        "Parted: Another process of this run has ended or cannot be reached, so rank 0 of 2 ends too; what was saved is"
        " untouched: go on with `--restore` ("
    )
    assert seconds < 60


def test_a_single_process_asks_nobody():
    assert led(lambda: 3) == 3 and writers(lambda: [1, 2]) == [1, 2] and shared(4) == 4
    with pytest.raises(OSError), in_turn():
        raise OSError
    assert issubclass(Parted, ValueError) and not issubclass(Followed, Parted)
