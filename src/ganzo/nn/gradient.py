"""How steep a critic is: what the gradient penalties share. All of it in float32, also under autocast."""

from collections.abc import Callable

import torch
from torch import Tensor

from ganzo.nn.draw import per_sample, uniform

TINY = 1e-12  # keeps the square root's own slope finite where the critic is flat


def slopes(critic: Callable[[Tensor], Tensor], points: Tensor) -> Tensor:
    """The squared norm of the critic's gradient at each point, B numbers through which gradients flow.

    The logits are summed, which gives each sample its own gradient as long as the critic judges samples one by one.
    """
    with torch.autocast(device_type=points.device.type, enabled=False):
        points = points.detach().float().requires_grad_(True)
        (gradient,) = torch.autograd.grad(critic(points).sum(), points, create_graph=True)
        return gradient.square().sum(dim=tuple(range(1, gradient.dim())))


def between(real: Tensor, fake: Tensor, random: torch.Generator | None = None) -> Tensor:
    """One point on the line from each real to its fake sample, at a place drawn per sample."""
    real, fake = real.detach().float(), fake.detach().float()
    return torch.lerp(fake, real, uniform(per_sample(real), real, random))


def gradient_penalty(
    critic: Callable[[Tensor], Tensor],
    real: Tensor,
    fake: Tensor,
    target: float = 1.0,
    random: torch.Generator | None = None,
) -> Tensor:
    """The mean squared distance of the slope between real and fake from its target, a scalar."""
    slope = (slopes(critic, between(real, fake, random)) + TINY).sqrt()
    return (slope - target).square().mean()
