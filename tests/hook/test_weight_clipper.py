from argparse import Namespace

import pytest
import torch
from torch import nn

from ganzo.errors import OptionError
from ganzo.hook.weight_clipper import WeightClipper
from ganzo.nn.spectral import spectral


def test_weights_are_clamped_in_every_submodule_and_biases_are_not():
    model = nn.Sequential(nn.Linear(2, 2), nn.Sequential(nn.BatchNorm1d(2)))
    with torch.no_grad():
        model[0].weight.copy_(torch.tensor([[5.0, -5.0], [0.01, -0.01]]))
        model[0].bias.fill_(5.0)
    WeightClipper(clip_to=0.1).apply(model)
    torch.testing.assert_close(model[0].weight.detach(), torch.tensor([[0.1, -0.1], [0.01, -0.01]]))
    assert model[0].bias.tolist() == [5.0, 5.0]
    assert model[1][0].weight.tolist() == pytest.approx([0.1, 0.1])


def test_weights_go_on_learning_afterwards():
    model = nn.Linear(2, 1)
    WeightClipper().apply(model)
    model(torch.ones(1, 2)).sum().backward()
    assert model.weight.is_leaf and model.weight.grad is not None


def test_weights_that_spectral_norm_computes_are_refused_before_the_first_move():
    with pytest.raises(
        OptionError, match=r"`weight-clipper` must own the weights.*`spectral_norm`.*Leave one"
    ):
        WeightClipper().attach(spectral(nn.Sequential(nn.Linear(2, 2))))


def test_the_bound_is_an_option():
    assert WeightClipper(Namespace(weight_clipper_clip_to=0.5)).clip_to == 0.5
    assert WeightClipper(Namespace(clip_to=0.5)).clip_to == 0.5  # as the older system spelt it
