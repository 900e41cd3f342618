"""Random numbers for parts that draw per sample: from the run's generator, placed beside the tensor they are for.

Of several ranks each draws the numbers for the batch of all of them, and takes those of its own samples.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from ganzo.nn import ranks


def uniform(
    shape: Sequence[int], like: Tensor, random: torch.Generator | None = None, *, batch: int = 0
) -> Tensor:
    """Numbers from U(0, 1) with the device and type of `like`; without a generator, torch's own draws them.

    Args:
        shape: how many, for this rank's samples
        like: what they are for
        random: what draws them
        batch: the axis of the samples
    """
    device = like.device if random is None else random.device
    return _own(torch.rand(_whole(shape, batch), generator=random, device=device), batch).to(like)


def integers(
    low: int,
    high: int,
    shape: Sequence[int],
    like: Tensor,
    random: torch.Generator | None = None,
    *,
    batch: int = 0,
) -> Tensor:
    """Whole numbers from `low` to `high`, both included, int64 on the device of `like`; else as `uniform`."""
    device = like.device if random is None else random.device
    drawn = torch.randint(low, high + 1, _whole(shape, batch), generator=random, device=device)
    return _own(drawn, batch).to(like.device)


def per_sample(batch: Tensor) -> tuple[int, ...]:
    """The shape of one number per sample that broadcasts over a batch: (B, 1, 1, 1) for images."""
    return (len(batch), *(1,) * (batch.dim() - 1))


def _whole(shape: Sequence[int], batch: int) -> tuple[int, ...]:
    """The shape for the samples of all ranks."""
    return tuple(ranks.whole(size) if axis == batch else size for axis, size in enumerate(shape))


def _own(drawn: Tensor, batch: int) -> Tensor:
    """What belongs to this rank's samples."""
    part = ranks.share(drawn.shape[batch])
    return drawn if ranks.whole(1) == 1 else drawn.narrow(batch, part.start, part.stop - part.start)
