"""First values of weights."""

from typing import TypeVar

from torch import nn

Layer = TypeVar("Layer", nn.Linear, nn.Conv2d)


def he(layer: Layer) -> Layer:
    """Weights from He's uniform distribution (for what a ReLU follows), bias zero."""
    nn.init.kaiming_uniform_(layer.weight, nonlinearity="relu")
    return _without_bias(layer)


def xavier(layer: Layer, gain: float = 1.0) -> Layer:
    """Weights from Xavier's uniform distribution (for what nothing bends), `gain` times as wide, bias zero."""
    nn.init.xavier_uniform_(layer.weight, gain)
    return _without_bias(layer)


def _without_bias(layer: Layer) -> Layer:
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer
