"""A batch: what data hand out."""

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

from torch import Tensor


@dataclasses.dataclass(frozen=True)
class Batch:
    """Real examples. It unpacks like the old pair: `image, label`, or `image, target` where there is a target.

    Args:
        image: uint8 as stored or float32 in [-1, 1], B×C×H×W
        label: int64, B
        target: the wanted output of a translation, B×C×H×W
        mask: what of an image counts, B×1×H×W
    """

    image: Tensor
    label: Tensor | None = None
    target: Tensor | None = None
    mask: Tensor | None = None

    def __iter__(self) -> Iterator[Tensor | None]:
        return iter((self.image, self.label if self.target is None else self.target))

    def __len__(self) -> int:
        return len(self.image)


def each(change: Callable[[Tensor], Tensor], images: Any) -> Any:
    """Change images, or every scale of them where a generator makes a list, small to large."""
    return [change(scale) for scale in images] if isinstance(images, list | tuple) else change(images)
