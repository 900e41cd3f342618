"""Changes that training data go through at random: mirroring, and windows that move."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from ganzo.nn.batch import Batch
from ganzo.nn.random import restore_stream, stream

MARGIN = 8  # what windows are taken from is an eighth larger than they are


class Vary:
    """Mirrors examples and takes windows out of them; all pictures of an example are changed alike.

    All changes of a pass are drawn at its start, and lie where the examples do: a batch then is two indexings.

    Args:
        seed: seed of the changes; none for fresh ones
        flip: whether each example is mirrored left to right, with a probability of one half
        window: height and width of the window that is taken at a random place; none to take the whole
    """

    def __init__(self, seed: int | None, *, flip: bool = False, window: tuple[int, int] | None = None):
        self.flip, self.window = flip, window
        self.generator = stream(seed, "vary")  # on the CPU, so that every device sees the same changes

    def reset(self, count: int, sides: Sequence[int], device: torch.device) -> None:
        """Draw the changes of a pass over examples of a height and width."""
        self.start = self.generator.get_state()
        height, width = self.window or sides
        spare = (sides[0] - height, sides[1] - width)
        self.top = self.left = self.mirrored = torch.empty(0)  # what is old goes before what is new comes
        places = [torch.randint(s + 1, (count,), generator=self.generator, dtype=torch.int32) for s in spare]
        if self.window is not None:
            self.top, self.left = (place.to(device) for place in places)
        del places
        self.mirrored = (torch.rand(count, generator=self.generator) < 0.5).to(device)

    def columns(self, taken: list[Tensor | None], position: int) -> list[Tensor | None]:
        """Change the fields of a batch whose first example has a position in the pass; labels stay as they are."""
        return [column if column is None or column.dim() < 4 else self(column, position) for column in taken]

    def __call__(self, images: Tensor, position: int) -> Tensor:
        """Change images B×C×H×W."""
        part = slice(position, position + len(images))
        if self.window is not None:
            height, width = self.window
            every = torch.arange(len(images), device=images.device)
            windows = images.unfold(2, height, 1).unfold(3, width, 1)  # a view, B×C×tops×lefts×h×w
            images = windows[every, :, self.top[part].long(), self.left[part].long()]
        if self.flip:
            images = torch.where(self.mirrored[part, None, None, None], images.flip(3), images)
        return images

    def state_dict(self) -> dict[str, Any]:
        """The stream as it stood at the start of this pass."""
        return {"vary": self.start}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Set the stream back; a state that knows no changes leaves it alone."""
        if "vary" in state:
            restore_stream(self.generator, state["vary"])


def larger(side: int) -> int:
    """The side that windows of a side are taken from."""
    return side + -(-side // MARGIN)


def centred(examples: Batch, window: tuple[int, int] | None) -> Batch:
    """The windows in the middle, for examples that must not change; without a window the examples themselves."""
    if window is None:
        return examples
    height, width = window
    top, left = ((have - want) // 2 for have, want in zip(examples.image.shape[2:], window, strict=True))
    inner = (slice(None), slice(None), slice(top, top + height), slice(left, left + width))
    fields = (examples.image, examples.target, examples.mask)
    image, target, mask = (None if field is None else field[inner] for field in fields)
    assert image is not None, "a batch always has images"
    return Batch(image, examples.label, target, mask)
