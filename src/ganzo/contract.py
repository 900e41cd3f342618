"""What travels between the rooms: a batch, a verdict, and the critic that losses and penalties judge through."""

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import torch
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


class Verdict(NamedTuple):
    """What a discriminator may say beyond its logits: inner features, and logits of classes."""

    logits: Tensor
    features: tuple[Tensor, ...] = ()
    classes: Tensor | None = None


class Critic:
    """The discriminator as losses and penalties see it: augmentation goes before it, labels go with it.

    Args:
        discriminator: `(images, labels=None)` to logits or a `Verdict`
        augment: changes of images, applied in order to real and fake alike
    """

    def __init__(self, discriminator: Callable[..., Any], augment: list[Callable[[Tensor], Tensor]] | None = None):
        self.discriminator = discriminator
        self.augment = list(augment or [])

    def verdict(self, images: Tensor, labels: Tensor | None = None) -> Verdict:
        """Judge images: logits with whatever else the discriminator offers."""
        for change in self.augment:
            images = change(images)
        said = self.discriminator(images) if labels is None else self.discriminator(images, labels)
        return said if isinstance(said, Verdict) else Verdict(said)

    def __call__(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        """Judge images: the logits alone, B×1 or B×1×h×w."""
        return self.verdict(images, labels).logits

    def given(self, labels: Tensor | None) -> Callable[[Tensor], Tensor]:
        """The critic with labels bound, as a penalty wants it: images to logits."""
        return lambda images: self(images, labels)


def as_critic(critic: Any) -> Callable[..., Tensor]:
    """A critic is taken as it is; a bare discriminator is wrapped, so that a loss can be built from either."""
    return critic if isinstance(critic, Critic) else Critic(critic)


def same_labels(n: int, classes: int, device: torch.device | str = "cpu") -> Tensor:
    """Labels 0, 1, …, classes-1, 0, … : column by column the same class, where a grid has `classes` columns."""
    return torch.arange(n, device=device) % max(classes, 1)
