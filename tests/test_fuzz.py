"""Whatever comes in: success, or one sentence. Never a traceback; Hypothesis looks for it."""

import json
import math
import string
from argparse import Namespace

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ganzo.arguments import COMMAND_OPTIONS, CommandLine, help_page
from ganzo.catalogue import catalogue
from ganzo.cli import main
from ganzo.errors import GanzoError
from ganzo.grammar import Item, items
from ganzo.options import Completed, Layer, hashed_name, make_options, read_file, saveable, settle_names
from ganzo.registry import Registry, register, with_option_parser
from ganzo.roles import ROLES

PATIENT = settings(
    max_examples=200,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
NAMES = sorted(
    {*ROLES, *catalogue(), "lr", "beta1", "optimizer", "clip_to", "config", "from_json", "dry_run"}
)
COMPONENTS = sorted({name for role in ROLES.values() for name in Registry.keys(role.namespace)})

numbers = st.one_of(
    st.integers(-3, 40), st.integers(), st.floats(), st.sampled_from([10**400, 2**63, math.nan, -0.0, 1e-320])
)
texts = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        [*COMPONENTS, "none", "null", "true", "1e-4", "nan", "8", "0", "conv:layers=3", "fc,conv", "../x"]
    ),
    st.text(alphabet=":,=.-_ab1", max_size=12),
)
scalars = st.one_of(st.none(), st.booleans(), numbers, texts)
nested = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(texts, inner, max_size=4),
        st.fixed_dictionaries(
            {"name": st.sampled_from(COMPONENTS)}, optional={"layers": inner, "weight": inner}
        ),
    ),
    max_leaves=12,
)
keys = st.one_of(st.sampled_from(NAMES), st.text(max_size=10))
options = st.dictionaries(keys, nested, max_size=6)


def complete(*layers):
    """Complete options and do with them all that comes before the parts are built."""
    completed = Completed(layers)
    saved = saveable(completed.options)
    json.dumps(saved, sort_keys=True)
    hashed_name(completed.options)
    settle_names(completed.options)
    help_page("train", COMMAND_OPTIONS, completed)
    return saved


@PATIENT
@given(
    st.lists(
        st.tuples(st.sampled_from(["environment", "config a", "command line", "keywords"]), options),
        max_size=3,
    )
)
def test_any_values(layers):
    try:
        saved = complete(*(Layer(source, values) for source, values in layers))
    except GanzoError:
        return
    assert saveable(Completed([Layer("saved run", saved)]).options) == saved


@PATIENT
@given(keys, nested)
def test_any_value_of_one_option(key, value):
    try:
        complete(Layer("command line", {key: value}))
    except GanzoError:
        pass


@PATIENT
@given(options, st.sampled_from(["json", "yaml"]))
def test_any_file_of_options(own_folder, values, ending):
    path = own_folder / f"o.{ending}"
    text = json.dumps(values) if ending == "json" else yaml.safe_dump(values, allow_unicode=True)
    path.write_text(text, encoding="utf-8", errors="surrogatepass")
    try:
        complete(Layer("config o", read_file(path)))
    except GanzoError:
        pass


@PATIENT
@given(
    st.one_of(
        st.binary(max_size=60), st.text(alphabet="{}[]:,-&*!?|>'\"%@` \n\tab1~#", max_size=60).map(str.encode)
    )
)
@example(b"loss: &a [*a]")
@example(b"a: &a\n  <<: *a")
@example(b"? {a: b}\n: c")
@example(b"a: !!set {b}")
@example(b"a: 2001-99-99")
@example(b"a: 0b2")
@example(b"a: 1:99999999999999999999")
@example(b"a: !!int x")
@example(b"a: !!binary '*'")
@example(b"a: !!timestamp x")
@example(b"a: !!float ''")
@example(b"= : 1")
def test_any_text_in_a_file(own_folder, content):
    for ending in ("json", "yaml"):
        path = own_folder / f"o.{ending}"
        path.write_bytes(content)
        try:
            complete(Layer("config o", read_file(path)))
        except GanzoError:
            pass


flags = st.one_of(
    st.sampled_from([f"--{name.replace('_', '-')}" for name in NAMES]),
    st.sampled_from(
        ["--no-tune", "--no-", "--", "-", "-h", "--help", "--x", "--=", "--loss=", "--lr=1e-3", "-1", ""]
    ),
    st.text(alphabet=string.ascii_letters + "-=_:,", max_size=10).map("--".__add__),
)
words = st.lists(st.one_of(flags, flags, texts), max_size=8)


@PATIENT
@given(words)
def test_any_command_line(line, words):
    try:
        given = line.read(words)
        for key in COMMAND_OPTIONS:
            given.pop(key, None)
        complete(Layer("command line", given))
    except GanzoError:
        pass


@pytest.fixture(scope="module")
def line():
    return CommandLine("train", dict(COMMAND_OPTIONS), switches=("dry_run",))


SMALL = "--dataset digits --image-size 8 --image-colors 1 --batch-size 4 --state-size 2 --threads 1".split()
FRONTS = (["sample"], ["list"], ["train", "--help"], ["train", "--dry-run", *SMALL])
GROWING = {"--image-size", "--state-size", "--threads", "--generator-layers", "--discriminator-layers"}


@settings(PATIENT, max_examples=80)
@given(st.sampled_from(FRONTS), words.filter(lambda words: not GROWING & set(words)))
def test_any_words_for_a_whole_command(capsys, front, words):
    """Nothing trains here; options that only make it slow are left alone."""
    try:
        status = main([*front, *words])
    except SystemExit as error:
        status = error.code
    assert status in (0, 1, 2)
    assert "Traceback" not in capsys.readouterr().err


valid = {
    **{"generator": st.sampled_from(["fc", "conv", {"name": "fc", "layers": 3}, "fc:layers=2"])},
    **{"discriminator": st.sampled_from(["fc", "conv,fc:layers=3", [{"name": "conv"}, "good"]])},
    **{"loss": st.sampled_from(["gan", "hinge", "wgan-gp"]), "lr": st.floats(1e-6, 1).map(str)},
    **{"regularizer": st.sampled_from(["none", "r1", "r1:weight=3,r2", ["gradient-penalty"]])},
    **{"generator_hook": st.sampled_from([None, "ema", ["ema:decay=0.5", "weight-clipper"]])},
    **{"r1_weight": st.integers(1, 9), "seed": st.one_of(st.none(), st.integers(0, 2**63 - 1))},
    **{"log": st.sampled_from(["none", "console,file"]), "soft_labels": st.booleans(), "beta1": st.just(0)},
    **{"image_size": st.sampled_from(["8", 8, 8.0]), "experiment": st.sampled_from([None, "a", "ä b"])},
}


@settings(PATIENT, max_examples=60)
@given(st.lists(st.fixed_dictionaries({}, optional=valid), max_size=3))
def test_what_was_accepted_and_saved_loads_again_to_the_same(layers):
    saved = complete(*(Layer(f"layer {i}", values) for i, values in enumerate(layers)))
    text = json.dumps(saved, sort_keys=True)
    again = Completed([Layer("saved run", json.loads(text))])
    assert json.dumps(saveable(again.options), sort_keys=True) == text
    assert hashed_name(again.options) == hashed_name(Completed([Layer("from-json", saved)]).options)


@PATIENT
@given(st.one_of(texts, nested), st.sampled_from(sorted(ROLES)))
def test_any_grammar(value, key):
    try:
        found = items(value, key)
    except GanzoError:
        return
    assert all(isinstance(item, Item) and isinstance(item.name, str) and item.name for item in found)
    assert [item.plain() for item in items([item.plain() for item in found], key)] == [
        item.plain() for item in found
    ]


names = st.text(alphabet="abc-", min_size=1, max_size=4)
settings_of_items = st.dictionaries(
    names.map(lambda n: n.replace("-", "_")), st.text("xyz=.1", max_size=4), max_size=3
)


@PATIENT
@given(st.lists(st.tuples(names, settings_of_items), min_size=1, max_size=4))
def test_what_is_written_in_the_grammar_is_read(wanted):
    found = [Item(name, {k: v for k, v in values.items() if k != "name"}) for name, values in wanted]
    text = ",".join(
        item.name
        + "".join(f"{':' if not i else ','}{k}={v}" for i, (k, v) in enumerate(item.settings.items()))
        for item in found
    )
    if text != "none":
        assert items(text, "discriminator") == found
    assert items([item.plain() for item in found], "discriminator") == found


operations = st.one_of(
    st.tuples(
        st.just("add"),
        st.sampled_from(["loss", "gadget", "regularizer"]),
        names,
        st.integers(0, 3),
        st.booleans(),
    ),
    st.tuples(st.just("get"), st.sampled_from(["loss", "gadget", "nothing"]), texts),
    st.tuples(st.just("default"), st.sampled_from(["loss", "gadget", "nothing"])),
    st.tuples(st.just("set_default"), st.sampled_from(["loss", "gadget"]), names),
    st.tuples(st.just("parser"), st.sampled_from(["--one", "--two", "--lr", "three", ""])),
    st.tuples(st.just("use"), names, st.integers(-5, 5)),
)


@settings(PATIENT, max_examples=100)
@given(st.lists(operations, max_size=8))
def test_any_use_of_the_registry(registry, operations):
    classes = [type(f"Mine{n}", (Theirs,), {}) for n in range(3)] + [Older]
    kept = [
        {k: {**v} for k, v in Registry._classes.items()},
        {**Registry._defaults},
        [*Registry._option_functions],
    ]
    known = {}
    for operation in operations:
        try:
            match operation:
                case "add", room, name, number, default:
                    register(room, name, default=default)(classes[number])
                    known.setdefault((room, name), classes[number])
                case "get", room, name:
                    Registry.get(room, name)
                    Registry.lookup(room, name)
                case "default", room:
                    assert Registry.default(room) is None or isinstance(Registry.default(room), str)
                case "set_default", room, name:
                    Registry.set_default(room, name)
                case "parser", flag:
                    with_option_parser(lambda parser, train, flag=flag: parser.add_argument(flag, default=1))
                    CommandLine("train", {}).read([])
                case "use", name, weight:
                    options = make_options(regularizer={"name": name, "weight": weight})
                    built = Registry.lookup("regularizer", name)(Namespace(**vars(options)))
                    assert type(built) is known["regularizer", name]
        except GanzoError:
            pass
        for (room, name), cls in known.items():
            assert Registry.get(room, name) in (cls, None)
    Registry._classes, Registry._defaults, Registry._option_functions = kept


class Theirs:
    """A penalty.

    Args:
        weight: how much
    """

    key = None

    def __init__(self, *, weight: int = 1):
        self.weight = weight


class Older:
    def __init__(self, options):
        self.options = options
