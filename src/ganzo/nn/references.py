"""The real examples that scores are measured against, and those that show what the scores of real images are."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from ganzo.nn.batch import Batch
from ganzo.nn.examples import as_pair
from ganzo.nn.pixels import to_float
from ganzo.nn.side import sides

Pictures = Iterator[tuple[Tensor, Tensor | None]]  # images B×C×H×W in [-1, 1], and their classes


class References:
    """Real examples in a fixed order, unchanged; reading them leaves no trace in the stream of the data.

    Args:
        data: what the run learns from
        device: where the images go
        batch_size: images that are handed out at once
        translates: whether the targets of pairs are what is compared

    Attributes:
        split: `held out`, or `training` where the data hold nothing back
    """

    def __init__(self, data: Any, device: torch.device, batch_size: int = 512, translates: bool = False):
        self.data, self.device, self.size, self.translates = data, device, batch_size, translates
        held = getattr(data, "held_out", lambda: None)()
        self.split = "training" if held is None else "held out"
        self.held = held if held is not None else getattr(data, "reference", lambda: None)()

    @property
    def content(self) -> str | None:
        """A key of the examples that scores are measured against."""
        return getattr(self.held, "fingerprint", lambda: None)()

    @property
    def training_content(self) -> str | None:
        """A key of the examples that the run learns from."""
        return getattr(self.data, "fingerprint", lambda: None)()

    def pictures(self, index: Tensor | None = None) -> Pictures:
        """The examples that scores are measured against: all, or those with some numbers."""
        if self.held is None:
            return
        examples = stored(self.held)
        if examples is not None:
            yield from self._by_index(examples, index)
            return
        assert index is None, "only stored examples have numbers"
        if hasattr(self.held, "reset"):
            self.held.reset()
        while (batch := self.held.next()) is not None:
            yield self._seen(batch)

    def training(self, index: Tensor | None = None) -> Pictures:
        """The examples that the run learns from; those above where the data do not lie in one place."""
        examples = stored(self.data)
        if examples is None:
            return self.pictures()
        return self._by_index(examples, index)

    def against(self, count: int) -> tuple[Tensor | None, Tensor | None] | None:
        """Numbers of real examples for a score of real against real; None where they cannot be taken one by one.

        Where a part is held out: all of it (None), and so many random training examples. Else two disjoint random
        halves.
        """
        examples, draw = stored(self.data), torch.Generator().manual_seed(0)
        if examples is None or stored(self.held) is None:
            return None
        order = torch.randperm(len(examples), generator=draw)
        if self.split == "held out":
            return None, order[:count].sort().values
        half = len(order) // 2
        return order[:half].sort().values, order[half:][:count].sort().values

    def _by_index(self, examples: Batch, index: Tensor | None) -> Pictures:
        index = torch.arange(len(examples)) if index is None else index
        for part in index.split(self.size):
            where = part.to(examples.image.device)
            fields = (examples.image, examples.label, examples.target)
            yield self._seen(Batch(*(None if f is None else f[where] for f in fields)))  # type: ignore[arg-type]

    def _seen(self, batch: Any) -> tuple[Tensor, Tensor | None]:
        if self.translates:
            pair = as_pair(batch)
            assert pair.target is not None, "a pair has a target"
            return to_float(middle(pair.target, self.data), self.device), pair.label
        image, label = batch.image, getattr(batch, "label", None)
        return to_float(middle(image, self.data), self.device), label


def stored(data: Any) -> Batch | None:
    """All examples, where data hold them in one place."""
    examples = getattr(data, "examples", None)
    return examples if isinstance(examples, Batch) else None


def middle(images: Tensor, data: Any) -> Tensor:
    """The windows in the middle, of images that are stored larger than players see them."""
    wanted = sides(getattr(data, "image_size", min(images.shape[2:])))
    top, left = ((have - want) // 2 for have, want in zip(images.shape[2:], wanted, strict=True))
    if top <= 0 and left <= 0:
        return images
    return images[:, :, top : top + wanted[0], left : left + wanted[1]]
