from math import e, exp, log, tanh

import pytest
import torch
from torch import nn

from ganzo.loss.f_divergence import DIVERGENCES, FDivergenceLoss
from ganzo.loss.gan import GANLoss

CONJUGATES = {  # f* as the paper's table 2 prints it (total variation: table 6)
    "kl": lambda t: exp(t - 1),
    "reverse-kl": lambda t: -1 - log(-t),
    "pearson": lambda t: t * t / 4 + t,
    "squared-hellinger": lambda t: t / (1 - t),
    "jensen-shannon": lambda t: -log(2 - exp(t)),
    "gan": lambda t: -log(1 - exp(t)),
    "total-variation": lambda t: t,
}
GENERATORS = {  # f itself
    "kl": lambda u: u * log(u),
    "reverse-kl": lambda u: -log(u),
    "pearson": lambda u: (u - 1) ** 2,
    "squared-hellinger": lambda u: (u**0.5 - 1) ** 2,
    "jensen-shannon": lambda u: -(u + 1) * log((1 + u) / 2) + u * log(u),
    "gan": lambda u: u * log(u) - (u + 1) * log(u + 1),
    "total-variation": lambda u: abs(u - 1) / 2,
}
AT_ZERO = {  # g(0) and f*(g(0))
    "kl": (0, 1 / e),
    "reverse-kl": (-1, -1),
    "pearson": (0, 0),
    "squared-hellinger": (0, 0),
    "jensen-shannon": (0, 0),
    "gan": (-log(2), log(2)),
    "total-variation": (0, 0),
}
EVERY = pytest.mark.parametrize("name", DIVERGENCES)


@EVERY
def test_both_losses_where_the_discriminator_knows_nothing(name):
    g, conjugate = AT_ZERO[name]
    zero = torch.zeros(2, 1)
    loss = FDivergenceLoss(nn.Identity(), divergence=name)
    assert loss.discriminator_loss(zero, zero).item() == pytest.approx(conjugate - g)
    assert loss.generator_loss(zero).item() == pytest.approx(-g)
    loss = FDivergenceLoss(nn.Identity(), divergence=name, saturating=True)
    assert loss.generator_loss(zero).item() == pytest.approx(-conjugate)


@EVERY
@pytest.mark.parametrize("v", [-1.5, 0.3, 2.0])
def test_the_simplified_conjugate_is_the_printed_one(name, v):
    activation, conjugate = DIVERGENCES[name]
    t = activation(torch.tensor(v, dtype=torch.double)).item()
    assert conjugate(torch.tensor(v, dtype=torch.double)).item() == pytest.approx(CONJUGATES[name](t))


@EVERY
def test_the_conjugate_bounds_every_line_below_the_function(name):
    """Fenchel and Young: f(u) + f*(t) >= ut, and somewhere they meet."""
    activation, conjugate = DIVERGENCES[name]
    v = torch.tensor(0.4, dtype=torch.double)
    t, star = activation(v).item(), conjugate(v).item()
    gaps = [GENERATORS[name](u / 1000) + star - u / 1000 * t for u in range(1, 6000)]
    assert min(gaps) == pytest.approx(0, abs=1e-5) and min(gaps) > -1e-9


@EVERY
def test_a_higher_logit_is_more_real(name):
    v = torch.linspace(-2, 2, 9)
    activation, conjugate = DIVERGENCES[name]
    assert (activation(v).diff() > 0).all()
    assert name == "pearson" or (conjugate(v).diff() > 0).all()  # χ² falls below -2 alone


def test_the_divergence_gan_is_the_loss_gan():
    real, fake = torch.randn(5, 1), torch.randn(5, 1)
    ours, plain = FDivergenceLoss(nn.Identity(), divergence="gan"), GANLoss(nn.Identity())
    torch.testing.assert_close(ours.discriminator_loss(real, fake), plain.discriminator_loss(real, fake))
    torch.testing.assert_close(ours.generator_loss(fake), plain.generator_loss(fake))


def test_total_variation_by_hand():
    loss = FDivergenceLoss(nn.Identity(), divergence="total-variation")
    assert loss.discriminator_loss(torch.ones(1, 1), -torch.ones(1, 1)).item() == pytest.approx(-tanh(1))
