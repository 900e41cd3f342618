from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from ganzo.hook import Hook
from ganzo.nn import sampling
from ganzo.registry import Registry, register
from small import equal, play

CONV = {
    "generator": "conv", "generator_channels": 8, "generator_layers": None, "image_size": 16,
    "generator_hook": ["ema"], "ema_decay": 0.5,
}  # fmt: skip


def test_samples_and_weights_for_users_come_from_the_average():
    run = play(**CONV)
    player = run.game.generator
    assert run.game.sampler is player.average is not player.network
    users = load_file("models/run/generator.safetensors")
    assert equal(users, dict(player.average.state_dict()))
    assert not equal(users, dict(player.network.state_dict()))
    raw = load_file("models/run/checkpoints/2-6/generator.safetensors")
    assert equal(raw, dict(player.network.state_dict()))


def test_without_an_average_they_come_from_the_network():
    run = play()
    assert run.game.sampler is run.game.generator.network


def test_batch_norm_statistics_are_those_of_the_average():
    run = play(**CONV)
    average, network = run.game.sampler, run.game.generator.network
    norms = [[m for m in net.modules() if isinstance(m, nn.BatchNorm2d)] for net in (average, network)]
    assert all(norm.num_batches_tracked == sampling.BATCHES for norm in norms[0])
    assert not any(torch.equal(a.running_mean, b.running_mean) for a, b in zip(*norms, strict=True))
    assert not average.stale
    stored = load_file("models/run/checkpoints/2-6/generator-average.safetensors")
    assert equal(stored, dict(average.state_dict()))


def test_they_are_estimated_only_when_the_average_has_moved(monkeypatch):
    moves = []
    monkeypatch.setattr(
        sampling,
        "labels_for",
        lambda *args, plain=sampling.labels_for: (moves.append(args[0]), plain(*args))[1],
    )
    run = play(**CONV, epochs=1)
    assert len(moves) == sampling.BATCHES  # one checkpoint at the end, and the weights for users
    sampling.sample_images(run.game.sampler, run.noise, 4, 0, None, 0)
    assert len(moves) == sampling.BATCHES


def test_a_discriminator_with_batch_norm_may_be_averaged_too():
    run = play(
        discriminator="conv", discriminator_channels=4, discriminator_layers=None, image_size=16, epochs=2,
        discriminator_hook=["ema"],
    )  # fmt: skip
    assert Path("models/run/checkpoints/2-6/discriminator-average.safetensors").exists()
    assert equal(
        load_file("models/run/discriminator.safetensors"), dict(run.game.discriminator.average.state_dict())
    )


def test_weights_are_clipped_after_each_move():
    run = play(discriminator_hook=["weight-clipper"], clip_to=0.01, loss="wgan")
    weights = [m.weight for m in run.game.discriminator.network.modules() if isinstance(m, nn.Linear)]
    assert weights and all(weight.abs().max() <= 0.01 for weight in weights)
    assert all(p.abs().max() > 0.01 for p in list(run.game.generator.network.parameters())[:1])


def test_an_average_goes_on_after_a_restore():
    whole = play(experiment="whole", epochs=4, **CONV)
    play(epochs=2, **CONV)
    restored = play(epochs=4, restore=True, **CONV)
    assert equal(dict(restored.game.sampler.state_dict()), dict(whole.game.sampler.state_dict()))
    assert restored.game.generator.hooks[0].steps == 12


class OnlyApplies:
    """A third party's hook of the older kind."""

    def __init__(self, options):
        self.moves = 0

    def apply(self, model):
        self.moves += 1


class Attaches(Hook):
    attached = None

    def attach(self, model):
        self.attached = model

    def apply(self, model):
        assert model is self.attached


@pytest.fixture
def third_party():
    register("hook", "only-applies")(OnlyApplies)
    register("hook", "attaches")(Attaches)
    yield
    del Registry._classes["hook"]["only-applies"], Registry._classes["hook"]["attaches"]


def test_third_parties_hooks_work_one_after_the_other(third_party):
    run = play(generator_hook=["only-applies", "attaches"])
    assert [type(hook) for hook in run.game.generator.hooks] == [OnlyApplies, Attaches]
    assert run.game.generator.hooks[0].moves == 6
    assert play(restore=True, generator_hook=["only-applies", "attaches"], epochs=3).epoch == 3
