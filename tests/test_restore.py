import shutil
import signal
from pathlib import Path

import pytest
import torch

from formats import NAMED_SETS, named_set
from ganzo.game import Game
from ganzo.registry import Registry, register
from ganzo.roles import ROLES
from small import equal, everything, numbers, pictures, play

PAIRS = {
    "data_format": "pair-of-images",
    "split": "horizontal",
    "game": "translate",
    "generator": "u-gen",
}
NEEDS = {  # what a component cannot do without
    **{
        ("evaluation_criterion", name): {"metrics": [name], "generator": "cgan"}
        for name in Registry.keys("metric")
    },
    ("metrics", "intra-fid"): {"generator": "cgan"},
    ("metrics", "judge"): {"generator": "cgan"},  # the judge asks for classes
    ("generator", "good"): {"image_size": 16},
    ("discriminator", "good"): {"image_size": 16},
    ("generator", "sn-resnet"): {"image_size": 32},
    ("discriminator", "sn-resnet"): {"image_size": 32},
    ("generator", "msg"): {"image_size": 16, "discriminator": "msg"},
    ("discriminator", "msg"): {"image_size": 16},
    ("discriminator", "patch-gan"): {"discriminator_receptive_field": 16},
    **dict.fromkeys(
        [
            ("data_format", "pair-of-images"),
            ("generator", "u-gen"),
            ("loss", "pix2pix"),
            ("game", "translate"),
        ],
        PAIRS,
    ),
}
COMPONENTS = [(role.key, name) for role in ROLES.values() for name in Registry.keys(role.namespace)]


def settings(key, name):
    """A run that uses a component, small as far as the component allows."""
    chosen = {"generator": "fc", "discriminator": "fc", key: name} | NEEDS.get((key, name), {})
    chosen |= {"metrics_every": 1, "metrics_samples": 20, "snapshot_size": 4, "sample_every": 1}
    for player in ("generator", "discriminator"):
        chosen[f"{player}_layers"] = 2 if chosen[player] in ("fc", "u-gen") else None
        if chosen[player] not in ("fc", "good"):
            chosen[f"{player}_channels"] = 8
        elif chosen[player] == "good":
            chosen[f"{player}_channels"] = 2
    known = {o for o in chosen if not o.endswith(("_layers", "_channels")) or has_option(chosen, o)}
    return {option: chosen[option] for option in known}


def has_option(chosen, option):
    player, _, parameter = option.partition("_")
    signature = Registry.lookup(player, chosen[player]).__init__.__wrapped__.__annotations__
    return parameter in signature


@pytest.mark.parametrize(("key", "name"), COMPONENTS, ids=[f"{k}-{n}" for k, n in COMPONENTS])
def test_two_epochs_restored_and_two_more_equal_four(key, name, tmp_path):
    options = settings(key, name)
    if (key, name) == ("dataset", "folder"):
        options |= {"data_dir": pictures(tmp_path / "pictures"), "batch_size": 4}
    if key in ("metrics", "evaluation_criterion") and name in ("fid", "kid", "prdc", "intra-fid"):
        options |= {"metrics_features": "random"}  # no classifier has to be trained
    if name in NAMED_SETS:
        options |= named_set(tmp_path / "files", name) | {"batch_size": 4}
    whole = play(experiment="whole", epochs=4, **options)
    play(epochs=2, **options)
    restored = play(epochs=4, restore=True, **options)
    assert restored.epoch == 4
    assert equal(everything(restored), everything(whole))
    assert numbers(restored) == numbers(whole)
    for player in ("generator", "discriminator"):
        files = [Path("models", run, f"{player}.safetensors").read_bytes() for run in ("run", "whole")]
        assert files[0] == files[1]


RICH = {  # much that draws random numbers or keeps a state, all at once
    "loss": "gan", "soft_labels": True, "noisy_labels": True, "augment": ["diffaugment"],
    "regularizer": ["gradient-penalty", "r1"], "r1_every": 2,
    "generator": "conv", "generator_channels": 8, "generator_layers": None, "generator_dropout": 0.3,
    "discriminator_dropout": 0.3, "discriminator_spectral_norm": True,
    "generator_hook": ["ema"], "discriminator_hook": ["ema"],
    "evaluation_criterion": "generator-loss", "discriminator_iterations": 2, "generator_iterations": 2,
}  # fmt: skip


def rewind(run, turn):
    """Leave of a run that saved every turn what a process had left that was killed after a turn."""
    for folder in Path("models", run, "checkpoints").iterdir():
        if int(folder.name.partition("-")[2]) > turn:
            shutil.rmtree(folder)


@pytest.mark.parametrize(
    "more", [{}, {"precision": "bf16"}, {"max_batches_per_epoch": None, "batch_size": 300}]
)
def test_after_any_turn_the_run_goes_on_as_if_nothing_had_happened(more):
    options = RICH | more
    whole = play(experiment="whole", checkpoint_every=0.0, keep_checkpoints=1000, **options)
    assert whole.game.turns >= 4
    for turn in range(whole.game.turns):
        shutil.copytree("models/whole", "models/run")
        rewind("run", turn)
        restored = play(restore=True, **options)
        assert equal(everything(restored), everything(whole)), f"after turn {turn}"
        assert numbers(restored) == numbers(whole)
        shutil.rmtree("models/run")


def test_a_checkpoint_after_each_turn_changes_nothing():
    assert equal(everything(play(**RICH)), everything(play(experiment="other", checkpoint_every=0.0, **RICH)))


@pytest.fixture
def signal_at_turn(monkeypatch):
    """Send this process a signal in the middle of a turn."""

    def arm(turn, number=signal.SIGTERM):
        step = Game._take

        def take(self, data):
            if self.turns == turn:
                monkeypatch.setattr(Game, "_take", step)
                signal.raise_signal(number)
            return step(self, data)

        monkeypatch.setattr(Game, "_take", take)

    return arm


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_inside_an_epoch_and_nothing_is_lost(signal_at_turn, number, capsys):
    before = signal.getsignal(signal.SIGINT)
    whole = play(experiment="whole", epochs=4, **RICH)
    signal_at_turn(4, number)
    stopped = play(epochs=4, **RICH)
    assert stopped.stop == number.name
    assert (stopped.epoch, stopped.game.turns, stopped.game.turns_of_epoch) == (1, 5, 2)
    assert (
        f"{number.name}: the run is saved at epoch 1, turn 5; go on with `--restore`."
        in capsys.readouterr().out
    )
    restored = play(epochs=4, restore=True, **RICH)
    assert equal(everything(restored), everything(whole))
    assert numbers(restored) == numbers(whole)
    assert signal.getsignal(signal.SIGINT) is before


def test_a_signal_before_the_first_turn_leaves_a_run_that_starts_over(monkeypatch):
    from ganzo.run import Run

    whole, begin = play(experiment="whole"), Run.begin
    monkeypatch.setattr(Run, "begin", lambda *args: (begin(*args), signal.raise_signal(signal.SIGTERM))[0])
    assert play().game.turns == 0
    monkeypatch.setattr(Run, "begin", begin)
    assert equal(everything(play(restore=True)), everything(whole))


def test_time_that_runs_out_just_after_the_last_look_loses_nothing(monkeypatch):
    """The run is over in the moment between two looks at the clock: after the epoch's end, before the next begins."""
    from ganzo.run import Run

    whole, epoch_over = play(experiment="whole", epochs=4), Run.epoch_over

    def late(self, improved):
        epoch_over(self, improved)
        if self.epoch == 2:
            self.clock.stop = "SIGTERM"

    monkeypatch.setattr(Run, "epoch_over", late)
    assert play(epochs=4).epoch == 2
    assert Path("models/run/checkpoints/2-6").exists()
    monkeypatch.setattr(Run, "epoch_over", epoch_over)
    restored = play(epochs=4, restore=True)
    assert numbers(restored)[0] == numbers(whole)[0]
    assert equal(everything(restored), everything(whole))
    assert restored.seconds > 0 and len(restored.history) == 4


def test_a_run_whose_time_is_up_goes_on_when_it_gets_more():
    whole = play(experiment="whole", epochs=3)
    short = play(epochs=3, max_seconds=1e-9)
    assert short.game.turns < whole.game.turns
    assert equal(everything(play(epochs=3, restore=True)), everything(whole))


def test_the_same_options_give_the_same_weights_and_another_seed_others():
    one, two, three = play(experiment="a"), play(experiment="b"), play(experiment="c", seed=2)
    assert equal(everything(one), everything(two))
    assert not equal(everything(one)["networks"], everything(three)["networks"])


def test_a_finished_run_is_restored_without_training():
    first = everything(play())
    assert equal(everything(play(restore=True)), first)


def test_weights_for_users_that_are_missing_come_back():
    """A process may be killed between its last checkpoint and the weights for users."""
    play()
    before = Path("models/run/generator.safetensors").read_bytes()
    Path("models/run/generator.safetensors").unlink()
    play(restore=True)
    assert Path("models/run/generator.safetensors").read_bytes() == before


def test_another_memory_layout_may_be_restored():
    play(channels_last=False, generator="conv", generator_layers=None, generator_channels=8)
    run = play(
        channels_last=True,
        generator="conv",
        generator_layers=None,
        generator_channels=8,
        restore=True,
        epochs=4,
    )
    weight = run.game.generator.network.layers[3].weight
    assert run.epoch == 4 and weight.is_contiguous(memory_format=torch.channels_last)
    moments = run.game.generator.optimizer.state[weight]["exp_avg"]
    assert moments.is_contiguous(memory_format=torch.channels_last)


def test_a_run_may_move_to_another_folder_and_another_name(tmp_path):
    whole = play(experiment="whole", epochs=4)
    play(epochs=2)
    (tmp_path / "elsewhere").mkdir()
    shutil.move("models/run", tmp_path / "elsewhere" / "moved")
    restored = play(
        epochs=4, restore=True, experiment="moved", model_dir=str(tmp_path / "elsewhere"), output_dir="new"
    )
    assert equal(everything(restored), everything(whole))
    assert len(Path("new/moved/results.json").read_text().splitlines()) == 4


class OnlyEpochs:
    """A game of the older kind: nothing but `run_epoch`, and a state of its own."""

    def __init__(self, options, generator, discriminator, loss, hooks=None):
        self.generator, self.discriminator, self.loss = generator, discriminator, loss
        self.moves = 0

    def run_epoch(self, data, noise):
        while (batch := data.next()) is not None:
            self.moves += 1
            with torch.no_grad():
                for weight in self.generator.parameters():
                    weight.add_(noise.next(1).mean() * batch.image.float().mean() / 1000 * self.moves)
        data.reset()
        return {"generator": self.moves, "discriminator": 0.0}

    def state_dict(self):
        return {"moves": self.moves}

    def load_state_dict(self, state):
        self.moves = state["moves"]


@pytest.fixture
def third_party_game():
    register("game", "only-epochs")(OnlyEpochs)
    yield
    del Registry._classes["game"]["only-epochs"]


def test_a_game_that_only_knows_epochs_is_restored_too(third_party_game):
    options = {"game": "only-epochs", "batch_size": 300}
    whole = play(experiment="whole", epochs=4, **options)
    play(epochs=2, **options)
    restored = play(epochs=4, restore=True, **options)
    assert restored.game.inner.moves == 16
    assert equal(everything(restored), everything(whole))
