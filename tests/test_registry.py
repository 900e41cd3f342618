import copy
import inspect
import json
import pickle
import re
from argparse import ArgumentParser, Namespace

import pytest

from ganzo.augment import Augment
from ganzo.data import Data, Source
from ganzo.discriminator import Discriminator
from ganzo.encoder import Encoder
from ganzo.errors import GanzoError, OptionError, RegistryError
from ganzo.evaluation import Evaluation
from ganzo.game import Game
from ganzo.generator import Generator
from ganzo.generator.conv import ConvGenerator
from ganzo.hook import Hook
from ganzo.loss import Loss
from ganzo.metric import Metric
from ganzo.noise import Noise
from ganzo.optimizer import Optimizer
from ganzo.options import Completed, Layer, make_options, saveable
from ganzo.registry import Registry, RegistryException, build, register, with_option_parser
from ganzo.regularizer import Regularizer
from ganzo.roles import ROLES
from ganzo.snapshot import Snapshot
from ganzo.statistics import Statistics

FACADES = (
    *(
        Data,
        Source,
        Encoder,
        Noise,
        Generator,
        Augment,
        Discriminator,
        Loss,
        Regularizer,
        Optimizer,
        Hook,
        Game,
    ),
    *(Metric, Evaluation, Statistics, Snapshot),
)
MODULE = '''
from torch import nn
from ganzo.registry import register, with_option_parser


class Typed(nn.Module):
    """A generator with typed options.

    Args:
        width: how wide
        biased: whether there is a bias
    """

    def __init__(self, image_size, image_colors, state_size, *, width: int = 3, biased: bool = True):
        super().__init__()
        self.width, self.biased = width, biased
        self.layer = nn.Linear(state_size, image_colors * image_size**2)
        self.shape = (image_colors, image_size, image_size)

    def forward(self, noise, labels=None):
        return self.layer(noise).reshape(-1, *self.shape).tanh()


class Old(Typed):
    """A generator of the older kind."""

    def __init__(self, options):
        super().__init__(options.image_size, options.image_colors, options.state_size)
        self.options = options
        print("layers", options.generator_layers)
'''


class Plain:
    """A penalty.

    Args:
        weight: how much
    """

    key = None

    def __init__(self, *, weight: float = 1.0):
        self.weight = weight


def test_both_doors_build_the_same():
    by_options = ConvGenerator(
        Namespace(image_size=16, image_colors=3, state_size=4, generator_layers=3, generator_channels=8)
    )
    by_names = ConvGenerator(image_size=16, image_colors=3, state_size=4, layers=3, channels=8)
    shapes = [{key: value.shape for key, value in net.state_dict().items()} for net in (by_options, by_names)]
    assert shapes[0] == shapes[1]


def test_the_second_door_hides_nothing():
    signature = inspect.signature(ConvGenerator)
    assert "layers" in signature.parameters and "options" not in signature.parameters
    network = ConvGenerator(image_size=8, image_colors=1, state_size=4)
    for again in (copy.deepcopy(network), pickle.loads(pickle.dumps(network))):
        assert again.state_dict().keys() == network.state_dict().keys()


def test_a_fact_that_nobody_gives_is_named(registry):
    @register("regularizer", "needy")
    class Needy:
        def __init__(self, state_size, *, weight: float = 1.0):
            pass

    for door in (Needy, lambda options: build("regularizer", "needy", options)):
        with pytest.raises(
            RegistryError, match="Needy needs `state_size`, and no option of this run gives it"
        ):
            door(Namespace(needy_weight=3))


def test_a_prefixed_option_beats_a_bare_one_and_a_keyword_beats_both():
    options = Namespace(image_size=8, image_colors=1, state_size=4, channels=2, generator_channels=3)
    assert ConvGenerator(options).state_dict() is not None
    width = next(build("generator", "conv", options).parameters()).shape[1]
    assert width == 3
    assert next(ConvGenerator(options, channels=5).parameters()).shape[1] == 5


def test_a_subclass_has_the_second_door_too(registry):
    register("regularizer", "plain")(Plain)
    derived = register("regularizer", "derived")(type("Derived", (Plain,), {}))
    assert derived(Namespace(derived_weight=4)).weight == 4
    assert derived(weight=5).weight == 5
    assert Plain(Namespace(plain_weight=6)).weight == 6


def test_one_class_under_two_names_reads_the_options_of_each(registry):
    register("regularizer", "one")(Plain)
    register("regularizer", "two")(Plain)
    options = make_options(regularizer=["one:weight=2", "two:weight=3"])
    assert [penalty.weight for penalty in Regularizer.from_options(options)] == [2, 3]


def test_a_name_is_taken_once(registry):
    register("loss", "mine")(Plain)
    register("loss", "mine")(Plain)  # a module that is imported twice
    with pytest.raises(RegistryError, match="`mine` is already registered as a loss"):
        register("loss", "mine")(type("Other", (), {}))
    with pytest.raises(RegistryException):
        Registry.add("loss", "gan", Plain)


def test_a_namespace_has_one_default(registry):
    assert Registry.default("loss") == "gan"
    with pytest.raises(RegistryError, match="default loss is already `gan`; got `mine`"):
        Registry.add("loss", "mine", Plain, default=True)
    assert "mine" not in Registry.keys("loss")  # nothing of it stays
    Registry.add("gadget", "one", Plain, default=True)
    assert Registry.default("gadget") == "one"
    with pytest.raises(RegistryError):
        register("gadget", "two", default=True)(type("Two", (), {}))
    assert Registry.default("nothing") is None


def test_names_are_found_and_missed():
    assert Registry.keys("loss") == sorted(Registry.keys("loss")) and "hinge" in Registry.keys("loss")
    assert Registry.keys("nothing") == []
    assert Registry.get("loss", "nothing") is None
    with pytest.raises(
        RegistryError, match=r"no loss called `hnige`: choose among f-divergence, gan.*Did you mean `hinge`"
    ):
        Registry.lookup("loss", "hnige")


def test_the_old_name_of_the_error():
    assert RegistryException is RegistryError
    assert issubclass(RegistryError, GanzoError) and issubclass(GanzoError, ValueError)


@pytest.mark.parametrize("facade", FACADES)
def test_add_options_can_be_called_on_every_facade(facade):
    parser = ArgumentParser()
    facade.add_options(parser)
    flags = [string for action in parser._actions for string in action.option_strings]
    assert len(flags) > 2  # more than --help
    assert all(action.help for action in parser._actions)
    parser.format_help()
    assert vars(parser.parse_args([])) == {}


def test_add_options_shows_the_options_of_the_room():
    parser = ArgumentParser()
    Generator.add_options(parser)
    found = parser.parse_args(["--generator", "conv", "--generator-layers", "3"])
    assert vars(found) == {"generator": "conv", "generator_layers": 3}


def test_what_add_options_reads_can_be_built(capsys):
    parser = ArgumentParser()
    Loss.add_options(parser)
    assert Loss.from_options(parser.parse_args(["--loss", "hinge", "--margin", "0.5"]), None).margin == 0.5
    with pytest.raises(SystemExit):
        parser.parse_args(["--margin", "wide"])
    assert "--margin: must be a number" in capsys.readouterr().err
    parser = ArgumentParser()
    Discriminator.add_options(parser)
    words = ["--discriminator-spectral-norm", "--discriminator-layers", "none"]
    assert parser.parse_args(words[:1]).discriminator_spectral_norm is True
    assert parser.parse_args(["--no-discriminator-spectral-norm"]).discriminator_spectral_norm is False


def test_from_options_offers_only_what_is_named(registry):
    @register("regularizer", "curious")
    class Curious:
        def __init__(self, *, weight: float = 1.0, secret=None):
            self.secret = secret

    assert build("regularizer", "curious", Namespace(), secret=3, other=4).secret == 3
    assert isinstance(build("regularizer", "r1", Namespace(r1_weight=2.0), secret=3), Regularizer)


# --- third parties


def test_a_component_from_a_file(own_folder, registry, ganzo, tiny):
    (own_folder / "mine.py").write_text(MODULE)
    said = ganzo(f"{tiny} --dry-run --generator mine.py:Typed --generator-width 5 --no-generator-biased")
    assert said.status == 0
    rows = [line.split() for line in said.out.splitlines()]
    assert ["generator_width", "5", "command", "line"] in rows
    assert ["generator_biased", "False", "command", "line"] in rows
    assert "Typed: 320 parameters" in said.out
    assert "runs code from" not in said.err  # who typed it knows it


def test_its_options_inline_and_in_a_file(own_folder, registry, ganzo, tiny):
    (own_folder / "mine.py").write_text(MODULE)
    (own_folder / "o.yaml").write_text('generator: {name: "mine.py:Typed", width: 4}\n')
    inline = ganzo(f"{tiny} --dry-run --generator mine.py:Typed:width=4")
    file = ganzo(f"{tiny} --dry-run --config o.yaml")
    for said in (inline, file):
        assert said.status == 0 and ["generator_width", "4"] in [
            line.split()[:2] for line in said.out.splitlines()
        ]
    assert "ganzo: config o.yaml runs code from mine.py:Typed" in file.err


def test_a_file_of_another_is_named_before_it_runs(own_folder, registry, ganzo, tiny):
    (own_folder / "bad.py").write_text("raise OSError('it ran')\n")
    (own_folder / "o.json").write_text('{"generator": "bad.py:Name"}')
    said = ganzo(f"{tiny} --dry-run --config o.json")
    first, second = (line for line in said.err.splitlines() if "has no effect" not in line)
    assert first == "ganzo: config o.json runs code from bad.py:Name"
    assert "it ran" in second


def test_code_that_a_shorthand_names_is_announced_too(ganzo, tiny, own_folder):
    (own_folder / "ev.py").write_text("class Opt:\n    pass\n")
    (own_folder / "o.json").write_text(json.dumps({"optimizer": "ev.py:Opt"}))
    said = ganzo(f"{tiny} --config o.json --dry-run")
    assert said.err.splitlines()[0] == "ganzo: config o.json runs code from ev.py:Opt"
    assert said.err.count("runs code from") == 1 and "Traceback" not in said.err


def test_a_misspelt_variable_is_said_once(ganzo, tiny, monkeypatch):
    monkeypatch.setenv("GANZO_EPOCHES", "3")
    for words in (f"{tiny} --dry-run", "sample --experiment nosuch"):
        said = ganzo(words).err.splitlines()
        assert [line for line in said if "warning" in line] == [
            "ganzo: warning: The variable `GANZO_EPOCHES` names no option, and has no effect."
            " Did you mean `GANZO_EPOCHS`?"
        ]


def test_a_component_from_a_package(own_folder, registry, ganzo, tiny, monkeypatch):
    (own_folder / "nets").mkdir()
    (own_folder / "nets" / "deep.py").write_text(MODULE)
    monkeypatch.syspath_prepend(own_folder)
    assert "Typed: 320" in ganzo(f"{tiny} --dry-run --generator nets.deep:Typed").out


@pytest.mark.parametrize(
    "text, name, words",
    [
        ("", "mine.py:Typed", "has no class `Typed`; it offers none"),
        ("class Typd: pass\nTyped = 3", "mine.py:Typed", "has no class `Typed`; it offers Typd"),
        ("def f(:", "mine.py:Typed", "cannot be loaded: SyntaxError"),
        ("import not_there", "mine.py:Typed", "cannot be loaded: ModuleNotFoundError"),
        ("1 / 0", "mine.py:Typed", "cannot be loaded: ZeroDivisionError"),
        ("\0", "mine.py:Typed", "cannot be loaded"),
        ("", "other.py:Typed", "no file `other.py`"),
        (
            "",
            "mine.py",
            r"`mine.py` offers no `get_network`, so its class must be named.*path/to/file.py:Class",
        ),
        ("def get_network(: 3", "mine.py", "cannot be loaded: SyntaxError"),
        ("", "not.there:Typed", "cannot be loaded: ModuleNotFoundError"),
        ("", ":", "cannot be loaded"),
        ("", "..:a", "cannot be loaded"),
    ],
)
def test_a_file_that_is_broken(own_folder, registry, refused, tiny, text, name, words):
    (own_folder / "mine.py").write_text(text)
    sentence = refused(f"{tiny} --generator {name}")
    assert re.search(words, sentence), sentence


def test_a_class_of_the_older_kind_reads_any_option(own_folder, registry, ganzo, tiny):
    (own_folder / "mine.py").write_text(MODULE)
    said = ganzo(f"{tiny} --dry-run --generator mine.py:Old --generator-layers 7")
    assert "layers 7" in said.out and "has no effect" not in said.err
    assert "layers 6" in ganzo(f"{tiny} --dry-run --generator mine.py:Old:layers=6").out
    assert "layers 5" in ganzo(f"{tiny} --dry-run --generator mine.py:Old:generator_layers=5").out
    plain = tiny.replace("--generator-layers 2", "")
    assert "layers 4" in ganzo(f"{plain} --dry-run --generator mine.py:Old").out  # the default of the default


def test_what_a_class_of_the_older_kind_read_is_saved(own_folder, registry, ganzo, tiny):
    (own_folder / "mine.py").write_text(MODULE)
    assert ganzo(f"{tiny} --experiment x --generator mine.py:Old --generator-layers 7").status == 0
    said = ganzo("--restore --experiment x --epochs 2")
    assert said.status == 0 and "layers 7" in said.out
    assert "ganzo: saved run runs code from mine.py:Old" in said.err
    assert "layers 7" in ganzo("sample --experiment x").out


def test_several_of_the_older_kind_have_their_own_settings(registry):
    @register("regularizer", "older")
    class Older:
        def __init__(self, options):
            self.strength, self.weight = options.strength, options.r1_weight

    options = make_options(regularizer=["older:strength=2", {"name": "older", "strength": 3}], r1_weight=5)
    assert [penalty.strength for penalty in Regularizer.from_options(options)] == ["2", 3]
    assert options.regularizer == [{"name": "older", "strength": "2"}, {"name": "older", "strength": 3}]


LOADED = """
from ganzo.registry import register, with_option_parser
from ganzo.loss import Loss


@register("loss", "third")
class Third(Loss):
    \"\"\"A loss.

    Args:
        edge: where it begins
    \"\"\"

    def __init__(self, critic, *, edge: float = 1.5):
        super().__init__(critic)
        self.edge = edge

    def discriminator_loss(self, real, fake):
        return (fake - real).mean()

    def generator_loss(self, fake):
        return -fake.mean()


@with_option_parser
def options(parser, train):
    parser.add_argument("--both", type=int, default=7, help="in both commands")
    if train:
        parser.add_argument("--only-train", type=float, default=0.5, help="in one of them")
"""


@pytest.fixture
def loaded(own_folder, registry, monkeypatch):
    (own_folder / "third.py").write_text(LOADED)
    monkeypatch.syspath_prepend(own_folder)
    monkeypatch.setenv("GANZO_LOAD_MODULES", " third ,")


def test_modules_of_third_parties_are_loaded(loaded, ganzo, tiny):
    said = ganzo(f"{tiny} --dry-run --loss third --edge 2.5")
    assert ["edge", "2.5", "command", "line"] in [line.split() for line in said.out.splitlines()]
    assert "third" in ganzo("list loss").out
    assert "--edge: where it begins (a number; default 1.5)" in ganzo("list loss third").out
    assert "--edge" in ganzo("train --help --loss third").out


@pytest.mark.parametrize("text, words", [(None, "ModuleNotFoundError"), ("1 / 0", "ZeroDivisionError")])
def test_a_module_that_cannot_be_imported(own_folder, registry, monkeypatch, refused, tiny, text, words):
    if text is not None:
        (own_folder / "broken_module.py").write_text(text)
    monkeypatch.syspath_prepend(own_folder)
    monkeypatch.setenv("GANZO_LOAD_MODULES", "broken_module")
    sentence = refused(tiny)
    assert sentence.startswith("GANZO_LOAD_MODULES names `broken_module`, which cannot be imported")
    assert words in sentence


@pytest.mark.parametrize("by_path", [False, True])
def test_a_module_that_takes_a_taken_name(own_folder, registry, monkeypatch, refused, tiny, by_path):
    (own_folder / "taker.py").write_text(
        "from ganzo.registry import register\n@register('loss', 'gan')\nclass Mine: pass\n"
    )
    if not by_path:
        monkeypatch.syspath_prepend(own_folder)
        monkeypatch.setenv("GANZO_LOAD_MODULES", "taker")
    sentence = refused(tiny + " --loss taker.py:Mine" * by_path)
    assert "is already registered as a loss" in sentence and sentence.endswith("choose another name.")


def test_options_of_third_parties_are_parsed_saved_and_restored(loaded, ganzo, refused, tiny, own_folder):
    said = ganzo(f"{tiny} --dry-run --both 3")
    rows = [line.split() for line in said.out.splitlines()]
    assert ["both", "3", "command", "line"] in rows and ["only_train", "0.5", "default"] in rows
    assert refused(f"{tiny} --both x") == "Argument --both: invalid int value: 'x'."
    assert ganzo(f"{tiny} --experiment x --both 3 --only-train 0.25").status == 0
    saved = json.loads((own_folder / "models/x/options.json").read_text())
    assert (saved["both"], saved["only_train"]) == (3, 0.25)
    assert ganzo("--restore --experiment x").status == 0
    assert "`--both` cannot change on `--restore`" in refused("--restore --experiment x --both 4")
    assert ganzo("sample --experiment x").status == 0  # which does not declare `only_train`
    assert "no option `--only-train`" in refused("sample --experiment x --only-train 1")


def test_options_of_third_parties_stand_in_the_help(loaded, ganzo):
    assert "--only-train" in ganzo("train --help").out
    said = ganzo("sample --help").out
    assert "--both" in said and "--only-train" not in said


def test_what_third_parties_are_told(registry, ganzo, tiny):
    told = []
    with_option_parser(lambda parser, train: told.append(train))
    ganzo(f"{tiny} --dry-run")
    ganzo("sample --help")
    assert told == [True, False]


@pytest.mark.parametrize(
    "declare, words",
    [
        (lambda parser, train: parser.add_argument("--lr"), "adds an option that is taken"),
        (lambda parser, train: parser.add_argument("--image_size"), "adds an option that is taken"),
        (lambda parser, train: parser.add_argument("loss"), "adds an option that is taken"),
        (
            lambda parser, train: parser.add_argument("--mine", help="100%"),
            "cannot add its options (ValueError",
        ),
        (lambda parser, train: 1 / 0, "cannot add its options"),
        (lambda parser: None, "cannot add its options"),
    ],
)
def test_options_that_cannot_be_added(registry, refused, tiny, declare, words):
    with_option_parser(declare)
    assert words in refused(f"{tiny} --dry-run")


def test_with_option_parser_leaves_the_function_as_it_is(registry):
    class Older:
        @with_option_parser
        @staticmethod
        def add_options(parser, train):
            parser.add_argument("--older", default=1)

    parser = ArgumentParser()
    Older.add_options(parser, True)
    assert parser.parse_args([]).older == 1
    assert len([f for f in Registry.option_functions() if f.__qualname__.endswith("Older.add_options")]) == 1


def test_a_default_that_changes_later_does_not_change_a_saved_run(registry):
    def declare(default):
        class Mine:
            """A loss.

            Args:
                edge: where it begins
            """

            def __init__(self, critic, *, edge: float = default):
                self.edge = edge

        return Mine

    Registry.add("loss", "mine", declare(1.5))
    saved = saveable(make_options(loss="mine", seed=1))
    del Registry._classes["loss"]["mine"]
    Registry.add("loss", "mine", declare(9.0))
    assert make_options(loss="mine").edge == 9.0
    restored = Completed([Layer("saved run", saved)]).options
    assert restored.edge == 1.5
    assert Loss.from_options(restored, None).edge == 1.5


def test_every_role_that_must_be_filled_has_a_registered_default():
    for role in ROLES.values():
        if not (role.several and role.default is None):
            assert Registry.default(role.namespace) == role.default


def test_a_registered_default_is_what_is_chosen(registry):
    register("regularizer", "plain", default=True)(Plain)
    assert [penalty.weight for penalty in Regularizer.from_options(Namespace(plain_weight=2))] == [2]
    assert make_options().regularizer == [{"name": "plain", "weight": 1.0}]
    assert make_options(regularizer="none").regularizer == []


def test_components_that_share_an_option_must_agree_on_its_default(registry):
    def declare(default):
        class Mine:
            def __init__(self, *parts, weight: float = default):
                self.weight = weight

        return Mine

    Registry.add("loss", "light", declare(1.0))
    Registry.add("game", "heavy", declare(5.0))
    Registry.add("statistics", "loud", declare(7.0))
    with pytest.raises(
        OptionError, match=r"`--weight` belongs to `loss light` \(default 1.0\) and to `game heavy`"
    ):
        make_options(loss="light", game="heavy")
    assert make_options(loss="light", game="heavy", weight=3).weight == 3
    options = make_options(loss="light", log="loud")  # one of several has settings of its own
    assert (options.weight, options.log) == (1.0, [{"name": "loud", "weight": 7.0}])
    assert Loss.from_options(options).weight == 1.0 and Statistics.from_options(options)[0].weight == 7.0


@pytest.mark.parametrize(
    "path, sentence",
    [
        ("ganzo.hook.ema:EMA", "must be a loss to be chosen as one; it belongs to the room hook"),
        ("ganzo.generator.fc:FCGenerator", "it belongs to the room generator"),
        ("builtins:int", "must be a class written in Python to be a loss"),
        (
            "mine.py:Bare",
            "`Bare` must be one that can be built as a loss, from a NoneType; its constructor takes",
        ),
        ("mine.py:Wants", "from a NoneType; too many positional"),
        ("mine.py:Half", "it lacks the methods missing"),
    ],
)
def test_a_class_that_cannot_play_the_role_is_refused(own_folder, path, sentence):
    (own_folder / "mine.py").write_text(
        "import abc\n\nclass Bare:\n    pass\n\nclass Wants:\n    def __init__(self):\n"
        "        pass\n\nclass Half(abc.ABC):\n    def __init__(self, critic):\n        pass\n\n"
        "    @abc.abstractmethod\n    def missing(self):\n        pass\n"
    )
    with pytest.raises(RegistryError) as error:
        Loss.from_options(Namespace(loss=path), None)
    assert sentence in str(error.value)


def test_a_type_error_inside_a_constructor_stays_one(registry):
    @register("loss", "broken")
    class Broken:
        def __init__(self, critic):
            len(3)

    with pytest.raises(TypeError, match="has no len"):
        build("loss", "broken", Namespace(), None)


def test_options_of_another_shape_are_refused():
    with pytest.raises(OptionError, match="`generator` takes one component here; got 2"):
        Generator.from_options(make_options(generator="fc,conv"))
