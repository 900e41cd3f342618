import pytest
import torch
from torch import nn

from ganzo.loss.wgan import WGANLoss
from ganzo.loss.wgan_gp import WGANGPLoss
from ganzo.regularizer.gradient_penalty import GradientPenalty


def column(*values):
    return torch.tensor(values)[:, None]


@pytest.mark.parametrize(
    "loss", [WGANLoss(nn.Identity()), WGANGPLoss(nn.Identity())], ids=["wgan", "wgan-gp"]
)
def test_losses_are_differences_of_means(loss):
    assert loss.discriminator_loss(column(1.0, 3.0), column(5.0, 9.0)).item() == 7 - 2
    assert loss.generator_loss(column(5.0, 9.0)).item() == -7


def test_patches_are_averaged():
    assert WGANLoss(nn.Identity()).generator_loss(torch.arange(8.0).reshape(2, 1, 2, 2)).item() == -3.5


def test_penalty_of_a_linear_critic():
    slope = column(3.0, 4.0)  # the gradient everywhere: norm 5, so (5 - 1)² = 16
    loss = WGANGPLoss(lambda x: x @ slope, gradient_penalty_factor=0.5)
    assert loss.for_discriminator(torch.zeros(8, 2), torch.zeros(8, 2)).item() == pytest.approx(0.5 * 16)


def test_penalty_is_two_sided_and_of_whole_images():
    real, fake = torch.randn(4, 1, 2, 2), torch.randn(4, 1, 2, 2)
    for slope, expected in ((0.5, 0.0), (0.25, 0.25), (1.0, 1.0)):  # at each of 4 pixels: norms 1, 0.5 and 2
        loss = WGANGPLoss(
            lambda x, slope=slope: slope * x.sum((1, 2, 3))[:, None], gradient_penalty_factor=1.0
        )
        difference = slope * (fake.sum((1, 2, 3)).mean() - real.sum((1, 2, 3)).mean())
        found = loss.for_discriminator(real, fake) - difference
        assert found.item() == pytest.approx(expected, abs=1e-5)


def test_penalty_is_taken_between_real_and_fake():
    """The critic x²/2 has the slope x: 3 at every point between 3 and 3, so (3 - 1)²."""
    loss = WGANGPLoss(lambda x: x.square() / 2)
    assert loss.for_discriminator(column(3.0), column(3.0)).item() == pytest.approx(10 * 4)
    between = [
        WGANGPLoss(lambda x: x.square() / 2).for_discriminator(column(3.0), column(1.0)) for _ in range(50)
    ]
    slopes = [((value.item() + 4) / 10) ** 0.5 + 1 for value in between]  # the losses differ by (1 - 9) / 2
    assert 1.0 <= min(slopes) < 1.5 and 2.5 < max(slopes) <= 3.0 + 1e-4


def test_penalty_judges_under_the_labels():
    def critic(images, labels):
        return (images * labels[:, None]).sum(1, keepdim=True)

    loss = WGANGPLoss(critic, gradient_penalty_factor=1.0)
    zero = torch.zeros(2, 1)
    labels = torch.tensor([3, 5])  # slopes 3 and 5: ((3-1)² + (5-1)²) / 2
    assert loss.for_discriminator(zero, zero, labels).item() == pytest.approx(10.0)
    assert loss.for_discriminator(zero, zero, labels=labels).item() == pytest.approx(10.0)


def test_its_penalty_bears_the_key_of_the_regularizer_beside_which_it_is_refused():
    assert WGANGPLoss.penalties == (GradientPenalty.key,) == ("gradient-penalty",)


def test_penalty_points_come_from_the_given_generator():
    critic = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1))
    real, fake = torch.randn(4, 2), torch.randn(4, 2)

    def once(seed):
        loss = WGANGPLoss(critic, random=torch.Generator().manual_seed(seed))
        return loss.for_discriminator(real, fake).item()

    assert once(1) == once(1) != once(2)
