"""Medians and their intervals, from numbers that a reader can check."""

import pytest
from benchmarks.ratios import interval, ratio, shown


def covered(low: int, count: int) -> float:
    """How often the median lies between the low-th smallest and largest of some values, counted out."""
    below = sum(1 for heads in range(2**count) if bin(heads).count("1") < low)
    return 1 - 2 * below / 2**count


@pytest.mark.parametrize("count, rank", [(6, 1), (8, 1), (9, 2), (10, 2), (12, 3), (15, 4), (17, 5)])
def test_the_interval_lies_between_two_of_the_values(count, rank):
    values = list(range(count, 0, -1))
    found = interval(values)
    assert (found.low, found.high) == (rank, count + 1 - rank)
    assert found.coverage == pytest.approx(covered(rank, count)) and found.coverage >= 0.95
    assert covered(rank + 1, count) < 0.95, "a narrower one would do"


@pytest.mark.parametrize("values", [[3.0], [2.0, 1.0], [5.0, 1.0, 2.0, 4.0, 3.0]])
def test_of_few_values_the_whole_range_is_given_with_what_it_covers(values):
    found = interval(values)
    assert (found.low, found.high) == (min(values), max(values))
    assert found.coverage == pytest.approx(1 - 2 / 2 ** len(values))


def test_a_ratio_is_the_median_of_windows_side_by_side():
    found = ratio([2.0, 3.0, 8.0], [1.0, 2.0, 2.0])
    assert (found["median"], found["low"], found["high"], found["windows"]) == (2.0, 1.5, 4.0, 3)
    assert found["best"] == 2.0  # 2.0 / 1.0
    assert shown(found) == "2.000 (1.500 – 4.000)" and shown(None) == ""
