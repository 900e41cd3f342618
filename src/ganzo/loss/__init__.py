"""Losses: logits to a scalar for each player."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar

from torch import Tensor

from ganzo.nn.critic import as_critic
from ganzo.registry import Facade, lazily


class Loss(Facade, ABC):
    """What each player wants to make small. It changes nothing: tensors in, a scalar out.

    Args:
        critic: `(images, labels=None)` to logits; a bare discriminator is one too

    A loss implements the two pure functions of logits; `for_discriminator` and `for_generator` ask the critic and
    call them.
    """

    namespace: ClassVar[str] = "loss"

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
        """The discriminator's loss for real and fake images, both of the same labels (`target` is the older name)."""
        labels = target if labels is None else labels
        return self.discriminator_loss(self.critic(real, labels), self.critic(fake, labels))

    def for_generator(
        self, fake: Tensor, target: Tensor | None = None, labels: Tensor | None = None
    ) -> Tensor:
        """The generator's loss for images of the given labels (`target` is the older name)."""
        labels = target if labels is None else labels
        return self.generator_loss(self.critic(fake, labels))


__getattr__ = lazily(__name__)  # `from ganzo.loss import …` finds the classes in this room's files
