"""The memory of a run: by hand for layers that a reader can count, for every component, and against real turns."""

import sys
from argparse import Namespace

import pytest
import torch

from ganzo.assemble import assemble
from ganzo.game.epochs import EpochGame
from ganzo.ledger import Course
from ganzo.memory import ShortPasses, estimate, play, throw_away, watched
from ganzo.nn.random import random_state
from ganzo.options import make_options
from ganzo.registry import Registry, parameters
from pairs import TRANSLATES, pair_pictures
from small import equal, pictures, small
from third_games import THIRD


def numbers(network):
    return sum(weight.numel() for weight in network.parameters())


def fc(**changed):
    """8×8 grey digits: the generator 4-8-64, the discriminator 64-8-1; so 616 and 529 weights."""
    return small(**{"batch_size": 16, "generator": "fc", "discriminator": "fc", "subset": 64, **changed})


WEIGHTS = {"generator": 616, "discriminator": 529}


def test_the_weights_are_those_that_the_other_tests_count():
    parts = assemble(fc())
    assert {name: numbers(p.network) for name, p in parts.game.players.items()} == WEIGHTS


@pytest.mark.parametrize(
    "optimizer, kept, single",
    [("adam", 2, 1), ("adamw", 2, 1), ("rmsprop", 1, 0), ("sgd", 0, 0)],
)
def test_an_optimizer_counts_by_what_it_keeps(optimizer, kept, single):
    found = estimate(fc(generator_optimizer=optimizer, discriminator_optimizer="sgd")).items()
    assert found["weights"] == 4 * sum(WEIGHTS.values())
    layers = 4  # weights and biases of two layers, each with a step of its own
    state = 4 * (kept * WEIGHTS["generator"] + single * layers)
    assert abs(found.get("optimizer", 0) - state) <= (4 * layers if optimizer == "rmsprop" else 0)


def test_an_average_is_a_second_generator():
    assert estimate(fc(generator_hook="ema")).items()["moving averages"] == 4 * WEIGHTS["generator"]
    assert "moving averages" not in estimate(fc()).items()


def test_what_grows_is_what_a_reader_counts():
    """A generator without hidden layers, 4 → 64: each image more is 64 numbers wherever an image lives."""
    found = estimate(fc(discriminator_layers=1, generator_layers=1))
    small, large = found.items(1000), found.items(2000)
    fixed = ("weights", "optimizer", "gradients")
    assert [small[role] for role in fixed] == [large[role] for role in fixed]
    grown = {role: (large[role] - small[role]) / 1000 for role in ("activations", "buffers") if role in large}
    each = 4 * 64  # bytes of an image
    # In the generator's move: real, fake and the generator's own result, which tanh keeps; and a few logits beside.
    assert 2 * each <= sum(grown.values()) <= 6 * each


def test_each_image_more_costs_the_same():
    found = estimate(small(generator="conv", discriminator="conv", subset=64))
    one, two, four = (found.total(n) for n in (1000, 2000, 4000))
    assert two - one > 0 and four - two == pytest.approx(2 * (two - one), rel=0.01)


MSG = {  # its two networks go together
    "msg": {"generator": "msg", "discriminator": "msg", "generator_channels": 8, "discriminator_channels": 8}
}


GAMES = {
    "standard": {},
    "conv with everything": {
        "generator": "conv", "discriminator": "conv", "loss": "hinge", "regularizer": "r1:every=4",
        "generator_hook": "ema", "augment": "diffaugment", "reuse_fakes": True,
    },
    "gradient penalty": {"loss": "wgan-gp", "generator": "conv", "discriminator": "conv"},
    "many moves": {"discriminator_iterations": 2, "generator_iterations": 3},
    "several scales": {**MSG["msg"], "image_size": 16, "loss": "wgan-gp"},
    "bf16": {"precision": "bf16", "generator": "conv", "discriminator": "conv"},
    "spectral norm": {"discriminator_spectral_norm": True, "discriminator": "conv", "channels_last": True},
    "classes": {"conditional": "concat", "generator_hook": "ema"},
}  # fmt: skip


@pytest.mark.parametrize("changed", GAMES.values(), ids=GAMES)
def test_what_two_small_turns_tell_is_what_a_large_one_takes(changed):
    options = small(**{"batch_size": 24, "subset": 64} | changed)
    found = estimate(options)
    assert found.course.comparable and found.batch_size == 24
    ledger, began, size, _ = watched(options, 24)
    assert size == 24
    real = Course({24: ledger}, began).peak(24)
    told = found.items()
    assert sum(told.values()) == pytest.approx(sum(real.values()), rel=0.02)
    for role in ("weights", "optimizer"):
        assert told[role] == real[role]


def test_a_penalty_that_is_not_due_in_each_turn_is_seen():
    plain = {"discriminator": "conv", "generator": "fc", "batch_size": 64, "subset": 64}
    lazy = estimate(small(**plain, regularizer="r1:every=16")).total()
    assert lazy > 1.2 * estimate(small(**plain)).total()
    assert lazy == estimate(small(**plain, regularizer="r1:every=1")).total()


WORLD = {
    "dataset": "digits", "image_size": 32, "image_colors": 1, "state_size": 4, "seed": 1, "batch_size": 4,
    "generator": "fc", "generator_layers": 2, "discriminator": "fc", "tune": False, "subset": 12,
}  # fmt: skip


def assert_a_number(**changed):
    found = estimate(make_options(**WORLD | changed))
    assert found.course.comparable
    assert found.total() > found.items()["weights"] > 0 and found.fitting(1 << 40, 2) >= 4


@pytest.mark.parametrize("name", Registry.keys("generator"))
def test_every_generator_has_a_number(name, tmp_path):
    changed = {"generator": name, "generator_layers": None}
    if name == "u-gen":
        changed = TRANSLATES | {"data_dir": pair_pictures(tmp_path / "pairs")}
    assert_a_number(**narrow("generator", name) | changed | MSG.get(name, {}))


@pytest.mark.parametrize("name", Registry.keys("discriminator"))
def test_every_discriminator_has_a_number(name):
    own = {"discriminator_receptive_field": 16} if name == "patch-gan" else MSG.get(name, {})
    assert_a_number(**narrow("discriminator", name) | {"discriminator": name} | own)


def narrow(role, name):
    known = {p.name for p in parameters(Registry.lookup(role, name))}
    return {f"{role}_channels": 8} if "channels" in known else {}


ROOMS = ("loss", "regularizer", "augment", "noise", "hook", "optimizer", "game")
PARTS = [(room, name) for room in ROOMS for name in Registry.keys(room)]


@pytest.mark.parametrize(("room", "name"), PARTS, ids=["-".join(part) for part in PARTS])
def test_every_part_of_the_step_has_a_number(room, name, tmp_path):
    changed = {"generator_hook" if room == "hook" else room: name}
    if "translate" in name or name == "pix2pix":
        changed = TRANSLATES | changed | {"data_dir": pair_pictures(tmp_path / "pairs")}
    if room == "optimizer":
        changed = {"generator_optimizer": name, "discriminator_optimizer": name}
    assert_a_number(**changed)


def test_no_trace_is_left(own_folder):
    options = fc()
    torch.set_num_threads(1)
    before, asked = random_state(), dict(vars(options))
    estimate(options)
    assert equal(random_state(), before) and vars(options) == asked
    assert [path for path in own_folder.iterdir() if path.name != "cache"] == []
    assert torch.get_num_threads() == 1


@pytest.mark.parametrize("batch_size, played", [(1, {1, 2}), (2, {2, 3}), (3, {2, 3}), (16, {2, 4})])
def test_the_small_batches_are_no_larger_than_they_need_be(batch_size, played, monkeypatch):
    seen = []
    monkeypatch.setattr("ganzo.memory.watched", lambda options, n: seen.append(n) or watched(options, n))
    assert estimate(small(batch_size=batch_size)).batch_size == batch_size
    assert set(seen) == played


def test_data_with_no_more_examples_tell_of_their_own_batch(tmp_path):
    folder = pictures(tmp_path / "two", count=2, classes=1)
    found = estimate(small(dataset="folder", data_dir=folder, batch_size=2))
    assert found.total() > 0 and not found.course.comparable
    assert found.fitting(1 << 40) is None


def test_two_games_live_side_by_side_while_tuning():
    alone, tuning = fc(), fc()
    tuning.tune, tuning.channels_last = True, None
    found = estimate(tuning).items()
    assert found["tuning"] == sum(found[role] for role in ("weights", "gradients", "optimizer"))
    assert "tuning" not in estimate(alone).items()


def test_gradients_that_travel_are_copied(monkeypatch):
    from ganzo.launch import Ranks

    monkeypatch.setattr("ganzo.nn.ranks._ranks", Ranks(0, 2, 0, 2, talks=False))
    found = estimate(fc())
    assert found.batch_size == 8  # of 16 in two processes
    assert found.items()["exchange"] == 2 * found.items()["gradients"]


def test_the_batch_that_fits():
    found = estimate(fc())
    free = found.total(100)
    fits = found.fitting(free)
    assert found.total(fits) <= free < found.total(fits + 1) and fits >= 100
    assert found.fitting(free, 8) == fits // 8 * 8
    assert found.fitting(found.total(1) - 1) == 0


# --- third parties


@pytest.fixture
def third(own_folder):
    (own_folder / "third.py").write_text(THIRD)
    yield "third.py:"
    sys.modules.pop("third", None)


def test_a_game_of_one_minibatch_has_a_number(third):
    found = estimate(small(game=third + "Instance"))
    assert found.course.comparable and found.items()["optimizer"] > 0


def test_a_game_that_knows_epochs_alone_plays_a_short_one(third):
    found = estimate(small(game=third + "EpochOnly", batch_size=32))
    assert found.batch_size == 32 and found.total() > found.items()["weights"]
    parts = assemble(small(game=third + "EpochOnly"))
    play(parts.game, parts.data, parts.noise, 2)
    assert (
        isinstance(parts.game, EpochGame) and parts.game.inner.epochs == 2 and parts.data.position < 32 * 20
    )


def test_a_game_that_does_more_with_larger_batches_has_a_number_too(third):
    found = estimate(small(game=third + "Odd", batch_size=32))
    assert not found.course.comparable and found.total(64) > found.total(32) > 0
    assert found.fitting(1 << 40) is None


def test_data_that_decide_on_their_batch_size_keep_it(third):
    found = estimate(small(data_format=third + "OwnBatches", batch_size=500))
    assert found.batch_size == 12 and found.fitting(1 << 40) is None


def test_what_torch_makes_of_data_is_counted_and_what_is_mapped_is_not(third):
    assert estimate(small(data_format=third + "Endless", batch_size=8)).items()["data"] == 9 * 4
    # the order of the digits; their pixels are not torch's
    assert estimate(small()).items()["data"] == 1438 * 4


def test_what_breaks_is_told(third):
    with pytest.raises(TypeError, match="something of theirs"):
        estimate(small(game=third + "Breaks"))


def test_short_passes():
    class Counting:
        position, resets, batches = 0, 0, 99

        def next(self):
            self.position += 1
            return self.position

        def reset(self):
            self.resets += 1

    inner = Counting()
    data = ShortPasses(inner, batches=2)
    assert [data.next() for _ in range(4)] == [1, 2, None, None]
    data.reset()
    assert data.next() == 3 and inner.resets == 1 and data.resets == 1


def test_turns_are_played_across_the_end_of_a_pass():
    options = small(batch_size=500, max_batches_per_epoch=None)  # two batches in a pass
    parts = assemble(options)
    before = parts.game.turns
    play(parts.game, parts.data, parts.noise, 5)
    assert parts.game.turns == before + 5


def test_a_game_that_is_thrown_away_does_without_what_takes_time():
    options = Namespace(generator_iterations=1000, compile=True, batch_size=64)
    trial = throw_away(options, batch_size=2)
    assert (trial.generator_iterations, trial.compile, trial.batch_size) == (2, False, 2)
    assert (options.generator_iterations, options.compile, options.batch_size) == (1000, True, 64)
