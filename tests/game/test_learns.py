import functools
import statistics

import pytest
import torch
from torch import nn

from ganzo.data.arrays import ArrayData
from ganzo.game.standard import StandardGame
from ganzo.hook.ema import EMA
from ganzo.loss.gan import GANLoss
from ganzo.loss.hinge import HingeLoss
from ganzo.loss.relativistic import RelativisticLoss
from ganzo.loss.wgan_gp import WGANGPLoss
from ganzo.nn.critic import Critic
from ganzo.noise.gaussian import GaussianNoise
from ganzo.optimizer.adam import Adam
from ganzo.regularizer.r1 import R1
from ganzo.regularizer.r2 import R2

LOSSES = [
    (GANLoss, [R1(weight=0.1)]),
    (HingeLoss, [R1(weight=0.1)]),
    (RelativisticLoss, [R1(weight=0.1), R2(weight=0.1)]),
    (functools.partial(WGANGPLoss, gradient_penalty_factor=1.0), []),
]


@pytest.mark.parametrize(("loss", "regularizers"), LOSSES, ids=lambda x: getattr(x, "__name__", None))
def test_a_cloud_of_points_is_matched(loss, regularizers):
    """Images of two pixels: one around 0.6, the other around -0.4 with half the spread."""
    torch.manual_seed(0)
    mean, spread = torch.tensor([0.6, -0.4]), torch.tensor([0.2, 0.1])
    points = (mean + spread * torch.randn(4096, 2)).clamp(-1, 1)
    data = ArrayData(torch.stack([points, points], 2)[:, None], batch_size=128, seed=0)  # N×1×2×2

    generator = nn.Sequential(
        nn.Linear(2, 32), nn.ReLU(), nn.Linear(32, 4), nn.Tanh(), nn.Unflatten(1, (1, 2, 2))
    )
    discriminator = nn.Sequential(nn.Flatten(), nn.Linear(4, 32), nn.LeakyReLU(0.2), nn.Linear(32, 1))
    game = StandardGame(
        generator, discriminator, loss(Critic(discriminator)), {"generator": [EMA(decay=0.98)]},
        optimizers={
            "generator": Adam(generator.parameters(), lr=3e-3, beta1=0.0, beta2=0.9),
            "discriminator": Adam(discriminator.parameters(), lr=1e-2, beta1=0.0, beta2=0.9),
        },
        regularizers=regularizers,
    )  # fmt: skip
    noise = GaussianNoise(state_size=2, batch_size=128, seed=0)
    before = distance(game, noise, mean, spread)
    after = []
    for _ in range(20):
        game.run_epoch(data, noise)
        after.append(distance(game, noise, mean, spread))
    assert game.turns == 640
    # Games swing about their goal, and each processor rounds in its own way: a single epoch's distance is chance.
    assert statistics.median(after[10:]) < 0.045 < 4 * 0.045 < before


def distance(game, noise, mean, spread):
    """The largest difference of a pixel's mean or standard deviation."""
    with torch.no_grad():
        pixels = game.sampler(noise.sample(4096, 0))[:, 0, :, 0]
    return max((pixels.mean(0) - mean).abs().max().item(), (pixels.std(0) - spread).abs().max().item())
