"""Hook `weight-clipper`."""

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from ganzo.hook import Hook
from ganzo.registry import OptionError, Positive, register


@register("hook", "weight-clipper")
class WeightClipper(Hook):
    """Clamps the weight of every layer after each move, so that a Wasserstein critic cannot grow steep.

    Args:
        clip_to: the largest absolute value that a weight may have

    Paper: Arjovsky et al., "Wasserstein GAN", 2017, https://arxiv.org/abs/1701.07875, algorithm 1

    Differs: biases stay as they are; the gains of normalization layers are clamped like any weight.
    """

    def __init__(self, *, clip_to: Positive = 0.001):
        self.clip_to = clip_to

    def attach(self, model: nn.Module) -> None:
        list(_weights(model))  # says before the first move what cannot be clamped

    @torch.no_grad()
    def apply(self, model: nn.Module) -> None:
        for weight in _weights(model):
            weight.clamp_(-self.clip_to, self.clip_to)


def _weights(model: nn.Module) -> Iterator[Tensor]:
    for module in model.modules():
        if parametrize.is_parametrized(module, "weight"):
            raise OptionError(
                "`weight-clipper` must own the weights that it clamps; got a network whose weights are computed, as by"
                " `spectral_norm`. Leave one of the two out."
            )
        weight = getattr(module, "weight", None)
        if isinstance(weight, nn.Parameter):
            yield weight
