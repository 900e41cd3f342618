"""How steep a critic is: what the gradient penalties share. All of it in float32, also under autocast."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from ganzo.nn import ranks
from ganzo.nn.draw import per_sample, uniform
from ganzo.nn.multiscale import pyramid

TINY = 1e-12  # keeps the square root's own slope finite where the critic is flat


def slopes(critic: Callable[[Any], Tensor], points: Any) -> Tensor:
    """The squared norm of the critic's gradient at each point, B numbers through which gradients flow.

    The logits are summed, which gives each sample its own gradient as long as the critic judges samples one by one. Of
    points at several scales, a list of them, each scale has its own gradients: B numbers for each, one after the other.
    """
    scales = [points] if isinstance(points, Tensor) else points
    with torch.autocast(device_type=scales[0].device.type, enabled=False):
        scales = [scale.detach().float().requires_grad_(True) for scale in scales]
        logits = critic(scales[0] if isinstance(points, Tensor) else scales)
        with ranks.talk(among_others=True):
            gradients = torch.autograd.grad(logits.sum(), scales, create_graph=True)
        return torch.cat([g.square().sum(dim=tuple(range(1, g.dim()))) for g in gradients])


def between(real: Any, fake: Any, random: torch.Generator | None = None) -> Any:
    """One point on the line from each real to its fake sample, at a place drawn per sample, the same at every scale."""
    if not isinstance(fake, Tensor):
        sides = [(scale.shape[2], scale.shape[3]) for scale in fake]
        reals = pyramid(real, sides) if isinstance(real, Tensor) else real
        place = uniform(per_sample(fake[-1]), fake[-1].float(), random)
        ends = zip(fake, reals, strict=True)
        return [torch.lerp(one.detach().float(), other.detach().float(), place) for one, other in ends]
    real, fake = real.detach().float(), fake.detach().float()
    return torch.lerp(fake, real, uniform(per_sample(real), real, random))


def gradient_penalty(
    critic: Callable[[Any], Tensor],
    real: Any,
    fake: Any,
    target: float = 1.0,
    random: torch.Generator | None = None,
) -> Tensor:
    """The mean squared distance of the slope between real and fake from its target, a scalar.

    Of images at several scales it is the mean over the scales, too: Karnewar & Wang, "MSG-GAN", 2020,
    https://arxiv.org/abs/1903.06048.
    """
    slope = (slopes(critic, between(real, fake, random)) + TINY).sqrt()
    return (slope - target).square().mean()
