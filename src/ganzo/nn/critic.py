"""The critic: the discriminator as losses and penalties see it."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from torch import Tensor

from ganzo.errors import OptionError
from ganzo.nn.batch import ask, each
from ganzo.nn.multiscale import pyramid


class Verdict(NamedTuple):
    """What a discriminator may say beyond its logits: inner features, and logits of classes."""

    logits: Tensor
    features: tuple[Tensor, ...] = ()
    classes: Tensor | None = None


class Critic:
    """The discriminator as losses and penalties see it: augmentation goes before it, labels go with it.

    A discriminator that judges several scales at once says their sides as `scales`, small to large: what is only at
    hand in one size, as real images are, is offered to it at all of them, before it is augmented.

    Args:
        discriminator: `(images, labels=None)` to logits or a `Verdict`
        augment: changes of images, applied in order to real and fake alike
    """

    def __init__(
        self, discriminator: Callable[..., Any], augment: list[Callable[[Tensor], Tensor]] | None = None
    ):
        self.discriminator = discriminator
        self.augment = list(augment or [])
        self.labels: Tensor | None = None  # of the images that are judged now, for who asks without them

    def verdict(self, images: Tensor, labels: Tensor | None = None) -> Verdict:
        """Judge images: logits (float32) with whatever else the discriminator offers."""
        labels = self.labels if labels is None else labels
        images = self.at_scales(images)
        for change in self.augment:
            images = each(change, images)
        said = ask(self.discriminator, images, labels)
        return (
            said._replace(logits=said.logits.float()) if isinstance(said, Verdict) else Verdict(said.float())
        )

    def __call__(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        """Judge images: the logits alone, float32, B×1 or B×1×h×w."""
        return self.verdict(images, labels).logits

    def at_scales(self, images: Any) -> Any:
        """Images in as many sizes as the discriminator judges; refuses several where it judges one."""
        scales = getattr(self.discriminator, "scales", ())  # a third party's class may not say
        if scales and isinstance(images, Tensor):
            return pyramid(images, scales)
        if scales is None and isinstance(images, list | tuple):
            raise OptionError(
                f"The generator makes images in {len(images)} sizes, and `{type(self.discriminator).__name__}` judges"
                " one; choose `--discriminator msg`, or another generator."
            )
        return images

    @contextlib.contextmanager
    def about(self, labels: Tensor | None) -> Iterator[None]:
        """Let images be judged under these labels, also by an older loss, which asks without them."""
        before, self.labels = self.labels, labels
        try:
            yield
        finally:
            self.labels = before

    def given(self, labels: Tensor | None) -> Callable[[Tensor], Tensor]:
        """The critic with labels bound, as a penalty wants it: images to logits."""
        return lambda images: self(images, labels)


def as_critic(critic: Any) -> Critic:
    """A critic is taken as it is; a bare discriminator is wrapped, so that a loss can be built from either."""
    return critic if isinstance(critic, Critic) else Critic(critic)
