import pytest
import torch
from torch import nn

from ganzo.loss.lsgan import LSGANLoss


def test_logits_are_drawn_to_their_labels():
    loss = LSGANLoss(nn.Identity())
    real, fake = torch.tensor([[3.0], [1.0]]), torch.tensor([[2.0], [0.0]])
    assert loss.discriminator_loss(real, fake).item() == (4 + 0) / 2 + (4 + 0) / 2
    assert loss.generator_loss(fake).item() == (1 + 1) / 2


def test_the_labels_of_pearsons_divergence():
    loss = LSGANLoss(nn.Identity(), fake_label=-1, real_label=1, wanted_label=0)
    assert loss.discriminator_loss(torch.tensor([[2.0]]), torch.tensor([[2.0]])).item() == 1 + 9
    assert loss.generator_loss(torch.tensor([[2.0]])).item() == 4


def test_patches_are_averaged():
    assert LSGANLoss(nn.Identity()).generator_loss(torch.zeros(2, 1, 3, 3)).item() == pytest.approx(1)
