"""What parts hand out for the batch of all ranks, of which each rank takes its share."""

from typing import Any

from torch import Tensor

from ganzo.errors import OptionError
from ganzo.nn import ranks
from ganzo.nn.batch import Batch
from ganzo.nn.examples import changed


class SharedData:
    """Data that know nothing of ranks: every rank reads the whole batch and keeps its own rows.

    A pass ends for all ranks when it ends for one, and a batch is as large as the smallest that any of them has read;
    rows that are left over, fewer than there are ranks, are dropped.

    Args:
        data: a third party's; nothing but `next` is changed
    """

    def __init__(self, data: Any):
        self.data = data

    def next(self) -> Batch | None:
        """This rank's rows of the next batch, or None at the end of the pass."""
        batch = self.data.next()
        if batch is not None and not isinstance(batch, Batch):
            batch = Batch(*batch)
        rows = -int(ranks.most(-len(batch) if batch is not None else 0))
        part = ranks.share(rows)
        if part.start == part.stop:
            return None
        assert batch is not None, "it is not at its end"
        return changed(batch, lambda values: values[part])

    def __getattr__(self, name: str) -> Any:
        return getattr(self.data, name)


class SharedNoise:
    """Noise for this rank's rows: every rank draws that of the whole batch, from the same stream.

    Args:
        noise: any noise; nothing but `next` is changed. One whose `uses_labels` is false is not told the labels of the
            others, which would have to be asked for
    """

    def __init__(self, noise: Any):
        self.noise = noise
        self.looks = getattr(noise, "uses_labels", True)

    def next(self, n: int | None = None, labels: Tensor | None = None) -> Any:
        """Noise for n rows of this rank, with labels for their classes; for its share of a batch where none is told."""
        labels = ranks.gathered(labels) if labels is not None and self.looks else None
        drawn = self.noise.next(n if n is None else ranks.whole(n), labels)
        return drawn[ranks.share(len(drawn))]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.noise, name)


def check_share(batch_size: Any) -> None:
    """Refuse a batch of which the ranks cannot have equal shares."""
    count = ranks.whole(1)
    if not isinstance(batch_size, int) or batch_size % count == 0:
        return
    less = batch_size - batch_size % count
    fits = f"{less} or {less + count}" if less else str(count)
    raise OptionError(
        f"`--batch-size` is that of all {count} processes together, each of which takes an equal share, so it must be a"
        f" multiple of {count}; got {batch_size}. Choose {fits}."
    )


def shared(data: Any, noise: Any) -> tuple[Any, Any]:
    """Data and noise of which each rank takes its share; themselves where there is one rank."""
    if ranks.whole(1) == 1:
        return data, noise
    check_share(data.batch_size)
    return data if getattr(data, "shares", False) else SharedData(data), SharedNoise(noise)
