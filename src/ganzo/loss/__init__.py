"""Losses: logits to a scalar for each player."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar

import torch.nn.functional as F
from torch import Tensor

from ganzo.nn.critic import Verdict, as_critic
from ganzo.registry import Facade, lazily


class Loss(Facade, ABC):
    """What each player wants to make small. It changes nothing: tensors in, a scalar out.

    Args:
        critic: `(images, labels=None)` to logits; a bare discriminator is one too

    Attributes:
        translates: whether `for_generator` compares with the wanted output of a translation, which `target` then is

    A loss implements the two pure functions of logits; `for_discriminator` and `for_generator` ask the critic and
    call them.
    """

    namespace: ClassVar[str] = "loss"
    translates: ClassVar[bool] = False

    def __init__(self, critic: Callable[..., Any]):
        self.critic = as_critic(critic)

    @abstractmethod
    def discriminator_loss(self, real: Tensor, fake: Tensor) -> Tensor:
        """The discriminator's loss from the logits of real and fake images."""

    @abstractmethod
    def generator_loss(self, fake: Tensor) -> Tensor:
        """The generator's loss from the logits of its images."""

    def for_discriminator(
        self, real: Tensor, fake: Tensor, target: Tensor | None = None, labels: Tensor | None = None
    ) -> Tensor:
        """The discriminator's loss for real and fake images, both of the same labels (`target` is the older name).

        A discriminator that also names classes learns to name them right, for real and fake images.
        """
        labels = target if labels is None else labels
        said, told = self.critic.verdicts(real, fake, labels)
        return with_classes(self.discriminator_loss(said.logits, told.logits), labels, said, told)

    def for_generator(
        self, fake: Tensor, target: Tensor | None = None, labels: Tensor | None = None
    ) -> Tensor:
        """The generator's loss for images of the given labels (`target` is the older name).

        Beside a discriminator that names classes, its images should be named as they were asked for.
        """
        labels = target if labels is None else labels
        told = self.critic.verdict(fake, labels)
        return with_classes(self.generator_loss(told.logits), labels, told)


class RelativeLoss(Loss):
    """The base of losses that judge a fake image beside real ones, for both players.

    The generator's loss takes real images too, of the same labels: the game hands them over as `real`.
    """

    @abstractmethod
    def generator_loss(self, fake: Tensor, real: Tensor) -> Tensor:  # type: ignore[override]  # one side says nothing
        """The generator's loss from the logits of its images and of real ones."""

    def for_generator(  # type: ignore[override]  # `real` has no default: without it there is no such loss
        self, fake: Tensor, target: Tensor | None = None, labels: Tensor | None = None, *, real: Tensor
    ) -> Tensor:
        """The generator's loss for images beside real ones, both of the given labels (`target` is the older name)."""
        labels = target if labels is None else labels
        told = self.critic.verdict(fake, labels)
        return with_classes(self.generator_loss(told.logits, self.critic(real, labels)), labels, told)


def with_classes(loss: Tensor, labels: Tensor | None, *verdicts: Verdict) -> Tensor:
    """A loss, and how wrong the classes are that an auxiliary head names: the cross-entropy of each verdict."""
    for verdict in verdicts:
        if verdict.classes is not None:
            assert labels is not None, "a network with classes is asked with labels"
            loss = loss + F.cross_entropy(verdict.classes, labels)
    return loss


__getattr__ = lazily(__name__)  # `from ganzo.loss import …` finds the classes in this room's files
