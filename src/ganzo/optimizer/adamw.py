"""Optimizer `adamw`."""

from collections.abc import Iterable

import torch

from ganzo.registry import Fraction, NonNegative, Positive, register


@register("optimizer", "adamw")
class AdamW(torch.optim.AdamW):
    """Adam whose weight decay shrinks the weights themselves instead of adding to their gradients; fused.

    Args:
        weights: what is moved
        lr: learning rate
        beta1: decay of the mean of the gradients
        beta2: decay of the mean of their squares
        eps: added to the denominator
        weight_decay: part of every weight that is taken away in each step, times the learning rate

    Paper: Loshchilov & Hutter, "Decoupled Weight Decay Regularization", 2019, https://arxiv.org/abs/1711.05101,
        algorithm 2
    """

    def __init__(
        self,
        weights: Iterable[torch.Tensor],
        *,
        lr: Positive = 1e-4,
        beta1: Fraction = 0.0,
        beta2: Fraction = 0.9,
        eps: Positive = 1e-8,
        weight_decay: NonNegative = 0.01,
    ):
        super().__init__(weights, lr=lr, betas=(beta1, beta2), eps=eps, weight_decay=weight_decay, fused=True)
