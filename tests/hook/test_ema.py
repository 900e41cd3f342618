from argparse import Namespace

import pytest
import torch
from torch import nn

from ganzo.hook.ema import EMA
from ganzo.nn.spectral import spectral


def single(value):
    model = nn.Linear(1, 1, bias=False)
    nn.init.constant_(model.weight, value)
    return model


def test_without_ramp_each_move_keeps_decay_of_the_average():
    model, ema = single(0.0), EMA(decay=0.75, ramp=False)
    ema.attach(model)
    nn.init.constant_(model.weight, 1.0)
    ema.apply(model)
    assert ema.average.weight.item() == pytest.approx(0.25)
    ema.apply(model)
    assert ema.average.weight.item() == pytest.approx(1 - 0.75**2)


def test_ramp_lets_young_averages_forget_faster():
    model, ema = single(0.0), EMA(decay=0.15, ramp=True)
    ema.attach(model)
    nn.init.constant_(model.weight, 1.0)
    left = 1.0
    for decay in (1 / 10, 0.15, 0.15):  # 2/11 is above 0.15 already
        ema.apply(model)
        left *= decay
        assert 1 - ema.average.weight.item() == pytest.approx(left, rel=1e-4)


def test_average_starts_as_a_copy_that_neither_learns_nor_drops():
    model, ema = nn.Sequential(nn.Linear(2, 2), nn.Dropout()), EMA()
    ema.attach(model)
    assert torch.equal(ema.average[0].weight, model[0].weight)
    assert ema.average[0].weight.data_ptr() != model[0].weight.data_ptr()
    assert not any(p.requires_grad for p in ema.average.parameters())
    assert not ema.average.training and model.training


def test_buffers_are_copied():
    model, ema = nn.BatchNorm1d(2), EMA(decay=1.0, ramp=False)
    ema.attach(model)
    model(5 + torch.randn(8, 2))
    ema.apply(model)
    assert torch.equal(ema.average.running_mean, model.running_mean)
    assert ema.average.num_batches_tracked.item() == 1


def test_apply_alone_attaches():
    model, ema = single(2.0), EMA()
    ema.apply(model)
    assert ema.average.weight.item() == 2.0


def test_state_is_the_counter_and_restoring_goes_on_as_if_nothing_happened():
    model, ema = single(0.0), EMA()
    ema.attach(model)
    nn.init.constant_(model.weight, 1.0)
    ema.apply(model)
    ema.apply(model)
    assert ema.state_dict() == {"steps": 2}

    other = EMA()
    other.attach(model)
    other.average.load_state_dict(ema.average.state_dict())
    other.load_state_dict(ema.state_dict())
    nn.init.constant_(model.weight, 3.0)
    ema.apply(model)
    other.apply(model)
    assert torch.equal(other.average.weight, ema.average.weight)


def test_networks_under_spectral_norm_are_averaged():
    model, ema = spectral(nn.Sequential(nn.Linear(3, 3))), EMA(decay=0.0, ramp=False)
    ema.attach(model)
    with torch.no_grad():
        model[0].parametrizations.weight.original.add_(1.0)
    model(torch.randn(2, 3))
    ema.apply(model)
    x = torch.randn(2, 3)
    torch.testing.assert_close(ema.average(x), model.eval()(x))


def test_options_bear_its_name():
    ema = EMA(Namespace(ema_decay=0.5, ema_ramp=False))
    assert (ema.decay, ema.ramp) == (0.5, False)
