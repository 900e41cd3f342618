from math import exp, log

import pytest
import torch
from torch import nn

from ganzo.loss.relativistic import RelativisticLoss
from ganzo.loss.relativistic_average import RelativisticAverageLoss
from ganzo.registry import Registry
from small import play

REAL, FAKE = torch.tensor([[1.0], [3.0]]), torch.tensor([[0.0], [2.0]])  # means 2 and 1


@pytest.mark.parametrize(
    ("form", "discriminator", "generator"),
    [
        # margins of the discriminator: real less 1 are 0 and 2, 2 less fake are 2 and 0;
        # of the generator: fake less 2 are -2 and 0, 1 less real are 0 and -2
        ("logistic", log(2) + log(1 + exp(-2)), log(2) + log(1 + exp(2))),
        ("hinge", 0.5 + 0.5, 2.0 + 2.0),
        ("least-squares", 1.0 + 1.0, 5.0 + 5.0),
    ],
)
def test_each_form_by_hand(form, discriminator, generator):
    loss = RelativisticAverageLoss(nn.Identity(), relativistic_form=form)
    assert loss.for_discriminator(REAL, FAKE).item() == pytest.approx(discriminator)
    assert loss.for_generator(FAKE, real=REAL).item() == pytest.approx(generator)


def test_only_differences_count():
    loss = RelativisticAverageLoss(nn.Identity())
    assert loss.discriminator_loss(REAL + 7, FAKE + 7).item() == pytest.approx(
        loss.discriminator_loss(REAL, FAKE).item()
    )


def test_the_standard_one_is_the_pairing():
    assert Registry.lookup("loss", "relativistic-standard") is RelativisticLoss


@pytest.mark.parametrize("name", ["relativistic-standard", "relativistic-average"])
def test_a_game_hands_over_the_real_images(name):
    assert play(epochs=1, loss=name).epoch == 1
