import pytest

from ganzo.discriminator import Discriminator
from ganzo.errors import OptionError, RegistryError
from ganzo.grammar import Item, items
from ganzo.options import Completed, Layer, make_options, saveable
from ganzo.registry import child, chosen
from ganzo.roles import ROLES


@pytest.mark.parametrize(
    "value, expected",
    [
        (None, []),
        ("none", []),
        ([], []),
        ([None, "none"], []),
        ("conv", [Item("conv")]),
        (" conv , fc ", [Item("conv"), Item("fc")]),
        (["conv", "fc"], [Item("conv"), Item("fc")]),
        (["conv,fc", "good"], [Item("conv"), Item("fc"), Item("good")]),
        ("conv:channels=32,layers=4", [Item("conv", {"channels": "32", "layers": "4"})]),
        ("conv:a-b=1,c-d=2", [Item("conv", {"a_b": "1", "c_d": "2"})]),
        (
            "conv:channels=32,fc,good:x=1",
            [Item("conv", {"channels": "32"}), Item("fc"), Item("good", {"x": "1"})],
        ),
        ("conv:text=a=b", [Item("conv", {"text": "a=b"})]),
        ("conv:text=", [Item("conv", {"text": ""})]),
        ("a/b.py:Name", [Item("a/b.py:Name")]),
        ("a/b.py:Name:layers=3", [Item("a/b.py:Name", {"layers": "3"})]),
        ("mine.nets:Name,fc", [Item("mine.nets:Name"), Item("fc")]),
        ({"name": "conv", "layers": 4}, [Item("conv", {"layers": 4})]),
        ({"name": "conv", "spectral-norm": True}, [Item("conv", {"spectral_norm": True})]),
        (
            [{"name": "conv"}, "fc", {"name": "fc", "layers": 2}],
            [Item("conv"), Item("fc"), Item("fc", {"layers": 2})],
        ),
    ],
)
def test_how_components_are_written(value, expected):
    assert items(value, "discriminator") == expected


def test_none_is_a_component_of_log():
    assert items("none", "log") == [Item("none")]


@pytest.mark.parametrize(
    "value, words",
    [
        ("", "empty name"),
        ("conv,,fc", "empty name"),
        ("layers=4", "before its settings"),
        ("=4", "before its settings"),
        (":layers=4", "empty name"),
        (5, "must be a name"),
        (True, "must be a name"),
        ({"layers": 4}, "object with a `name`"),
        ({"name": ""}, "object with a `name`"),
        ({"name": ["conv"]}, "object with a `name`"),
        ({1: 2}, "must be a name"),
        ([["conv"], 5], "must be a name"),
    ],
)
def test_what_is_no_component(value, words):
    with pytest.raises(OptionError, match=words):
        items(value, "discriminator")


def test_an_item_is_saved_with_its_name_first_and_the_rest_sorted():
    assert list(Item("conv", {"z": 1, "a": 2}).plain()) == ["name", "a", "z"]


FACTS = {"image_size": 8, "image_colors": 1, "classes": 0, "state_size": 4}


def discriminators(value, **more):
    options = Completed([Layer("keywords", {"discriminator": value, **more})]).options
    for key, fact in FACTS.items():
        setattr(options, key, fact)
    return options, Discriminator.all_from_options(options, ROLES["discriminator"])


@pytest.mark.parametrize(
    "value",
    [
        "conv:channels=8,conv:channels=2",
        ["conv:channels=8", "conv:channels=2"],
        [{"name": "conv", "channels": 8}, {"name": "conv", "channels": 2}],
        ["conv", "conv:channels=2"],  # 8 from the flat option
    ],
)
def test_two_of_a_kind_are_built_each_with_its_own_settings(value):
    options, (one, other) = discriminators(value, discriminator_channels=8)
    width = [next(network.parameters()).shape[0] for network in (one, other)]
    assert width == [8, 2]


def test_each_instance_is_saved_complete_in_a_list():
    options, _ = discriminators("conv:channels=2,fc", discriminator_layers=2)
    saved = saveable(options)
    assert saved["discriminator"] == [
        {"name": "conv", "channels": 2, "dropout": None, "layers": 2, "spectral_norm": False},
        {"name": "fc", "dropout": None, "layers": 2, "spectral_norm": False},
    ]
    assert not any(key.startswith("discriminator_layers") for key in saved)
    again, (one, other) = discriminators(saved["discriminator"])
    assert saveable(again)["discriminator"] == saved["discriminator"]
    assert type(one) is not type(other)


def test_a_child_sees_its_settings_over_the_shared_options():
    options, _ = discriminators("conv:channels=2,fc:layers=3", discriminator_channels=8)
    role = ROLES["discriminator"]
    one, other = (child(options, role, item) for item in chosen(options, role))
    assert (one.discriminator_channels, other.discriminator_layers) == (2, 3)
    assert one.image_size == other.image_size == 8
    assert one is not options and not hasattr(one, "channels")


def test_one_component_with_settings_is_the_same_as_flat_options():
    inline = saveable(make_options(generator="conv:channels=32,dropout=0.5", seed=1))
    nested = saveable(make_options(generator={"name": "conv", "channels": 32, "dropout": 0.5}, seed=1))
    flat = saveable(make_options(generator="conv", generator_channels=32, generator_dropout=0.5, seed=1))
    assert inline == nested == flat


def test_a_flat_option_of_a_higher_layer_beats_the_setting_of_a_lower_one():
    layers = [
        Layer("config", {"regularizer": [{"name": "r1", "weight": 3, "every": 2}]}),
        Layer("command line", {"r1_weight": "7"}),
    ]
    options = Completed(layers).options
    assert options.regularizer == [{"name": "r1", "weight": 7.0, "every": 2}]


def test_an_item_s_own_setting_beats_the_flat_one_of_its_layer():
    options = make_options(regularizer="r1:weight=3", r1_weight=7)
    assert options.regularizer[0]["weight"] == 3.0


@pytest.mark.parametrize(
    "value, error, words",
    [
        ("conv:lagers=3", OptionError, "no option `lagers`.*Did you mean `layers`"),
        ("conv:layers=x", OptionError, "`--discriminator-layers` must be a whole number .*'x'"),
        ("cnov", RegistryError, "no discriminator called `cnov`.*Did you mean `conv`"),
        ("conv:32", RegistryError, "conv:layers=4"),
        ([{"name": "conv", "layers": [1]}, "fc"], OptionError, "--discriminator-layers"),
    ],
)
def test_mistakes_are_named(value, error, words):
    with pytest.raises(error, match=words):
        make_options(discriminator=value)


def test_a_place_for_one_takes_no_two(refused, tiny):
    assert (
        refused(f"{tiny} --generator fc --generator conv") == "`generator` takes one component here; got 2."
    )
    assert "takes one component" in refused(f"{tiny} --discriminator fc,conv")
    assert "takes one component" in refused(f"{tiny} --evaluation-criterion latest,generator-loss")
    assert "takes one component" in refused(f"{tiny} --optimizer adam --optimizer adam")


def test_a_place_that_must_be_filled_takes_no_none(refused, tiny):
    assert refused(f"{tiny} --loss none") == "`--loss` must name a component; got 'none'."
    with pytest.raises(OptionError, match="must name a component"):
        make_options(generator=[])
