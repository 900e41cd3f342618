"""What makes training quicker or smaller must not change what is learnt: levers on against levers off, in fp32.

The weights are compared after three turns of plain gradient descent: Adam would blow up the rounding of gradients that
are all but zero.
"""

import functools
import re
import subprocess
import sys
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from ganzo import machine
from ganzo.assemble import assemble
from ganzo.errors import OptionError, RunError
from ganzo.game.player import Player
from ganzo.nn import compiled
from ganzo.nn.compiled import graphs
from ganzo.registry import build
from pairs import pair_pictures
from small import everything, play, small

CONV = {
    "generator": "conv", "discriminator": "sn-resnet", "image_size": 32, "generator_layers": 4,
    "discriminator_channels": 8, "loss": "hinge", "batch_size": 8, "discriminator_spectral_norm": False,
}  # fmt: skip
FC = {"loss": "hinge"}
GAMES = {
    "hinge": {}, "gan": {"loss": "gan"}, "wgan-gp": {"loss": "wgan-gp"}, "relativistic": {"loss": "relativistic"},
    "r1": {"regularizer": "r1:every=2"}, "reuse": {"reuse_fakes": True}, "classes": {"conditional": "concat"},
    "moves": {"discriminator_iterations": 2, "generator_iterations": 2},
    "translate": {
        "game": "translate", "loss": "pix2pix", "l1_weight": 1.0, "reuse_fakes": True, "data_format": "pair-of-images",
        "split": "horizontal", "dataset": "folder", "data_dir": "pairs", "image_size": 8, "generator": "turn.py:Turn",
    },
}  # fmt: skip


def learnt(**changed):
    """The weights after three turns, in double precision."""
    parts = assemble(small(**{"optimizer": "sgd", "lr": 0.05, "max_batches_per_epoch": 3} | changed))
    parts.game.run_epoch(parts.data, parts.noise)
    networks = parts.game.networks().items()
    return {f"{n}.{key}": value.double() for n, net in networks for key, value in net.state_dict().items()}


def difference(one, other):
    return max((one[key] - other[key]).abs().max().item() for key in one)


@pytest.fixture(autouse=True)
def translation(own_folder):
    """What the game `translate` takes: pairs, and a generator without a batch norm."""
    pair_pictures(own_folder / "pairs", count=96, size=8)
    (own_folder / "turn.py").write_text(
        "from torch import nn\n\n\nclass Turn(nn.Module):\n    translates = True\n\n"
        "    def __init__(self, *, image_colors: int = 1):\n        super().__init__()\n"
        "        self.layer = nn.Conv2d(image_colors, image_colors, 3, padding=1)\n\n"
        "    def forward(self, images, labels=None):\n        return self.layer(images).tanh()\n"
    )


@pytest.mark.parametrize("game", GAMES.values(), ids=GAMES)
def test_gradients_of_four_small_batches_are_those_of_a_large_one(game):
    large = learnt(**FC | game, batch_size=32)
    assert difference(large, learnt(**FC | game, batch_size=8, accumulate=4)) < 1e-6
    assert difference(large, learnt(**FC | game, batch_size=32, seed=2)) > 1e-3  # the bound would tell


@pytest.mark.parametrize("game", GAMES.values(), ids=GAMES)
def test_one_pass_over_real_and_fake_images_is_two(game):
    once = learnt(**FC | game, one_pass=True)
    assert difference(learnt(**FC | game, one_pass=False), once) < 1e-6
    assert difference(learnt(**FC | game), once) == 0  # it is the default where it changes nothing


@pytest.mark.parametrize(
    "lever",
    [{"one_pass": True}, {"channels_last": True}, {"threads": 2}, {"optimizer": "torch.optim:SGD"}],
    ids=str,
)
def test_a_lever_leaves_convolutions_what_they_learn(lever):
    assert difference(learnt(**CONV | {"one_pass": False}), learnt(**CONV | lever)) < 1e-5


def test_one_pass_with_augmentation_and_classes_that_are_named():
    extra = {
        "augment": "diffaugment",
        "conditional": "auxiliary",
        "discriminator": "sn-resnet",
        "image_size": 32,
    }
    extra |= {"discriminator_channels": 8, "discriminator_spectral_norm": False}
    extra |= {"generator": "cgan", "generator_channels": 4}
    assert difference(learnt(**extra, one_pass=False), learnt(**extra, one_pass=True)) < 1e-5


def test_one_pass_is_refused_beside_a_deviation_over_the_batch():
    extra = {"generator": "msg", "discriminator": "msg", "image_size": 16}
    assert_mixer = pytest.raises(
        OptionError, match="`MinibatchDeviation` in this one looks at the whole batch"
    )
    with assert_mixer:
        learnt(**extra, one_pass=True)


def test_one_pass_is_refused_beside_a_batch_norm(refused):
    said = refused("train --config dcgan-digits --one-pass --no-tune")
    assert said.startswith(
        "`--one-pass` needs a discriminator that judges each image by itself; `BatchNorm2d`"
    )
    assert "`--discriminator-spectral-norm` takes the place of the batch norm" in said


def test_a_batch_norm_sees_each_of_the_small_batches_alone():
    """What the help of `--accumulate` says: the one thing in which it is not the large batch."""
    extra = {"generator": "conv", "image_size": 16, "generator_layers": 3}
    assert difference(learnt(**extra, batch_size=32), learnt(**extra, batch_size=8, accumulate=4)) > 1e-4


def test_a_pass_that_is_too_short_for_what_is_accumulated_is_refused(refused, tiny):
    said = refused(f"train {tiny} --accumulate 1000")
    assert "One turn takes 1000 batches" in said and "`--accumulate`" in said


def test_a_method_that_makes_both_moves_takes_one_batch(refused, tiny, own_folder):
    (own_folder / "mine.py").write_text(
        "from ganzo.game import Game\n\n\nclass Mine(Game):\n"
        '    """Both moves."""\n\n    def train_on_instance(self, z, x, y):\n        return {}\n'
    )
    assert "must be 1; got `--accumulate 2`" in refused(f"train {tiny} --game mine.py:Mine --accumulate 2")


def test_half_precision_learns_and_goes_on_bit_for_bit():
    half = {"precision": "fp16", "generator_hook": "ema", "loss": "wgan-gp"}
    whole = everything(play(**half, epochs=4, experiment="whole"))
    play(**half, epochs=2)
    again = everything(play(**half, epochs=4, restore=True))
    from ganzo.small_world import same

    assert same(whole, again)
    assert whole["game"]["players"]["generator"]["scaler"]["scale"] > 1


def test_half_precision_takes_no_step_where_a_gradient_overflows():
    network = nn.Linear(2, 1)
    player = Player(
        network,
        torch.optim.SGD(network.parameters(), lr=0.1),
        scaler=torch.amp.GradScaler("cpu", init_scale=4.0),
    )
    before = network.weight.detach().clone()
    player.move(network(torch.full((1, 2), float("inf"))).sum())
    assert torch.equal(network.weight, before) and player.scaler.get_scale() == 2.0
    player.move(network(torch.ones(1, 2)).sum())
    assert torch.allclose(network.weight, before - 0.1)  # the scale is taken out again


def test_half_precision_is_near_to_full(monkeypatch):
    # the first moves of the usual one overflow
    scaler = functools.partial(torch.amp.GradScaler, init_scale=8.0)
    monkeypatch.setattr(torch.amp, "GradScaler", scaler)
    assert 0 < difference(learnt(**FC), learnt(**FC, precision="fp16")) < 1e-3


def test_cuda_graphs_want_a_cuda_device(refused, tiny):
    assert "`--cuda-graphs` needs `--compile` and a CUDA device; got `cpu`" in refused(
        f"train {tiny} --device cpu --cuda-graphs"
    )


def test_without_a_compiler_networks_run_as_they_are(own_folder, tiny, monkeypatch):
    monkeypatch.setenv("CXX", "/nowhere/g++")
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(own_folder / "compiled"))
    words = [sys.executable, "-m", "ganzo", "train", *tiny.split(), "--compile", "--experiment", "c"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith(
        "ganzo: warning: `--compile` has no effect: the compiler does not work here ("
    )
    assert (own_folder / "models/c/generator.safetensors").is_file()


def test_compiled_networks_that_fail_on_the_way_back_are_named(own_folder):
    (own_folder / "odd.py").write_text(
        "import torch\nfrom ganzo.discriminator.fc import FCDiscriminator\n\n\n"
        "class Fails(torch.autograd.Function):\n"
        "    forward = staticmethod(lambda ctx, x: x.clone())\n\n"
        "    @staticmethod\n    def backward(ctx, gradient):\n        raise RuntimeError('an odd gradient')\n\n\n"
        "class Odd(FCDiscriminator):\n    def forward(self, *given):\n"
        "        return Fails.apply(super().forward(*given))\n"
    )
    with pytest.raises(RuntimeError, match="an odd gradient"):
        learnt(discriminator="odd.py:Odd")
    game = assemble(small(discriminator="odd.py:Odd")).game
    for player in game.players.values():
        player.ask = compiled.Compiled(player.network)
        player.ask.run = player.network  # what the compiler makes of it does not matter here
    with pytest.raises(RunError, match=r"fails \(an odd gradient\); leave `--compile` out"):
        game.discriminator.move(game.critic(torch.rand(2, 1, 8, 8)).sum())


def test_a_network_that_cannot_be_compiled_runs_as_it_is(monkeypatch, capsys):
    def refuse(*inputs):
        raise torch._dynamo.exc.TorchDynamoException("it is too odd")

    monkeypatch.setattr(compiled.torch, "compile", lambda network, **how: refuse)
    network = compiled.Compiled(nn.Linear(2, 1))
    assert network(torch.ones(1, 2)).shape == (1, 1) == network(torch.ones(1, 2)).shape
    assert capsys.readouterr().err == (
        "ganzo: warning: `Linear` cannot be compiled (it is too odd); it runs as it is.\n"
    )


@pytest.mark.parametrize("flag", ["--compile", "--precision fp16"])
def test_a_strangers_game_that_does_not_read_a_lever_refuses_it(refused, tiny, own_folder, flag):
    (own_folder / "epochs.py").write_text(
        "class Epochs:\n    def __init__(self, *parts):\n        pass\n\n"
        "    def run_epoch(self, data, noise):\n        return {}\n"
    )
    said = refused(f"train {tiny} --game epochs.py:Epochs {flag}")
    assert said.startswith("The game `epochs.py:Epochs` plays its epochs by itself and does not name `")
    assert said.endswith("must be left out.")


def test_a_loss_that_asks_twice_refuses_one_pass(own_folder):
    (own_folder / "twice.py").write_text(
        "from ganzo.loss.hinge import HingeLoss\n\n\nclass Twice(HingeLoss):\n"
        "    def for_discriminator(self, real, fake, target=None, labels=None):\n"
        "        return self.discriminator_loss(self.critic(real), self.critic(fake))\n"
    )
    with pytest.raises(OptionError, match="`Twice` has real and fake images judged one after the other"):
        learnt(loss="twice.py:Twice", one_pass=True)
    assert difference(learnt(loss="twice.py:Twice"), learnt(loss="hinge", one_pass=False)) == 0


ONE_PASS = {
    "fc": ({}, True), "dropout": ({"discriminator_dropout": 0.5}, False),
    "batch norm": (
        {"generator": "conv", "discriminator": "conv", "image_size": 16, "generator_layers": 3,
         "discriminator_layers": 3},
        False,
    ),
    "deviation": ({"generator": "msg", "discriminator": "msg", "image_size": 16}, False),
    "spectral norm": ({"discriminator_spectral_norm": True}, False), "classes": ({"conditional": "concat"}, True),
    "stranger": ({"discriminator": "known.py:Known"}, False), "cgan": ({"discriminator": "cgan"}, True),
}  # fmt: skip


@pytest.mark.parametrize(("changed", "joined"), ONE_PASS.values(), ids=ONE_PASS)
def test_one_pass_is_the_default_where_it_is_known_to_change_nothing(own_folder, changed, joined):
    (own_folder / "known.py").write_text(
        "from ganzo.discriminator.fc import FCDiscriminator\n\n\nclass Known(FCDiscriminator):\n    pass\n"
    )
    game = assemble(small(**changed)).game
    assert (game.critic.one_pass, game.one_pass) == (joined, None)
    assert not assemble(small(**changed, one_pass=False)).game.critic.one_pass


def test_without_a_compiler_there_are_no_cuda_graphs(monkeypatch):
    """A run that asked for both goes on without either, also when its parts are built again."""
    monkeypatch.setattr(machine, "can_compile", lambda device: False)
    monkeypatch.setattr(machine, "find_device", lambda name: SimpleNamespace(type="cuda"))
    options = small(compile=True, cuda_graphs=True)
    for _ in range(2):
        build("common", "machine", options).settle(options)
        assert (options.compile, options.cuda_graphs) == (False, False)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_compiled_networks_learn_the_same_and_are_compiled_once(capsys):
    """With penalties, whose second gradients do not pass through compiled code, and snapshots between the rounds."""
    extra = {"regularizer": "r1:every=2", "conditional": "concat", "generator_hook": "ema", "epochs": 3}
    extra |= {"optimizer": "sgd", "lr": 0.05, "save_images_as": "folder"}
    plain, before = everything(play(**extra, experiment="plain")), graphs()
    run = play(**extra, experiment="compiled", compile=True, log="console")
    assert graphs() > before
    said = capsys.readouterr().out
    play(**extra | {"epochs": 4}, experiment="compiled", compile=True, log="console", restore=True)
    assert "of them after the first epoch" in capsys.readouterr().out.partition(", 0 ")[2]
    assert re.search(r"compiled: [1-9] graphs, 0 of them after the first epoch", said)
    for name, network in plain["networks"].items():
        for key, value in network.items():
            assert torch.allclose(value, run.game.networks()[name].state_dict()[key], atol=1e-5), (name, key)
