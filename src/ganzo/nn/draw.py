"""Random numbers for parts that draw per sample: from the run's generator, placed beside the tensor they are for."""

from collections.abc import Sequence

import torch
from torch import Tensor


def uniform(shape: Sequence[int], like: Tensor, random: torch.Generator | None = None) -> Tensor:
    """Numbers from U(0, 1) with the device and type of `like`; without a generator, torch's own draws them."""
    device = like.device if random is None else random.device
    return torch.rand(tuple(shape), generator=random, device=device).to(like)


def integers(
    low: int, high: int, shape: Sequence[int], like: Tensor, random: torch.Generator | None = None
) -> Tensor:
    """Whole numbers from `low` to `high`, both included, int64 on the device of `like`."""
    device = like.device if random is None else random.device
    return torch.randint(low, high + 1, tuple(shape), generator=random, device=device).to(like.device)


def per_sample(batch: Tensor) -> tuple[int, ...]:
    """The shape of one number per sample that broadcasts over a batch: (B, 1, 1, 1) for images."""
    return (len(batch), *(1,) * (batch.dim() - 1))
