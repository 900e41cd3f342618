"""A batch: what data hand out."""

import dataclasses
import functools
import inspect
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


def ask(network: Any, start: Any, labels: Tensor | None = None) -> Any:
    """What a network makes of its input; it is told the labels where there are any, and it takes them."""
    if labels is None or not takes_labels(getattr(network, "forward", network)):
        return network(start)
    return network(start, labels)


def takes_labels(function: Callable[..., Any]) -> bool:
    """Whether a function takes a second argument by its place."""
    return _takes_two(getattr(function, "__func__", function), hasattr(function, "__self__"))


@functools.lru_cache(maxsize=256)
def _takes_two(function: Callable[..., Any], bound: bool) -> bool:
    try:
        inspect.signature(function).bind(*(None,) * (2 + bound))
    except TypeError:
        return False
    except ValueError:  # a function without a signature
        return True
    return True


def each(change: Callable[[Tensor], Tensor], images: Any) -> Any:
    """Change images, or every scale of them where a generator makes a list, small to large."""
    return [change(scale) for scale in images] if isinstance(images, list | tuple) else change(images)
