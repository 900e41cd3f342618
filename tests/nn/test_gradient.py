import pytest
import torch
from torch import nn

from ganzo.nn.gradient import between, gradient_penalty, slopes


def test_slopes_are_squared_norms_for_each_sample():
    points = torch.tensor([[[[3.0, 4.0]]], [[[0.0, 1.0]]]])  # B×1×1×2; the gradient of ‖x‖²/2 is x
    assert slopes(lambda x: x.square().sum((1, 2, 3)) / 2, points).tolist() == [25.0, 1.0]


def test_patch_logits_are_summed():
    assert slopes(lambda x: 2 * x, torch.zeros(2, 1, 3, 3)).tolist() == [36.0, 36.0]  # nine slopes of 2 each


def test_gradients_flow_through_the_slopes_into_the_critic():
    critic = nn.Linear(2, 1)
    slopes(critic, torch.zeros(3, 2)).mean().backward()
    torch.testing.assert_close(critic.weight.grad, 2 * critic.weight.detach())


def test_the_points_given_are_left_alone():
    points = torch.zeros(3, 2)
    slopes(nn.Linear(2, 1), points).mean().backward()
    assert not points.requires_grad and points.grad is None


def test_penalties_are_computed_in_float32_under_autocast():
    critic = nn.Sequential(nn.Linear(16, 16), nn.Tanh(), nn.Linear(16, 1))
    points = torch.randn(4, 16).bfloat16()
    seen = []

    def watched(x):
        logits = critic(x)
        seen.extend([x.dtype, logits.dtype])
        return logits

    expected = slopes(critic, points.float())
    with torch.autocast("cpu", torch.bfloat16):
        got = slopes(watched, points)
        assert critic(points.float()).dtype == torch.bfloat16  # autocast goes on afterwards
    assert seen == [torch.float32, torch.float32]
    assert torch.equal(got, expected)


def test_points_between_lie_on_the_line_at_a_place_of_each_sample():
    real, fake = torch.ones(100, 3, 2, 2), torch.zeros(100, 3, 2, 2)
    points = between(real, fake, torch.Generator().manual_seed(0))
    places = points.flatten(1)
    assert (places == places[:, :1]).all()
    assert 0 <= places.min() < 0.1 < 0.9 < places.max() <= 1


def test_a_flat_critic_has_a_penalty_with_a_finite_gradient():
    critic = nn.Linear(2, 1)
    nn.init.zeros_(critic.weight)
    penalty = gradient_penalty(critic, torch.ones(4, 2), torch.zeros(4, 2))
    penalty.backward()
    assert penalty.item() == pytest.approx(1.0, abs=1e-5)
    assert critic.weight.grad.isfinite().all()
