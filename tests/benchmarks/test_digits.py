"""The record of the digits says which targets were met, for each seed and for the mean."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))  # the benchmarks lie beside the package, not in it

from benchmarks import digits

REAL = {"precision": 0.9, "recall": 0.9, "coverage": 0.9, "frechet": 1.0}


def row(seed, seconds, **changed):
    return REAL | {"right": 0.995, "worst": 0.98, "seed": seed, "seconds": seconds} | changed


@pytest.mark.parametrize(
    ("seconds", "changed", "missed"),
    [
        (30, {}, []),
        (30, {"right": 0.98, "frechet": 9.0}, ["right ≥ 0.99"]),
        (30, {"worst": 0.96}, ["worst ≥ 0.97"]),
        (60, {"right": 0.5}, []),
        (60, {"precision": 0.94}, ["|precision - real| ≤ 0.03"]),
        (60, {"recall": 0.86, "frechet": 1.26}, ["|recall - real| ≤ 0.03", "Fréchet ≤ 1.25 × real"]),
    ],
)
def test_what_is_asked_for_after_30_and_60_seconds(seconds, changed, missed):
    found = digits.met(row(0, seconds, **changed), REAL, seconds)
    assert [name for name, ok in found.items() if not ok] == missed


def test_each_seed_and_the_mean_are_judged():
    rows = [row(0, 30, right=0.98), row(1, 30, right=1.0), row(0, 60), row(1, 60)]
    found = digits.targets(rows, REAL)
    assert [(f["seconds"], f["seed"], all(f["met"].values())) for f in found] == [
        (30, 0, False), (30, 1, True), (30, "mean", True), (60, 0, True), (60, 1, True), (60, "mean", True),
    ]  # fmt: skip
    table = digits.table_of_targets({"targets": found})
    assert "| 30 | 0 | missed | met |" in table and "| 60 | mean | met | met | met | met |" in table
