"""The numbers of an epoch by name: losses, scores, and what stands beside them."""

import math

LOSSES = ("generator", "discriminator")
BESIDE = ("epoch", "seconds", "images_per_second", "lr_g", "lr_d")


def scores_of(numbers: dict[str, float]) -> dict[str, float]:
    """What metrics said: the numbers that are neither a loss nor a fact about the epoch."""
    return {name: value for name, value in numbers.items() if name not in (*LOSSES, *BESIDE)}


def finite(numbers: dict[str, float]) -> dict[str, float | None]:
    """Numbers as JSON knows them: nothing in place of one that is infinite, or none at all."""
    return {key: value if math.isfinite(value) else None for key, value in numbers.items()}
