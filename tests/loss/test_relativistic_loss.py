from math import log

import pytest
import torch
from torch import nn

from ganzo.loss.relativistic import RelativisticLoss


def test_equal_logits_cost_log_2_whatever_they_are():
    loss = RelativisticLoss(nn.Identity())
    logits = torch.tensor([[3.0], [-7.0]])
    assert loss.discriminator_loss(logits, logits).item() == pytest.approx(log(2))
    assert loss.for_generator(logits, real=logits).item() == pytest.approx(log(2))


def test_each_pair_is_compared():
    loss = RelativisticLoss(nn.Identity())
    real, fake = torch.tensor([[50.0], [0.0]]), torch.tensor([[0.0], [50.0]])
    # the first pair is right and costs 0, the second wrong by 50; a difference of means would be 0
    assert loss.discriminator_loss(real, fake).item() == pytest.approx(25.0)
    assert loss.for_generator(fake, real=real).item() == pytest.approx(25.0)


def test_generator_wants_the_opposite_of_the_discriminator():
    loss = RelativisticLoss(nn.Identity())
    real, fake = torch.full((2, 1), 50.0), torch.zeros(2, 1)
    assert loss.for_discriminator(real, fake).item() == pytest.approx(0.0, abs=1e-6)
    assert loss.for_generator(fake, real=real).item() == pytest.approx(50.0)


def test_real_images_are_judged_under_the_same_labels():
    def critic(images, labels):
        return images * labels

    labels = torch.tensor([[2.0]])
    value = RelativisticLoss(critic).for_generator(torch.tensor([[0.0]]), labels, real=torch.tensor([[30.0]]))
    assert value.item() == pytest.approx(60.0)


def test_patches_are_averaged():
    loss = RelativisticLoss(nn.Identity())
    assert loss.discriminator_loss(torch.zeros(2, 1, 3, 3), torch.zeros(2, 1, 3, 3)).item() == pytest.approx(
        log(2)
    )
