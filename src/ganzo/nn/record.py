"""The numbers of an epoch by name: losses, scores, and what stands beside them."""

import math

LOSSES = ("generator", "discriminator")
BESIDE = ("epoch", "seconds", "images_per_second")


def scores_of(numbers: dict[str, float]) -> dict[str, float]:
    """What metrics said: the numbers that are neither a loss nor a fact about the epoch."""
    return {name: value for name, value in numbers.items() if name not in LOSSES and not is_beside(name)}


def is_beside(name: str) -> bool:
    """Whether a number tells of the epoch itself: its number, time, speed, and each player's learning rate."""
    return name in BESIDE or name.startswith("lr_")


def finite(numbers: dict[str, float]) -> dict[str, float | None]:
    """Numbers as JSON knows them: nothing in place of one that is infinite, or none at all."""
    return {key: value if math.isfinite(value) else None for key, value in numbers.items()}
