"""The critic: the discriminator as losses and penalties see it."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrize import is_parametrized

from ganzo.errors import OptionError
from ganzo.nn.batch import ask, each
from ganzo.nn.multiscale import pyramid

DRAWING = (
    nn.Dropout,
    nn.Dropout1d,
    nn.Dropout2d,
    nn.Dropout3d,
    nn.AlphaDropout,
    nn.FeatureAlphaDropout,
    nn.RReLU,
)


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
        self.quick: Callable[..., Any] | None = None  # a compiled form of the discriminator
        self.one_pass = False  # whether real and fake images are judged together
        self.joined = False  # whether any were
        self.labels: Tensor | None = None  # of the images that are judged now, for who asks without them

    def verdict(self, images: Tensor, labels: Tensor | None = None) -> Verdict:
        """Judge images: logits (float32) with whatever else the discriminator offers."""
        labels = self.labels if labels is None else labels
        return self._judged(self._shown(images), labels)

    def verdicts(self, real: Any, fake: Any, labels: Tensor | None = None) -> tuple[Verdict, Verdict]:
        """Judge real and fake images of the same labels: each by itself, or both in one pass where that was chosen."""
        if not self.one_pass:
            return self.verdict(real, labels), self.verdict(fake, labels)
        self.joined = True
        labels = self.labels if labels is None else labels
        shown, told = self._shown(real), self._shown(fake)  # each is changed by itself
        both = (
            torch.cat([shown, told])
            if isinstance(shown, Tensor)
            else [torch.cat(pair) for pair in zip(shown, told, strict=True)]
        )
        said = self._judged(both, None if labels is None else torch.cat([labels, labels]))
        half = len(shown if isinstance(shown, Tensor) else shown[0])
        return tuple(  # type: ignore[return-value]
            Verdict(
                said.logits[part],
                tuple(feature[part] for feature in said.features),
                None if said.classes is None else said.classes[part],
            )
            for part in (slice(half), slice(half, None))
        )

    def _shown(self, images: Any) -> Any:
        """Images as the discriminator sees them."""
        images = self.at_scales(images)
        for change in self.augment:
            images = each(change, images)
        return images

    def _judged(self, images: Any, labels: Tensor | None, quickly: bool = True) -> Verdict:
        asked = self.quick if quickly and self.quick is not None else self.discriminator
        said = ask(asked, images, labels)
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
        """The critic with labels bound, as a penalty wants it: images to logits, never through compiled code."""
        labels = self.labels if labels is None else labels
        return lambda images: self._judged(self._shown(images), labels, quickly=False).logits


def as_critic(critic: Any) -> Critic:
    """A critic is taken as it is; a bare discriminator is wrapped, so that a loss can be built from either."""
    return critic if isinstance(critic, Critic) else Critic(critic)


def judges_singly(network: nn.Module) -> bool:
    """Whether a network is known to say of each image in one pass with others what it says in a pass without them.

    All its layers are torch's or ours; none looks at the batch, draws, or is another in the next pass, as spectral
    norm makes it.
    """
    if mixes_samples(network) is not None:
        return False
    for layer in network.modules():
        known = type(layer).__module__.partition(".")[0] in ("torch", "ganzo")
        if not known or isinstance(layer, DRAWING) or is_parametrized(layer):
            return False
    return True


def mixes_samples(network: nn.Module) -> str | None:
    """The kind of a layer that lets the samples of a batch see each other, or None where there is none."""
    for layer in network.modules():
        statistics = isinstance(layer, nn.modules.batchnorm._BatchNorm)
        if statistics or getattr(layer, "mixes_samples", False):
            return type(layer).__name__
    return None
