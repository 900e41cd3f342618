from argparse import Namespace

import pytest
import torch
from torch import nn

from ganzo.loss.hinge import HingeLoss


@pytest.mark.parametrize(
    ("margin", "real", "fake", "expected"),
    [
        (1.0, 2.0, -2.0, 0.0),
        (1.0, 0.0, 0.0, 2.0),
        (1.0, -1.0, -1.0, 2.0),
        (0.5, 0.5, -0.5, 0.0),
        (0.5, 0.0, 0.0, 1.0),
    ],
)
def test_hinge_stops_past_the_margin(margin, real, fake, expected):
    loss = HingeLoss(nn.Identity(), margin=margin)
    assert loss.discriminator_loss(torch.full((4, 1), real), torch.full((4, 1), fake)).item() == expected


def test_generator_raises_its_logits():
    assert HingeLoss(nn.Identity()).generator_loss(torch.tensor([[1.0], [4.0]])).item() == -2.5


def test_past_the_margin_nothing_pushes():
    real = torch.tensor([[2.0], [0.0]], requires_grad=True)
    HingeLoss(nn.Identity()).discriminator_loss(real, torch.full((2, 1), -2.0)).backward()
    assert real.grad.tolist() == [[0.0], [-0.5]]


def test_margin_is_an_option():
    assert HingeLoss(Namespace(margin=0.25), nn.Identity()).margin == 0.25
