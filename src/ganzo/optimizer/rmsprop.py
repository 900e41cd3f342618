"""Optimizer `rmsprop`."""

from collections.abc import Iterable

import torch

from ganzo.registry import Fraction, NonNegative, Positive, register


@register("optimizer", "rmsprop")
class RMSprop(torch.optim.RMSprop):
    """Divides each gradient by the running root mean square of its size: what the Wasserstein GAN was trained with.

    Args:
        weights: what is moved
        lr: learning rate
        alpha: decay of the mean of the squared gradients
        momentum: part of the last step that is taken again
        eps: added to the denominator
        weight_decay: pull of every weight towards zero

    Paper: Hinton et al., "Lecture 6e: rmsprop", 2012, https://www.cs.toronto.edu/~tijmen/csc321/; its rate here is
        that of Arjovsky et al., "Wasserstein GAN", 2017, https://arxiv.org/abs/1701.07875, algorithm 1
    """

    def __init__(
        self,
        weights: Iterable[torch.Tensor],
        *,
        lr: Positive = 5e-5,
        alpha: Fraction = 0.99,
        momentum: Fraction = 0.0,
        eps: Positive = 1e-8,
        weight_decay: NonNegative = 0.0,
    ):
        super().__init__(weights, lr=lr, alpha=alpha, eps=eps, momentum=momentum, weight_decay=weight_decay)
