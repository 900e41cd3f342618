"""Spectral normalization of whole networks."""

from typing import TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrize import register_parametrization

Module = TypeVar("Module", bound=nn.Module)
WEIGHTED = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)
EPSILON = 1e-12
FIRST_STEPS = 15  # of the power iteration, before the first pass


def spectral(module: Module, on: bool = True) -> Module:
    """If `on`, divide the weight of every linear and convolutional layer by its largest singular value.

    That value is followed by one step of power iteration in each forward pass in training mode.
    """
    if on:
        for layer in [m for m in module.modules() if isinstance(m, WEIGHTED)]:
            register_parametrization(layer, "weight", SpectralNorm(layer.weight))
    return module


class SpectralNorm(nn.Module):
    """A weight, divided by its largest singular value.

    Numbers and names are those of `torch.nn.utils.parametrizations.spectral_norm`. That one cannot be compiled where a
    layer has a kernel of side 1: on the way back the compiler asks for vectors that the next pass has written over.

    Args:
        weight: a weight of the shape that will come, outputs×…

    Paper: Miyato et al., "Spectral Normalization for Generative Adversarial Networks", 2018,
        https://arxiv.org/abs/1802.05957, Algorithm 1
    """

    _u: Tensor
    _v: Tensor

    def __init__(self, weight: Tensor):
        super().__init__()
        with torch.no_grad():
            matrix = weight.flatten(1)
            left, right = (
                F.normalize(matrix.new_empty(n).normal_(), dim=0, eps=EPSILON) for n in matrix.shape
            )
            for _ in range(FIRST_STEPS):
                left, right = step(matrix, right)
        self.register_buffer("_u", left)
        self.register_buffer("_v", right)

    def forward(self, weight: Tensor) -> Tensor:
        """The weight, divided; in training mode after one more step towards its singular vectors."""
        matrix = weight.flatten(1)
        if self.training:
            with torch.no_grad():
                power = one_step if torch.compiler.is_compiling() else step
                left, right = power(matrix.detach(), self._v)
                self._u.copy_(left)
                self._v.copy_(right)
        else:
            left, right = self._u.clone(), self._v.clone()
        return weight / torch.vdot(left, torch.mv(matrix, right))


def step(matrix: Tensor, right: Tensor) -> tuple[Tensor, Tensor]:
    """One step of power iteration: from the right singular vector (N) of a matrix (M×N) to the next left and right."""
    left = F.normalize(torch.mv(matrix, right), dim=0, eps=EPSILON).to(right.dtype)
    return left, F.normalize(torch.mv(matrix.H, left), dim=0, eps=EPSILON).to(right.dtype)


# closed to the compiler
one_step = torch.library.custom_op("ganzo::power_iteration_step", step, mutates_args=())


@one_step.register_fake
def _(matrix: Tensor, right: Tensor) -> tuple[Tensor, Tensor]:
    return right.new_empty(matrix.shape[0]), torch.empty_like(right)
