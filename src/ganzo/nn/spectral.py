"""Spectral normalization of whole networks."""

from typing import TypeVar

from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

Module = TypeVar("Module", bound=nn.Module)
WEIGHTED = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)


def spectral(module: Module, on: bool = True) -> Module:
    """If `on`, divide the weight of every linear and convolutional layer by its largest singular value.

    That value is followed by one step of power iteration in each forward pass in training mode.
    """
    if on:
        for layer in [m for m in module.modules() if isinstance(m, WEIGHTED)]:
            spectral_norm(layer)
    return module
