"""Augmentations: differentiable changes of images before they are judged."""

from abc import ABC, abstractmethod
from typing import ClassVar

from torch import Tensor

from ganzo.registry import Facade, lazily


class Augment(Facade, ABC):
    """Changes real and fake images alike before the discriminator sees them; gradients flow through."""

    namespace: ClassVar[str] = "augment"

    @abstractmethod
    def __call__(self, images: Tensor) -> Tensor:
        """Change images B×C×H×W in [-1, 1]; the shape stays."""


__getattr__ = lazily(__name__)  # `from ganzo.augment import …` finds the classes in this room's files
