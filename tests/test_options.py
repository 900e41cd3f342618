import json
import random
from argparse import Namespace

import pytest

from ganzo.catalogue import FREE, catalogue, shorthands
from ganzo.errors import OptionError
from ganzo.generator import FCGenerator
from ganzo.options import (
    Completed,
    Layer,
    environment,
    flattened,
    hashed_name,
    make_options,
    read_file,
    saveable,
    spelled,
)
from ganzo.roles import ROLES


def completed(*layers):
    return Completed([Layer(source, values) for source, values in layers])


def test_every_default_comes_from_a_signature():
    options = make_options()
    assert (options.generator, options.discriminator, options.loss, options.game) == (
        "fc",
        "fc",
        "gan",
        "standard",
    )
    assert (options.image_size, options.state_size, options.generator_layers) == (64, 128, 4)
    assert (options.generator_lr, options.generator_beta1, options.generator_beta2) == (1e-4, 0.0, 0.9)
    assert (options.batch_size, options.model_dir, options.epochs, options.seed) == (64, "models", 100, None)


def test_saved_options_are_a_template_for_other_networks():
    saved = saveable(make_options(generator="conv", discriminator="conv"))
    assert saved["generator_layers"] is None
    template = Completed([Layer("saved", saved), Layer("new", {"generator": "fc", "discriminator": "fc"})])
    assert isinstance(FCGenerator(template.options), FCGenerator)


def test_an_option_of_a_component_that_is_not_chosen_has_its_default_too():
    assert make_options(loss="gan").margin == 1.0


def test_layers_lie_over_each_other():
    sources = ["environment", "saved run", "config a.yaml", "command line", "from-json b.json"]
    for top in range(1, len(sources) + 1):
        done = completed(*((source, {"image_size": str(10 + i)}) for i, source in enumerate(sources[:top])))
        assert done.options.image_size == 9 + top
        assert done.set_by["image_size"] == sources[top - 1]
    assert "image_size" not in completed().set_by


def test_the_specific_beats_the_general_within_a_layer():
    options = make_options(lr=3e-3, generator_lr=1e-2, beta1=0.5, discriminator_beta1=0.25)
    assert (options.generator_lr, options.discriminator_lr) == (1e-2, 3e-3)
    assert (options.generator_beta1, options.discriminator_beta1) == (0.5, 0.25)


def test_a_higher_layer_beats_a_lower_one_whether_general_or_specific():
    low, high = ("config", {"generator_lr": 1e-2, "discriminator_lr": 2e-2}), ("command line", {"lr": "3e-3"})
    options = completed(low, high).options
    assert (options.generator_lr, options.discriminator_lr) == (3e-3, 3e-3)
    low, high = ("config", {"lr": 3e-3}), ("command line", {"generator_lr": "1e-2"})
    options = completed(low, high).options
    assert (options.generator_lr, options.discriminator_lr) == (1e-2, 3e-3)


def test_what_stands_for_both_players():
    assert spelled({"optimizer": "adam", "lr": 1}) == {
        **{"generator_optimizer": "adam", "discriminator_optimizer": "adam"},
        **{"generator_lr": 1, "discriminator_lr": 1},
    }
    assert shorthands()["beta2"] == ("generator_beta2", "discriminator_beta2")


def test_old_spellings():
    assert spelled({"clip_to": 0.1, "gradient_penalty": 10}) == {
        "weight_clipper_clip_to": 0.1,
        "gradient_penalty_factor": 10,
    }


def test_a_file_may_nest_or_be_flat():
    nested = {"generator": {"name": "conv", "layers": 5}, "generator-optimizer": {"name": "adam", "lr": 1e-3}}
    flat = {"generator": "conv", "generator_layers": 5, "generator_lr": 1e-3}
    nested = {key.replace("-", "_"): value for key, value in nested.items()}
    assert saveable(completed(("file", nested)).options) == saveable(completed(("file", flat)).options)
    assert flattened(nested) == {**flat, "generator_optimizer": "adam"}


@pytest.mark.parametrize(
    "name, text",
    [
        (
            "o.json",
            '{"image-size": 16, "lr": 1e-3, "generator": {"name": "conv"}, "about": {"any": ["thing"]}}',
        ),
        ("o.yaml", "image-size: 16\nlr: 1e-3\ngenerator: {name: conv}\nabout: {any: [thing]}\n"),
        ("O.YML", "image_size: '16'\nlr: '1e-3'\ngenerator:\n  name: conv\n"),
        ("o.JSON", '{"image_size": 16.0, "lr": "0.001", "generator": ["conv"]}'),
    ],
)
def test_files_are_read(own_folder, name, text):
    (own_folder / name).write_text(text)
    values = read_file(own_folder / name)
    assert "about" not in values
    options = completed(("file", values)).options
    assert (options.image_size, options.generator_lr, options.generator) == (16, 1e-3, "conv")


@pytest.mark.parametrize(
    "name, text, words",
    [
        ("o.json", "", "not valid JSON"),
        ("o.json", "{", "not valid JSON"),
        ("o.json", "[" * 100_000, "not valid JSON"),
        ("o.json", '{"epochs": ' + "9" * 5000 + "}", "not valid JSON"),
        ("o.json", "[1]", "one object of options and their values; got list"),
        ("o.json", "null", "got NoneType"),
        ("o.json", '"text"', "got str"),
        ("o.yaml", "", "got NoneType"),
        ("o.yaml", "a: [", "not valid YAML"),
        ("o.yaml", "a: b: c", "not valid YAML"),
        ("o.yaml", "- 1\n- 2\n", "got list"),
        ("o.yaml", "1: 2\n", "got dict"),
        ("o.yaml", "!!python/object/apply:os.system ['true']", "not valid YAML"),
        ("o.yaml", "? [1]\n: 2\n", "not valid YAML"),
        ("o.yaml", "loss: &a [*a]\n", "refers to itself"),
        ("o.yaml", "a: &a {b: *a}\n", "refers to itself"),
        ("o.yaml", "loss: " + "[" * 30 + "]" * 30, "nested too deep"),
        (
            "o.yaml",
            "\n".join(["a0: &a0 [1]", *(f"a{i}: &a{i} [{f'*a{i - 1}, ' * 9}]" for i in range(1, 9))]),
            "nested",
        ),
    ],
)
def test_files_that_hold_no_options(own_folder, name, text, words):
    (own_folder / name).write_text(text)
    with pytest.raises(OptionError, match=words):
        read_file(own_folder / name)


def test_files_that_cannot_be_read(own_folder):
    (own_folder / "o.json").write_bytes(b"\xff\xfe")
    for name in ("o.json", "not.json", "."):
        with pytest.raises(OptionError, match="cannot be read"):
            read_file(own_folder / name)


def test_options_from_the_environment(monkeypatch):
    monkeypatch.setenv("GANZO_MODEL_DIR", "elsewhere")
    monkeypatch.setenv("GANZO_LOSS", "hinge")
    monkeypatch.setenv("GANZO_NO_SUCH_OPTION", "1")
    layer = environment()
    assert {"model_dir": "elsewhere", "loss": "hinge"}.items() <= layer.values.items()
    assert "no_such_option" not in layer.values
    options = Completed([layer, Layer("command line", {"loss": "wgan"})]).options
    assert (options.model_dir, options.loss) == ("elsewhere", "wgan")


def test_the_environment_knows_shorthands_and_old_spellings(monkeypatch):
    for name, value in (("LR", "3e-3"), ("BETA1", "0.5"), ("OPTIMIZER", "adam"), ("CLIP_TO", "0.2")):
        monkeypatch.setenv(f"GANZO_{name}", value)
    monkeypatch.setenv("GANZO_DISCRIMINATOR_LR", "2e-3")
    layer = environment()
    options = Completed([layer, Layer("command line", {"discriminator_hook": "weight-clipper"})]).options
    assert (options.generator_lr, options.discriminator_lr) == (3e-3, 2e-3)
    assert (options.generator_beta1, options.discriminator_beta1) == (0.5, 0.5)
    assert (options.weight_clipper_clip_to, options.generator_optimizer) == (0.2, "adam")
    assert layer.warnings == []


def test_a_misspelt_variable_is_warned_of(monkeypatch):
    monkeypatch.setenv("GANZO_MODLE_DIR", "elsewhere")
    monkeypatch.setenv("GANZO_LOAD_MODULES", "")
    monkeypatch.setenv("GANZO_NO_SKIPS", "1")
    assert environment().warnings == [
        "The variable `GANZO_MODLE_DIR` names no option, and has no effect. Did you mean `GANZO_MODEL_DIR`?"
    ]


def test_what_is_saved_is_complete_sorted_and_loads_again():
    options = make_options(
        **{"generator": "conv", "generator_dropout": "0.5", "loss": "wgan-gp", "lr": "1e-3", "seed": 3},
        **{"regularizer": "r1:weight=2", "generator_hook": "ema", "log": "console,file", "metrics": "judge"},
    )
    saved = saveable(options)
    text = json.dumps(saved)
    assert list(saved) == sorted(saved)
    assert {"generator_channels", "gradient_penalty_factor", "seed", "evaluation_criterion"} <= set(saved)
    assert "margin" not in saved  # of a loss that is not chosen
    assert not {"restore", "delete"} & set(saved)
    again = completed(("saved run", json.loads(text))).options
    assert saveable(again) == saved
    assert json.dumps(saveable(again)) == text


def test_the_hashed_name_is_of_what_changes_the_result():
    name = hashed_name(make_options())
    assert name == hashed_name(make_options()) and len(name) == 12
    changes = {
        "lr": 1e-3,
        "generator": "conv",
        "seed": 1,
        "batch_size": 32,
        "regularizer": "r1",
        "image_size": 32,
    }
    names = {hashed_name(make_options(**{key: value})) for key, value in changes.items()}
    assert len(names | {name}) == len(changes) + 1


def test_the_hashed_name_leaves_out_what_does_not_change_the_result():
    free = {
        **{"epochs": 3, "device": "cpu", "model_dir": "m", "output_dir": "o", "threads": 2, "tune": False},
        **{"log": "file", "log_file": "x", "save_images_as": "folder", "snapshot_size": 4, "sample_every": 3},
        **{
            "metrics": "judge",
            "metrics_every": 3,
            "checkpoint_every": 3,
            "keep_checkpoints": 4,
            "restore": True,
        },
        **{"start_epoch": 9, "max_seconds": 4, "channels_last": True, "cache_dir": "c", "delete": True},
        **{"parallel": True},
    }
    name = hashed_name(make_options(loss="hinge"))
    for key, value in free.items():
        more = {"log": "file"} if key == "log_file" else {}
        assert hashed_name(make_options(loss="hinge", **{key: value}, **more)) == name, key
    keys = list(free)
    random.Random(0).shuffle(keys)
    assert hashed_name(make_options(**{key: free[key] for key in keys}, loss="hinge")) == name
    assert FREE - {*catalogue(), *ROLES} == set()  # no name that has gone out of use


def test_the_hashed_name_does_not_depend_on_the_order():
    one = make_options(loss="hinge", margin=2, regularizer="r1:weight=2,every=3")
    other = make_options(regularizer={"every": "3", "weight": "2", "name": "r1"}, margin="2", loss="hinge")
    assert hashed_name(one) == hashed_name(other)


def test_an_unknown_option_is_refused_with_the_nearest():
    with pytest.raises(
        OptionError, match=r"There is no option `mragin` \(keywords\). Did you mean `margin`\?"
    ):
        make_options(mragin=1)


@pytest.mark.parametrize("key", ["regularizers", "classes", "folder", "hooks", "random"])
def test_a_fact_is_no_option_of_a_file(key):
    with pytest.raises(OptionError, match=f"There is no option `{key}`"):
        completed(("config a.yaml", {key: 3}))


def test_a_fact_may_be_given_where_parts_are_built_by_hand():
    options = make_options(generator="conv", image_size=8, image_colors=1, state_size=4, classes=3)
    assert options.classes == 3


@pytest.mark.parametrize(
    "values, words",
    [
        ({"epochs": "many"}, "`--epochs` must be a whole number of at least 0; got 'many'"),
        ({"epochs": True}, "`--epochs` must be"),
        ({"epochs": None}, "`--epochs` must be .*got None"),
        ({"lr": "nan"}, "`--generator-lr` must be a number above 0; got 'nan'"),
        ({"lr": 10**400}, "`--generator-lr` must be a number above 0"),
        ({"image_colors": 2}, "`--image-colors` must be one of 1, 3; got 2"),
        ({"soft_labels": 1}, "`--soft-labels` must be true or false; got 1"),
        ({"model_dir": 5}, "`--model-dir` must be a text; got 5"),
        ({"model_dir": "a\0b"}, "`--model-dir` must be a text"),
        ({"seed": 2**63}, "`--seed` must be a whole number from 0"),
        ({"generator_dropout": {"a": 1}}, "`--generator-dropout` must be"),
    ],
)
def test_a_value_that_does_not_fit_is_refused(values, words):
    with pytest.raises(OptionError, match=words):
        completed(("file", values))


def test_an_option_without_effect_is_a_warning_that_names_its_owner():
    done = completed(("config a.yaml", {"margin": 3}))
    (warning,) = done.warnings
    assert warning == (
        "`--margin` (config a.yaml) has no effect: it belongs to `loss hinge`, which this run does not use."
    )
    assert not completed(("config a.yaml", {"margin": 3, "loss": "hinge"})).warnings
    assert not completed(("saved run", {"margin": 3})).warnings


def test_what_a_saved_run_knows_of_third_parties_is_kept():
    options = completed(("saved run", {"theirs": 3})).options
    assert options.theirs == 3 and saveable(options)["theirs"] == 3
    with pytest.raises(OptionError):
        completed(("config a.yaml", {"theirs": 3}))


def test_every_option_has_a_help_and_a_type():
    for options in catalogue().values():
        for option in options:
            assert option.help and option.kind is not None, option
            assert isinstance(option.flag, str)


def test_a_namespace_is_what_parts_get():
    assert isinstance(make_options(), Namespace)
