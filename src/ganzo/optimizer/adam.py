"""Optimizer `adam`."""

from collections.abc import Iterable

import torch

from ganzo.registry import Fraction, NonNegative, Positive, register


@register("optimizer", "adam", default=True)
class Adam(torch.optim.Adam):
    """Adam in its fused form: one kernel moves all weights. The settings are the defaults of WGAN-GP.

    Args:
        weights: what is moved
        lr: learning rate
        beta1: decay of the mean of the gradients
        beta2: decay of the mean of their squares
        eps: added to the denominator
        weight_decay: pull of every weight towards zero

    Paper: Kingma & Ba, "Adam: A Method for Stochastic Optimization", 2015, https://arxiv.org/abs/1412.6980
    """

    def __init__(
        self,
        weights: Iterable[torch.Tensor],
        *,
        lr: Positive = 1e-4,
        beta1: Fraction = 0.0,
        beta2: Fraction = 0.9,
        eps: Positive = 1e-8,
        weight_decay: NonNegative = 0.0,
    ):
        super().__init__(weights, lr=lr, betas=(beta1, beta2), eps=eps, weight_decay=weight_decay, fused=True)
