"""How learning rates change from epoch to epoch."""

from math import exp

import pytest
from torch import nn

from ganzo.errors import OptionError
from ganzo.game.player import Player, default_optimizer
from ganzo.optimizer.schedule import Schedule
from small import equal, everything, numbers, play


def factors(schedule, epochs, player="generator"):
    network = nn.Linear(1, 1)
    players = {player: Player(network, default_optimizer(network))}
    found = []
    for epoch in range(1, epochs + 1):
        schedule.set(players, epoch)
        found.append(players[player].optimizer.param_groups[0]["lr"] / 1e-4)
    return found


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, [1, 1, 1, 1]),
        ({"lr_schedule": "linear"}, [1, 3 / 4, 2 / 4, 1 / 4]),
        ({"lr_schedule": "linear", "lr_decay_start": 2}, [1, 1, 1, 1 / 2]),
        ({"lr_schedule": "linear", "lr_decay_epochs": 2, "lr_end": 0.1}, [1, 0.55, 0.1, 0.1]),
        ({"lr_schedule": "cosine"}, [1, (1 + 0.5**0.5) / 2, 1 / 2, (1 - 0.5**0.5) / 2]),
        ({"lr_warmup": 3}, [1 / 4, 2 / 4, 3 / 4, 1]),
        ({"lr_schedule": "linear", "lr_warmup": 1}, [1 / 2, 3 / 4, 2 / 4, 1 / 4]),
        ({"lr_schedule": "ramp", "lr_warmup": 2}, [exp(-5), exp(-5 / 4), 1, 1]),
    ],
)
def test_what_the_rate_is_multiplied_by(settings, expected):
    assert factors(Schedule(4, **settings), 4) == pytest.approx(expected)


def test_players_may_differ():
    schedule = Schedule(2, lr_schedule="linear", discriminator_lr_schedule="constant")
    assert factors(schedule, 2) == pytest.approx([1, 0.5])
    assert factors(schedule, 2, "discriminator_2") == pytest.approx([1, 1])


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"lr_schedule": "ramp"}, "give its epochs by `--lr-warmup`"),
        ({"lr_decay_start": 2}, "belong to a schedule that falls"),
        ({"lr_schedule": "ramp", "lr_warmup": 1, "lr_end": 0.1}, "belong to a schedule that falls"),
    ],
)
def test_what_does_not_fit_is_refused(settings, words):
    with pytest.raises(OptionError, match=words):
        Schedule(4, **settings)


def test_it_is_refused_before_anything_is_written(refused, tiny):
    assert "--lr-warmup" in refused(f"{tiny} --experiment x --generator-lr-schedule ramp")


def test_the_rate_of_each_epoch_is_in_the_record():
    run = play(epochs=2, lr_schedule="cosine", generator_lr=0.5, discriminator_lr_schedule="linear")
    assert [line["lr_g"] for line in numbers(run)] == pytest.approx([0.5, 0.25])
    assert [line["lr_d"] for line in numbers(run)] == pytest.approx([1e-4, 0.5e-4])


FALL = {"lr_schedule": "linear", "lr_decay_epochs": 4, "lr_warmup": 1}


def test_a_restored_run_goes_on_bit_for_bit():
    whole = play(experiment="whole", epochs=4, **FALL)
    play(epochs=2, **FALL)
    restored = play(epochs=4, restore=True, **FALL)
    assert equal(everything(whole), everything(restored)) and numbers(whole) == numbers(restored)


def test_more_epochs_stretch_a_fall_without_a_length():
    play(epochs=2, lr_schedule="linear", lr=1.0)
    run = play(epochs=4, lr_schedule="linear", lr=1.0, restore=True)
    assert [line["lr_g"] for line in numbers(run)] == pytest.approx([1, 0.5, 0.5, 0.25])
