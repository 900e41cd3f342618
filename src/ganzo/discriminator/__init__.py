"""Discriminators: images to logits."""

from abc import abstractmethod
from typing import ClassVar

from torch import Tensor, nn

from ganzo.nn.critic import Critic, Verdict
from ganzo.registry import Facade, lazily

__all__ = ["Critic", "Discriminator", "Verdict"]


class Discriminator(Facade, nn.Module):
    """Judges images: the higher the logit, the more real. No sigmoid inside; the loss owns it.

    Shape: images B×C×H×W in [-1, 1] and labels B (int64) to logits B×1 or B×1×h×w, or to a `Verdict`.
    """

    namespace: ClassVar[str] = "discriminator"
    conditional: bool = False

    @abstractmethod
    def forward(self, images: Tensor, labels: Tensor | None = None) -> Tensor | Verdict:
        """Judge a batch of images."""


__getattr__ = lazily(__name__)  # `from ganzo.discriminator import …` finds the classes in this room's files
