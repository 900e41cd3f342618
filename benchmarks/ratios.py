"""Medians of paired ratios, and how far they can be trusted."""

import statistics
from collections.abc import Iterable, Sequence
from math import comb
from typing import Any, NamedTuple

CONFIDENCE = 0.95


class Interval(NamedTuple):
    """Where the median of all windows that could be measured lies: between two of those that were.

    Args:
        low: lower end
        high: upper end
        coverage: how often such an interval holds the median
    """

    low: float
    high: float
    coverage: float


def interval(values: Sequence[float], confidence: float = CONFIDENCE) -> Interval:
    """The confidence interval of the median by order statistics, whatever the values' distribution.

    Each value lies below the median with a chance of one half, so that between the k-th smallest and the k-th largest
    of n it lies with 1 - 2 P(Binomial(n, 1/2) < k). The narrowest interval that covers enough is taken; of fewer than
    six values none does, and their whole range is given with what it covers.
    """
    ordered = sorted(values)
    count, rank, below = len(ordered), 1, 1 / 2 ** len(ordered)
    while rank + 1 <= (count + 1) // 2:
        wider = below + comb(count, rank) / 2**count  # P(Binomial < rank + 1)
        if 1 - 2 * wider < confidence:
            break
        rank, below = rank + 1, wider
    return Interval(ordered[rank - 1], ordered[-rank], 1 - 2 * below)


def ratio(slower: Sequence[float], quicker: Sequence[float]) -> dict[str, Any]:
    """How many times quicker one side is than another, from the seconds of both, window beside window."""
    values = [a / b for a, b in zip(slower, quicker, strict=True)]
    low, high, coverage = interval(values)
    return {
        "median": statistics.median(values),
        "low": low,
        "high": high,
        "coverage": round(coverage, 4),
        "windows": len(values),
        "best": min(slower) / min(quicker),
    }


def covered(ratios: Iterable[dict[str, Any]]) -> str:
    """What the brackets behind ratios hold, for the words under a table."""
    least = min((found["coverage"] for found in ratios), default=0.0)
    return f"the median, and in brackets the interval that holds it with at least {least:.1%}"


def shown(found: dict[str, Any] | None) -> str:
    """A ratio with its interval, for a table."""
    return "" if found is None else f"{found['median']:.3f} ({found['low']:.3f} – {found['high']:.3f})"
