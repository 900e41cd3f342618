"""Optimizer `sgd`."""

from collections.abc import Iterable

import torch

from ganzo.registry import Fraction, NonNegative, OptionError, Positive, register


@register("optimizer", "sgd")
class SGD(torch.optim.SGD):
    """Plain gradient descent, with momentum where it is asked for; fused.

    Args:
        weights: what is moved
        lr: learning rate
        momentum: part of the last step that is taken again
        nesterov: look ahead along the momentum (it needs some)
        weight_decay: pull of every weight towards zero

    Paper: Sutskever et al., "On the importance of initialization and momentum in deep learning", 2013,
        https://proceedings.mlr.press/v28/sutskever13.html

    Differs: the learning rate scales the whole step, momentum included, as in PyTorch.
    """

    def __init__(
        self,
        weights: Iterable[torch.Tensor],
        *,
        lr: Positive = 1e-3,
        momentum: Fraction = 0.0,
        nesterov: bool = False,
        weight_decay: NonNegative = 0.0,
    ):
        if nesterov and not momentum:
            raise OptionError("`nesterov` of `sgd` needs a `momentum` above 0; got 0. Try 0.9.")
        super().__init__(
            weights, lr=lr, momentum=momentum, nesterov=nesterov, weight_decay=weight_decay, fused=True
        )
