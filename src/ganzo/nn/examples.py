"""Pairs of input and target: what a translation is drawn from, in the place of noise."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from ganzo.errors import DataError
from ganzo.nn.batch import Batch
from ganzo.nn.pixels import to_float


class Examples:
    """Real pairs in a fixed order, as the players see them; held out where the data keep any.

    Each reading begins at the first pair, and leaves no trace in the stream of the data.

    Args:
        data: what the run learns from
        device: where the generator lies
        batch_size: pairs that a generator is asked for at once; none for as many as in a batch of the data
    """

    def __init__(self, data: Any, device: torch.device | str, batch_size: int | None = None):
        self.data, self.device = data, device
        self.batch_size: int = getattr(data, "batch_size", 64) if batch_size is None else batch_size
        self._reference: Any = None

    @property
    def reference(self) -> Any:
        """One pass of the data in a fixed order, or None where they offer none."""
        if self._reference is None and hasattr(self.data, "reference"):  # a third party's data may lack it
            self._reference = self.data.reference()
        return self._reference

    def once(self) -> Iterator[Batch]:
        """All pairs, batch by batch."""
        count = 0
        if self.reference is not None:
            self.reference.reset()
            while (batch := self.reference.next()) is not None:
                count += 1
                yield changed(as_pair(batch), self._seen)
        if not count:
            raise DataError(
                "Translations are drawn from examples in a fixed order, which the data's `reference()` gives;"
                f" `{type(self.data).__name__}` gives none. Add them, or choose other data."
            )

    def groups(self, n: int, around: bool = True) -> Iterator[Batch]:
        """The pairs in groups of n: after the last one comes the first again, or else the end, with a smaller group."""
        gathered: list[Batch] = []
        while True:
            for batch in self.once():
                gathered.append(batch)
                while sum(map(len, gathered)) >= n:
                    whole = joined(gathered)
                    yield changed(whole, lambda values: values[:n])
                    gathered = [changed(whole, lambda values: values[n:])] if len(whole) > n else []
            if not around:
                break
        if gathered:
            yield joined(gathered)

    def _seen(self, values: Tensor) -> Tensor:
        return values.to(self.device) if values.dtype == torch.int64 else to_float(values, self.device)


def as_pair(batch: Any) -> Batch:
    """A batch as a pair: an older one, `(input, target)`, has its target where labels stand."""
    batch = batch if isinstance(batch, Batch) else Batch(*batch)
    if batch.target is None and batch.label is not None and batch.label.dim() > 1:
        batch = Batch(batch.image, None, batch.label)
    if batch.target is None:
        raise DataError(
            "A translation needs a target for each input, and these data hand out none; choose `--data-format"
            " pair-of-images`, or the game `standard`."
        )
    return batch


def changed(batch: Batch, change: Any) -> Batch:
    """A batch with every field changed in the same way."""
    fields = (batch.image, batch.label, batch.target, batch.mask)
    return Batch(*(None if values is None else change(values) for values in fields))  # type: ignore[arg-type]


def joined(batches: list[Batch]) -> Batch:
    """Batches with the same fields as one."""
    if len(batches) == 1:
        return batches[0]
    columns = zip(*((b.image, b.label, b.target, b.mask) for b in batches), strict=True)
    return Batch(*(None if c[0] is None else torch.cat(c) for c in columns))  # type: ignore[arg-type]
