import argparse
import re
from pathlib import Path

import pytest

from ganzo.arguments import COMMAND_OPTIONS, CommandLine, help_page, is_switch, normalise
from ganzo.catalogue import catalogue, component_options
from ganzo.errors import OptionError
from ganzo.options import Completed, Layer
from ganzo.registry import Registry
from ganzo.roles import ROLES
from ganzo.sample import SAMPLE_OPTIONS

FLAGS = Path(__file__).with_name("flags.txt")


def line(command="train"):
    extra = COMMAND_OPTIONS if command == "train" else SAMPLE_OPTIONS
    return CommandLine(command, dict(extra), switches=("dry_run",), train=command == "train")


def read(text):
    return line().read(text.split())


@pytest.mark.parametrize(
    "text, expected",
    [
        ("", {}),
        ("--loss hinge --epochs 3", {"loss": "hinge", "epochs": "3"}),
        ("--loss=hinge --image_size=8", {"loss": "hinge", "image_size": "8"}),
        ("--soft-labels", {"soft_labels": True}),
        ("--no-soft_labels", {"soft_labels": False}),
        ("--soft-labels --no-soft-labels", {"soft_labels": False}),
        ("--no-tune --channels-last", {"tune": False, "channels_last": True}),
        ("--epochs 3 --epochs 4", {"epochs": "4"}),
        ("--discriminator fc --discriminator conv:layers=3", {"discriminator": ["fc", "conv:layers=3"]}),
        ("--discriminator fc,conv", {"discriminator": "fc,conv"}),
        ("--lr 1e-3 --beta1=0.5", {"lr": "1e-3", "beta1": "0.5"}),
        ("--optimizer adam", {"optimizer": "adam"}),
        ("--clip-to 0.1 --gradient-penalty 10", {"clip_to": "0.1", "gradient_penalty": "10"}),
        ("--seed -1", {"seed": "-1"}),
        ("--data-dir a_b", {"data_dir": "a_b"}),
        ("--dry-run --config a.yaml", {"dry_run": True, "config": "a.yaml"}),
    ],
)
def test_what_a_command_line_says(text, expected):
    assert read(text) == expected


def test_only_the_names_of_options_are_normalised():
    words = ["--image_size=a_b", "--data_dir", "c_d", "-x_y"]
    assert normalise(words) == ["--image-size=a_b", "--data-dir", "c_d", "-x_y"]


@pytest.mark.parametrize(
    "text, words",
    [
        ("--mragin 3", "There is no option `--mragin`. Did you mean `--margin`?"),
        ("--mragin=3", "There is no option `--mragin`. Did you mean `--margin`?"),
        ("--epoch 3", "There is no option `--epoch`. Did you mean `--epochs`?"),  # no guessing of prefixes
        ("--gen fc", "There is no option `--gen`."),
        ("--no-epochs", "There is no option `--no-epochs`."),
        ("-x", "There is no option `-x`."),
        ("stray", "`stray` stands alone; an option begins with `--`."),
        ("--soft-labels yes", "`yes` stands alone"),
        ("--epochs", "`--epochs` needs a value behind it."),
        ("--epochs --seed 3", "`--epochs` needs a value behind it."),
        ("--dry-run=3", "`--dry-run` takes no value; write `--dry-run` or `--no-dry-run`."),
        ("--", "There is no option `--`"),
    ],
)
def test_what_is_no_option(text, words):
    with pytest.raises(OptionError, match=re.escape(words)):
        read(text)


def test_no_flag_has_a_default():
    assert all(action.default is argparse.SUPPRESS for action in line().parser._actions)


def test_every_option_of_every_component_is_a_flag():
    flags = line().parser._option_string_actions
    for role in ROLES.values():
        assert f"--{role.key.replace('_', '-')}" in flags
        for name in Registry.keys(role.namespace):
            for option in component_options(role, name):
                assert option.flag in flags
                assert (f"--no-{option.flag[2:]}" in flags) == is_switch(option.kind), option


def all_flags():
    """Every flag of every command, one per line; `python tests/test_arguments.py` writes them to flags.txt."""
    lines = {
        f"{command} {flag}"
        for command in ("train", "sample")
        for flag in line(command).parser._option_string_actions
    }
    return "\n".join(sorted(lines)) + "\n"


def test_a_flag_is_public():
    """A flag that comes, goes or is renamed shows in review: regenerate by `python tests/test_arguments.py`."""
    now, then = set(all_flags().splitlines()), set(FLAGS.read_text().splitlines())
    assert sorted(then - now) == [], "flags that went"
    assert sorted(now - then) == [], "flags that came; write them down by `python tests/test_arguments.py`"


@pytest.mark.parametrize("command, extra", [("train", COMMAND_OPTIONS), ("sample", SAMPLE_OPTIONS)])
def test_the_help_shows_every_option_of_the_chosen_components(command, extra):
    values = {
        "generator": "conv",
        "loss": "hinge",
        "regularizer": "r1,r2",
        "generator_hook": "ema",
        "log": "file",
    }
    completed = Completed([Layer("command line", values)])
    page = help_page(command, dict(extra), completed)
    flat = " ".join(page.split())
    for role in ROLES.values():
        for item in completed.chosen[role.key]:
            for option in component_options(role, item.name):
                assert f"{option.flag}" in flat and " ".join(option.help.split()) in flat, option
    for key, text in extra.items():
        assert f"--{key.replace('_', '-')} {text}" in flat
    for option in (
        options[0] for key, options in catalogue().items() if key in ("seed", "device", "restore")
    ):
        assert option.help in flat
    assert "--gradient-penalty-factor" not in flat  # of a loss that is not chosen
    assert "--margin how far" in flat and "(a number of at least 0; default 1.0)" in flat


if __name__ == "__main__":
    FLAGS.write_text(all_flags())
