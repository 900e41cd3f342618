"""Regularizers: penalties beside the loss."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar

from torch import Tensor

from ganzo.registry import Facade, lazily

Judge = Callable[[Tensor], Tensor]  # images to logits, labels already bound


class Regularizer(Facade, ABC):
    """A penalty that is added to the discriminator's loss. It changes nothing: tensors in, a scalar out.

    Args:
        every: the penalty is taken in one turn out of so many; the game weighs it so much more

    Attributes:
        key: what the penalty is about; a loss that brings a penalty of the same key refuses a second one
    """

    namespace: ClassVar[str] = "regularizer"
    key: ClassVar[str] = ""

    def __init__(self, every: int = 1):
        self.every = every

    @abstractmethod
    def penalty(self, critic: Judge, real: Tensor, fake: Tensor) -> Tensor:
        """The penalty for real and fake images (B×C×H×W each), a scalar."""


__getattr__ = lazily(__name__)  # `from ganzo.regularizer import …` finds the classes in this room's files
