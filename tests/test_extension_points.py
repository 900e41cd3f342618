"""The extension points that the old documentation names, each used as it is written there."""

import json
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

import pytest
import torch

from ganzo.arguments import COMMAND_OPTIONS, CommandLine
from ganzo.catalogue import component_options
from ganzo.data import Data
from ganzo.discriminator import Discriminator
from ganzo.evaluation import Evaluation
from ganzo.game import Game
from ganzo.generator import Generator
from ganzo.hook import Hook
from ganzo.loss import Loss
from ganzo.noise import Noise
from ganzo.options import Completed, Layer, make_options
from ganzo.registry import (
    OptionError,
    Registry,
    RegistryError,
    RegistryException,
    register,
    with_option_parser,
)
from ganzo.roles import ROLES
from ganzo.sample import SAMPLE_OPTIONS
from ganzo.snapshot import Snapshot
from ganzo.statistics import Statistics

# A module as the old documentation would have it: every class takes `options` first.
OLD = """
import torch
from torch import nn

from ganzo.registry import Registry, register, with_option_parser

SAID = []


@register("data", "old")
class OldData:
    def __init__(self, options):
        self.options, self.left = options, 3

    def next(self):
        self.left -= 1
        if self.left < 0:
            return None
        size, n = self.options.image_size, self.options.batch_size
        return torch.rand(n, self.options.image_colors, size, size) * 2 - 1, torch.zeros(n, dtype=torch.long)

    def reset(self):
        self.left = 3


@register("noise", "old")
class OldNoise:
    def __init__(self, options):
        self.options, self.size = options, options.state_size

    def next(self, n=None, labels=None):
        return torch.randn(n or self.options.batch_size, self.size, device=self.options.device)

    def sample(self, n, seed=None, labels=None):
        return self.next(n)


@register("noise", "oldest")
class OldestNoise:
    def __init__(self, options):
        self.options = options

    def next(self):
        return torch.randn(self.options.batch_size, self.options.state_size)


@register("generator", "old")
class OldGenerator(nn.Module):
    def __init__(self, options):
        super().__init__()
        self.shape = options.image_colors, options.image_size, options.image_size
        self.layer = nn.Linear(options.state_size, options.image_colors * options.image_size**2)
        SAID.append(("gain", options.gain))

    def forward(self, z, labels=None):
        return torch.tanh(self.layer(z)).reshape(-1, *self.shape)


@register("discriminator", "old")
class OldDiscriminator(nn.Module):
    def __init__(self, options):
        super().__init__()
        self.layer = nn.Linear(options.image_colors * options.image_size**2, 1)

    def forward(self, x, labels=None):
        return self.layer(x.flatten(1))


@register("loss", "old")
class OldLoss:
    def __init__(self, options, discriminator):
        self.options, self.discriminator = options, discriminator

    def for_generator(self, fake_data, target=None):
        return -self.discriminator(fake_data).mean()

    def for_discriminator(self, real_data, fake_data, target=None):
        return self.discriminator(fake_data).mean() - self.discriminator(real_data).mean()


@register("hook", "old")
class OldHook:
    def __init__(self, options):
        self.options = options

    def apply(self, model):
        SAID.append(("hook", type(model).__name__))


@register("log", "old")
class OldStatistics:
    def __init__(self, options):
        self.options = options

    def log(self, losses):
        SAID.append(("log", losses["generator"], losses["discriminator"]))


@register("snapshot", "old")
class OldSnapshot:
    def __init__(self, options):
        self.options = options

    def save(self, data, noise, generator):
        SAID.append(("save", tuple(generator(noise.next()).shape)))


@register("evaluation", "old")
class OldEvaluation:
    def __init__(self, options):
        self.options = options

    def has_improved(self, losses):
        SAID.append(("improved", losses["generator"]))
        return True


@register("game", "old")
class OldGame:
    def __init__(self, options, generator, discriminator, loss, hooks=None):
        self.options, self.loss, self.hooks = options, loss, hooks
        self.players = {"generator": generator, "discriminator": discriminator}
        self.optimizers = {
            name: torch.optim.Adam(player.parameters(), options.generator_lr) for name, player in self.players.items()
        }

    def run_epoch(self, data, noise):
        turns, losses = 0, {}
        while turns < self.options.max_batches_per_epoch and (batch := data.next()) is not None:
            real, labels = batch
            fake = self.players["generator"](noise.next())
            for name, ask in (
                ("generator", lambda: self.loss.for_generator(fake)),
                ("discriminator", lambda: self.loss.for_discriminator(real, fake.detach())),
            ):
                self.optimizers[name].zero_grad()
                losses[name] = ask()
                losses[name].backward()
                self.optimizers[name].step()
            turns += 1
        data.reset()
        SAID.append(("turns", turns))
        return {name: loss.item() for name, loss in losses.items()}


@with_option_parser
def add_options(parser, train):
    group = parser.add_argument_group("old", "Options of the old kind")
    group.add_argument("--gain", type=float, default=0.5, help="how much of it (default: %(default)s)")
    group.add_argument("--dark_side", action="store_true", help="an option with a line below")
    if train:
        group.add_argument("--teacher", choices=["mild", "strict"], default="mild", help="only when training")
"""
ROOMS = (
    "data",
    "generator",
    "discriminator",
    "loss",
    "noise",
    "hook",
    "log",
    "snapshot",
    "evaluation",
    "game",
)
FACADES = (Data, Generator, Discriminator, Loss, Noise, Hook, Statistics, Snapshot, Evaluation, Game)
FLAGS = {
    **{name: f"--{name}" for name in ("generator", "discriminator", "loss", "noise", "game", "log")},
    **{"data": "--data-format", "hook": "--generator-hook", "snapshot": "--save-images-as"},
    "evaluation": "--evaluation-criterion",
}


@pytest.fixture
def old(own_folder, registry, monkeypatch):
    """The module, in the current folder, as GANZO_LOAD_MODULES names it; gives the list of what its classes say."""
    (own_folder / "old.py").write_text(OLD)
    monkeypatch.syspath_prepend(own_folder)
    monkeypatch.setenv("GANZO_LOAD_MODULES", "old")
    Registry.keys("loss")
    yield sys.modules["old"].SAID
    sys.modules.pop("old", None)


def options_of(name):
    return json.loads(Path(f"models/{name}/options.json").read_text())


# --- classes of the old kind


@pytest.mark.parametrize("room", ROOMS)
def test_a_class_that_takes_options_trains_two_turns(old, ganzo, tiny, room):
    words = tiny.replace("--log none", "" if room == "log" else "--log none")
    said = ganzo(f"{words} --experiment x --sample-every 1 {FLAGS[room]} old")
    assert said.status == 0, said
    assert Path("models/x/generator.safetensors").is_file()
    assert options_of("x")[ROLES[FLAGS[room][2:].replace("-", "_")].key] in ("old", [{"name": "old"}])
    seen = {each[0] for each in old}
    expected = {"log": "log", "hook": "hook", "snapshot": "save", "evaluation": "improved", "game": "turns"}
    assert room not in expected or expected[room] in seen
    said = ganzo("--restore --experiment x --epochs 2")
    assert said.status == 0, said


def test_all_of_them_at_once(old, ganzo, tiny):
    flags = " ".join(f"{flag} old" for flag in FLAGS.values())
    said = ganzo(f"{tiny.replace('--log none', '')} {flags} --experiment x --gain 2")
    assert said.status == 0, said
    assert ("turns", 2) in old and ("gain", 2.0) in old and ("save", (8, 1, 8, 8)) in old
    assert ganzo("sample --experiment x").status == 0


def test_what_draws_samples_asks_them_no_more_than_they_offer(old, ganzo, tiny):
    words = "--data-format old --generator old --noise old --sample-every 1 --generator-hook ema"
    said = ganzo(f"{tiny} --experiment x {words}")
    assert said.status == 0, said
    assert Path("output/x/samples/epoch_1.png").is_file()
    assert ganzo("sample --experiment x").status == 0


def test_a_noise_that_only_has_next_is_told_what_lacks(old, refused, tiny):
    assert refused(f"{tiny} --noise oldest") == (
        "A noise must offer next, sample, size; `OldestNoise` lacks sample, size."
        " Add it, or derive the class from `ganzo.noise.Noise`."
    )


@pytest.mark.parametrize("facade, room", list(zip(FACADES, ROOMS, strict=True)), ids=ROOMS)
def test_from_options_builds_them_alone(old, facade, room):
    options = make_options(image_size=8, image_colors=1, state_size=4, batch_size=2, dataset="digits")
    options.gain, options.device = 0.5, "cpu"
    network = torch.nn.Linear(1, 1)
    parts = {"loss": [network], "game": [network, network, None]}.get(room, [])
    setattr(options, FLAGS[room][2:].replace("-", "_"), "old")
    built = facade.from_options(options, *parts)
    built = built["generator"] if room == "hook" else built
    built = built[0] if isinstance(built, list) else built
    built = getattr(built, "inner", built)
    assert type(built).__name__ == f"Old{'Statistics' if room == 'log' else room.capitalize()}"
    assert callable(facade.add_options)
    facade.add_options(ArgumentParser())


def test_the_library_example():
    """`Generator.from_options(Namespace(…))`, with no more than the component needs."""
    options = Namespace(generator="conv", generator_layers=3, generator_channels=8)
    options.image_size, options.image_colors, options.state_size = 16, 3, 5
    assert Generator.from_options(options)(torch.randn(2, 5)).shape == (2, 3, 16, 16)
    assert Noise.from_options(Namespace(state_size=5, batch_size=2, device="cpu")).next().shape == (2, 5)
    assert Evaluation.from_options(Namespace(evaluation_criterion="latest")).has_improved({})


# --- names


@pytest.mark.parametrize("namespace", ROOMS)
def test_a_name_can_be_registered_in_every_old_namespace(registry, namespace):
    @register(namespace, "mine")
    class Mine:
        pass

    assert Registry.get(namespace, "mine") is Mine and "mine" in Registry.keys(namespace)
    room = "statistics" if namespace == "log" else namespace
    assert Registry.get(room, "mine") is Mine
    Registry.add(namespace, "mine", Mine)  # a module that is imported twice
    with pytest.raises(RegistryException, match=f"`mine` is already registered as a {room}"):
        Registry.add(namespace, "mine", type("Other", (), {}))
    assert Registry.get(namespace, "nothing") is None
    assert RegistryException is RegistryError and issubclass(RegistryError, ValueError)


def test_the_default_of_a_namespace(registry):
    @register("foo", "one", default=True)
    class One:
        pass

    assert Registry.default("foo") == "one" and Registry.default("bar") is None
    with pytest.raises(RegistryException, match="The default foo is already `one`; got `two` too"):
        Registry.add("foo", "two", One, default=True)
    with pytest.raises(RegistryException):
        Registry.set_default("foo", "three")
    Registry.set_default("bar", "three")
    assert Registry.default("bar") == "three"
    assert Registry.default("log") == Registry.default("statistics") == "console"


def test_a_module_that_takes_a_default_is_refused(own_folder, registry, monkeypatch, refused, tiny):
    (own_folder / "taker.py").write_text(
        "from ganzo.registry import register\n@register('loss', 'mine', default=True)\nclass Mine: pass\n"
    )
    monkeypatch.syspath_prepend(own_folder)
    monkeypatch.setenv("GANZO_LOAD_MODULES", "taker")
    said = refused(tiny)
    assert said.startswith("The default loss is already `")  # whichever came first
    assert said.endswith(
        " A namespace has one default: register the class without `default=True`, and choose it by name."
    )


def test_several_modules_and_packages_are_loaded(own_folder, registry, monkeypatch, ganzo, tiny):
    (own_folder / "one.py").write_text(
        "from ganzo.loss.hinge import HingeLoss\nfrom ganzo.registry import register\n"
        "@register('loss', 'one')\nclass One(HingeLoss):\n    'One.'\n"
    )
    (own_folder / "pack").mkdir()
    (own_folder / "pack" / "__init__.py").write_text("from . import two\n")
    (own_folder / "pack" / "two.py").write_text(
        (own_folder / "one.py").read_text().replace("one", "two").replace("One", "Two")
    )
    monkeypatch.syspath_prepend(own_folder)
    monkeypatch.setenv("GANZO_LOAD_MODULES", "one,pack")
    assert {"one", "two"} <= set(Registry.keys("loss"))
    assert "two: Two." in ganzo("list loss").out
    assert ganzo(f"{tiny} --loss two --margin 2").status == 0
    assert [option.key for option in component_options(ROLES["loss"], "two")] == ["margin"]


# --- options of the old kind


def test_they_stand_on_the_command_line_and_in_the_help(old, ganzo, refused):
    said = ganzo("train --help").out
    assert "--gain" in said and "how much of it (default: 0.5)" in said
    assert "--teacher" in said and "--dark-side" in said
    said = ganzo("sample --help").out
    assert "--gain" in said and "--teacher" not in said


def test_they_are_completed_and_saved(old, ganzo, tiny):
    assert ganzo(f"{tiny} --experiment x").status == 0
    assert {"gain": 0.5, "teacher": "mild", "dark_side": False}.items() <= options_of("x").items()
    assert ganzo(f"{tiny} --experiment y --gain 2 --teacher strict --dark_side").status == 0
    assert {"gain": 2.0, "teacher": "strict", "dark_side": True}.items() <= options_of("y").items()
    assert ganzo(f"{tiny} --experiment z --dark-side").status == 0
    assert options_of("z")["dark_side"] is True


@pytest.mark.parametrize("flag", ["--config", "--from-json"])
def test_a_file_may_set_them(old, ganzo, tiny, own_folder, flag):
    (own_folder / "o.json").write_text('{"gain": "3", "teacher": "strict", "dark-side": true}')
    assert ganzo(f"{tiny} --experiment x {flag} o.json").status == 0
    assert {"gain": 3.0, "teacher": "strict", "dark_side": True}.items() <= options_of("x").items()


@pytest.mark.parametrize(
    "text, sentence",
    [
        ('{"gain": "wide"}', "`--gain` (config o.json) must be what its type takes; got 'wide'."),
        ('{"gain": [1]}', "`--gain` (config o.json) must be what its type takes; got [1]."),
        ('{"teacher": "kind"}', "`--teacher` (config o.json) must be one of mild, strict; got 'kind'."),
        ('{"dark_side": 3}', "`--dark-side` (config o.json) must be true or false; got 3."),
    ],
)
def test_a_file_may_not_set_them_wrong(old, refused, tiny, own_folder, text, sentence):
    (own_folder / "o.json").write_text(text)
    assert refused(f"{tiny} --config o.json") == sentence


def test_a_file_may_set_whatever_argparse_takes(registry, ganzo, tiny, own_folder):
    @with_option_parser
    def add_options(parser, train):
        parser.add_argument("--sizes", type=int, nargs="+", default=[1])
        parser.add_argument("--more", action="append", default=[])
        parser.add_argument("--yes", type=lambda text: text == "yes", default=False)
        parser.add_argument("--nick")
        parser.add_argument("--loud", action="count", default=0)

    values = {"sizes": [2, 3], "more": ["a", "b"], "yes": True, "nick": None, "loud": 2}
    (own_folder / "o.json").write_text(json.dumps(values))
    assert ganzo(f"{tiny} --experiment x --config o.json --nick n").status == 0
    assert {**values, "nick": "n"}.items() <= options_of("x").items()
    assert ganzo(f"{tiny} --experiment y --sizes 4 5 --more c --yes yes").status == 0
    assert options_of("y")["sizes"] == [4, 5] and options_of("y")["yes"] is True


def test_the_functions_are_known(registry):
    def function(parser, train):
        parser.add_argument("--mine", default=1)

    Registry.add_option_function(function)
    assert function in Registry.option_functions()
    assert with_option_parser(function) is function and Registry.option_functions().count(function) == 1


def test_a_name_without_dashes_is_taken_for_an_option(registry, ganzo, tiny):
    """The old documentation's own example adds `foos`."""

    @with_option_parser
    def add_options(parser, train):
        group = parser.add_argument_group("Foo")
        group.add_argument("foos", type=int, default=3, help="number of foos")

    assert ganzo(f"{tiny} --experiment x").status == 0 and options_of("x")["foos"] == 3
    assert ganzo(f"{tiny} --experiment y --foos 4").status == 0 and options_of("y")["foos"] == 4
    assert "--foos" in ganzo("train --help").out


# --- the old command lines

TRAINER = """
--experiment x | --model-dir models | --device cpu | --seed 1 | --start-epoch 5 | --from-json o.json
--parallel | --no-parallel | --epochs 3 | --restore | --delete
--data-format single-image | --data-format pair-of-images | --data-dir data
--dataset folder | --dataset mnist | --dataset emnist | --dataset fashion-mnist | --dataset lsun | --dataset cifar10
--dataset cifar100 | --image-class cat | --image-size 64 | --image-colors 1 | --split horizontal | --split vertical
--batch-size 64 | --loader-workers 4 | --pin-memory | --no-pin-memory
--generator fc | --generator conv | --generator good | --generator u-gen
--generator-dropout 0.5 | --generator-layers 4 | --generator-channels 8
--discriminator fc | --discriminator conv | --discriminator good | --discriminator patch-gan
--discriminator-dropout 0.5 | --discriminator-layers 4 | --discriminator-channels 4
--loss gan | --loss wgan | --loss wgan-gp | --loss pix2pix | --gradient-penalty-factor 10 | --gradient-penalty 10
--soft-labels | --no-soft-labels | --noisy-labels | --no-noisy-labels | --noisy-labels-frequency 0.1 | --l1-weight 1
--noise gaussian | --state-size 128
--generator-hook weight-clipper | --discriminator-hook weight-clipper | --clip-to 0.001
--log none | --log console | --log file | --log tensorboard | --log-file s.log
--save-images-as folder | --save-images-as tensorboard | --output-dir output | --snapshot-size 16 | --sample-every 10
--sample-from-fixed-noise | --no-sample-from-fixed-noise | --snapshot-translate | --no-snapshot-translate
--evaluation-criterion latest | --evaluation-criterion generator-loss | --game standard | --game translate
--generator-iterations 1 | --discriminator-iterations 1 | --generator-lr 1e-4 | --discriminator-lr 1e-4
--beta1 0 | --beta2 0.9 | --max-batches-per-epoch 10
"""
ONLY_TRAINER = """
--from-json --parallel --no-parallel --epochs --restore --delete --loss --gradient-penalty-factor --gradient-penalty
--soft-labels --no-soft-labels --noisy-labels --no-noisy-labels --noisy-labels-frequency --l1-weight --generator-hook
--discriminator-hook --clip-to --log --log-file --evaluation-criterion --game --generator-iterations
--discriminator-iterations --generator-lr --discriminator-lr --beta1 --beta2 --max-batches-per-epoch
""".split()


def words_of(text):
    return [part.strip() for line in text.strip().splitlines() for part in line.split("|")]


@pytest.mark.parametrize("words", words_of(TRAINER))
def test_an_old_flag_of_the_trainer(words):
    line = CommandLine("train", COMMAND_OPTIONS, switches=("dry_run",))
    given = line.read(words.split())
    done = Completed([Layer("command line", {k: v for k, v in given.items() if k not in COMMAND_OPTIONS})])
    (key,) = given
    assert key == "from_json" or done.set_by


@pytest.mark.parametrize(
    "words", [w for w in words_of(TRAINER) if w.split()[0] not in ONLY_TRAINER] + ["--num-samples 2"]
)
def test_an_old_flag_of_the_sampler(words):
    given = CommandLine("sample", SAMPLE_OPTIONS, train=False).read(words.split())
    Completed([Layer("command line", {k: v for k, v in given.items() if k not in SAMPLE_OPTIONS})])
    assert len(given) == 1


def test_options_of_third_parties_exist_in_python_too(registry):
    from ganzo.options import make_options

    @with_option_parser
    def add_options(parser, train):
        parser.add_argument_group("mine").add_argument("--dark-side", type=int, default=3)

    assert make_options(dataset="digits").dark_side == 3
    assert make_options(dataset="digits", dark_side="5").dark_side == 5
    with pytest.raises(OptionError, match="`--dark-side`"):
        make_options(dataset="digits", dark_side="much")


OLD_PARTS = """
import torch
from torch import nn

class OldLoss:
    def __init__(self, options, discriminator):
        self.discriminator = discriminator

    def for_generator(self, fake_data, target=None):
        return -self.discriminator(fake_data).mean()

    def for_discriminator(self, real_data, fake_data, target=None):
        return self.discriminator(fake_data).mean() - self.discriminator(real_data).mean()

class Plain(nn.Module):
    def __init__(self, options):
        super().__init__()
        self.layer = nn.Linear(options.state_size, 64)

    def forward(self, noise):
        return self.layer(noise).tanh().reshape(-1, 1, 8, 8)

class Flat(Plain):
    def forward(self, noise):
        return self.layer(noise).tanh()

class Broken(Plain):
    def forward(self, noise):
        return self.nothing(noise)
"""


@pytest.mark.parametrize("way", ["concat", "batch-norm", "projection"])
def test_an_older_loss_judges_under_the_labels(ganzo, tiny, own_folder, way):
    (own_folder / "old_parts.py").write_text(OLD_PARTS)
    words = tiny.replace("--generator-layers 2", "--generator conv").replace(
        "--discriminator-layers 2", "--discriminator conv"
    )
    said = ganzo(f"{words} --loss old_parts.py:OldLoss --conditional {way}")
    assert said.status == 0, said.err


def test_an_older_loss_asks_for_no_classes(refused, tiny, own_folder):
    (own_folder / "old_parts.py").write_text(OLD_PARTS)
    said = refused(f"{tiny} --loss old_parts.py:OldLoss --conditional auxiliary")
    assert said.startswith("`auxiliary` needs a loss that also asks for the classes")


def test_a_network_that_takes_no_labels_gets_none(ganzo, tiny, own_folder):
    (own_folder / "old_parts.py").write_text(OLD_PARTS)
    words = tiny.replace("--generator-layers 2", "--generator old_parts.py:Plain")
    assert ganzo(f"{words} --experiment t --sample-every 1").status == 0  # the digits have labels
    assert ganzo("sample t").status == 0


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("Flat", "The generator `old_parts.py:Flat` must make images like the data, 2×1×8×8; it makes 2×64."),
        (
            "Broken",
            "The generator `old_parts.py:Broken` fails when it is tried with two examples (AttributeError",
        ),
    ],
)
def test_networks_that_do_not_fit_are_refused_before_anything_is_written(
    refused, tiny, own_folder, name, sentence
):
    (own_folder / "old_parts.py").write_text(OLD_PARTS)
    words = tiny.replace("--generator-layers 2", f"--generator old_parts.py:{name}")
    assert refused(words).startswith(sentence)
