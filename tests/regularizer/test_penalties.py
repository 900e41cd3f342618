from argparse import Namespace

import pytest
import torch
from torch import nn

from ganzo.nn.critic import Critic
from ganzo.regularizer.gradient_penalty import GradientPenalty
from ganzo.regularizer.r1 import R1
from ganzo.regularizer.r2 import R2

SLOPE = torch.tensor([3.0, 4.0])  # of a linear critic: squared norm 25


def linear(x):
    return x @ SLOPE


def parabola(x):
    return x.square().sum(1) / 2  # its slope at x is x


@pytest.mark.parametrize("penalty", [R1, R2])
def test_half_the_weight_times_the_squared_slope(penalty):
    assert penalty(weight=2.0).penalty(linear, torch.randn(8, 2), torch.randn(8, 2)).item() == pytest.approx(
        25.0
    )


def test_r1_looks_at_real_images_and_r2_at_fakes():
    real, fake = torch.full((4, 1), 3.0), torch.full((4, 1), 5.0)
    assert R1(weight=2.0).penalty(parabola, real, fake).item() == pytest.approx(9.0)
    assert R2(weight=2.0).penalty(parabola, real, fake).item() == pytest.approx(25.0)


def test_the_penalty_itself_does_not_grow_with_every():
    real = torch.ones(4, 2)
    lazy, eager = R1(weight=2.0, every=16), R1(weight=2.0)
    assert (lazy.every, eager.every) == (16, 1)
    assert lazy.penalty(linear, real, real) == eager.penalty(linear, real, real)


@pytest.mark.parametrize(("target", "expected"), [(1.0, 2 * 16.0), (0.0, 2 * 25.0), (5.0, 0.0)])
def test_gradient_penalty_of_a_linear_critic(target, expected):
    penalty = GradientPenalty(factor=2.0, target=target).penalty(linear, torch.randn(8, 2), torch.randn(8, 2))
    assert penalty.item() == pytest.approx(expected, abs=1e-5)


def test_gradient_penalty_looks_between_real_and_fake():
    # slopes at points of [0, 4] are the points: the mean of x² over the line is 16/3
    real, fake = torch.full((20000, 1), 4.0), torch.zeros(20000, 1)
    penalty = GradientPenalty(factor=1.0, target=0.0, random=torch.Generator().manual_seed(0))
    assert penalty.penalty(parabola, real, fake).item() == pytest.approx(16 / 3, rel=0.02)


@pytest.mark.parametrize("penalty", [R1(), R2(), GradientPenalty()], ids=lambda p: p.key)
def test_gradients_reach_the_discriminator_but_not_the_images(penalty):
    network = nn.Sequential(nn.Flatten(), nn.Linear(12, 4), nn.Tanh(), nn.Linear(4, 1))
    real, fake = torch.randn(4, 3, 2, 2), torch.randn(4, 3, 2, 2, requires_grad=True)
    penalty.penalty(Critic(network).given(None), real, fake).backward()
    assert network[1].weight.grad.abs().sum() > 0
    assert fake.grad is None


def test_a_penalty_sees_what_augmentation_does():
    doubled = Critic(linear, [lambda images: 2 * images]).given(None)  # a slope twice as steep
    assert R1(weight=2.0).penalty(doubled, torch.ones(4, 2), torch.ones(4, 2)).item() == pytest.approx(100.0)


def test_options_carry_the_name_of_their_penalty():
    options = Namespace(r1_weight=3.0, r1_every=4, r2_weight=5.0, gradient_penalty_factor=7.0)
    assert (R1(options).weight, R1(options).every) == (3.0, 4)
    assert (R2(options).weight, R2(options).every) == (5.0, 1)
    assert (GradientPenalty(options).factor, GradientPenalty(options).target) == (7.0, 1.0)
