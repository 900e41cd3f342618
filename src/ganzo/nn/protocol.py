"""How a score was measured: two scores are compared only where this is the same."""

import functools
import sys
from collections.abc import Collection
from typing import Any

from ganzo.nn.collected import Collected
from ganzo.nn.moments import Moments

VERSION = 1
BESIDE = ("seed", "seeds", "real_against_real")  # what may differ between scores that are compared


def low_rank(needs: Collection[str], real: Collected, fake: Collected) -> tuple[int, int] | None:
    """The fewest images behind a covariance that is needed, and the size of the features, where they are too few."""
    found: list[Moments] = []
    for collected in (real, fake):
        found += [collected.moments] if "moments" in needs else []
        found += collected.by_class.values() if "class-moments" in needs else []
    low = [moments for moments in found if moments.rank_deficient and moments.count]
    return (min(moments.count for moments in low), len(low[0].mean)) if low else None


def note_rank(name: str, needs: Collection[str], real: Collected, fake: Collected) -> dict[str, bool]:
    """What a protocol says where there are too few images for a covariance of full rank; it is also said aloud."""
    low = low_rank(needs, real, fake)
    if low is None:
        return {}
    warn_of_rank(name, *low)
    return {"rank_deficient": True}


@functools.cache
def warn_of_rank(name: str, count: int, size: int) -> None:
    """Say once that there are too few images for the size of the features."""
    text = f"`{name}` from {count} images and {size} features is biased, since a covariance of full rank needs more"
    print(f"ganzo: warning: {text} images than features; its protocol says so.", file=sys.stderr, flush=True)


def short(key: str) -> str:
    """A score's name without what stands for its mean or deviation."""
    return key.removesuffix("_mean").removesuffix("_std")


def protocol_of(told: Any, score: str) -> dict[str, Any]:
    """How a score was measured: its own protocol where there is one by name, else what is told of all; or nothing."""
    if not isinstance(told, dict):
        return {"protocol": told} if told else {}
    own = told.get(short(score), {})
    return own if all(isinstance(each, dict) for each in told.values()) else told


def differences(one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    """In what two protocols differ, but for seeds: `fake: 1000 and 5000`; in nothing where scores are compared."""
    keys = [key for key in dict.fromkeys((*one, *other)) if key not in BESIDE]
    return [f"{key}: {one.get(key)} and {other.get(key)}" for key in keys if one.get(key) != other.get(key)]
