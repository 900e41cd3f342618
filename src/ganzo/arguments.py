"""The command line as options see it: flags made from signatures, and the help page of the chosen components."""

import argparse
from collections.abc import Sequence
from typing import Any, NoReturn

from ganzo.catalogue import (
    OLD_SPELLINGS,
    SHORTHANDS,
    Option,
    catalogue,
    common_options,
    component_options,
    shorthands,
)
from ganzo.errors import OptionError, RegistryError, nearest
from ganzo.grammar import WITH_ARGUMENTS, items
from ganzo.loading import is_path
from ganzo.options import Completed, Layer
from ganzo.registry import Registry
from ganzo.roles import ROLES
from ganzo.schema import describe, is_switch

COMMAND_OPTIONS = {  # read by the command itself; they are no part of a run
    "config": "a recipe's name, or a JSON or YAML file of options that the command line may override",
    "from_json": "a JSON or YAML file of options that beats the command line: it reproduces a run",
    "dry_run": "print every value with who set it, the shapes, memory and time to finish; train nothing",
    "as": "read the command line as that of an older system: gan-doctor",
}

Rows = Sequence[tuple[str, str]]  # flags, and their help


class Parser(argparse.ArgumentParser):
    """argparse, but what is wrong comes as one sentence."""

    def error(self, message: str) -> NoReturn:
        """Raise instead of printing the usage."""
        name, _, what = message.removeprefix("argument ").partition(": ")
        if what == "expected one argument":
            raise OptionError(f"`{name}` needs a value behind it.")
        if what.startswith("ignored explicit argument"):
            raise OptionError(f"`{name}` takes no value; write `{name}` or `--no-{name.removeprefix('--')}`.")
        raise OptionError(f"{message[0].upper()}{message[1:]}.")


def normalise(words: Sequence[str]) -> list[str]:
    """In the names of options `_` equals `-`."""
    out = []
    for word in words:
        name, equals, value = word.partition("=")
        out.append(name.replace("_", "-") + equals + value if name.startswith("--") else word)
    return out


class CommandLine:
    """The parser of a command, made of every option that any component has.

    Args:
        command: the name of the command
        extra: the command's own options, with their help
        switches: which of these are pairs `--x / --no-x`
        train: what functions of `with_option_parser` are told: whether this command trains
    """

    def __init__(
        self, command: str, extra: dict[str, str], switches: tuple[str, ...] = (), train: bool = True
    ):
        self.parser = Parser(prog=f"ganzo {command}", add_help=False, allow_abbrev=False)
        for key, text in extra.items():
            self._add(key, switch=key in switches, text=text)
        for key, role in ROLES.items():
            self._add(key, text=role.help, repeat=True)
        for key in WITH_ARGUMENTS:
            self._add(
                f"{key}_args", text=f"options of the {key}: JSON, a Python literal or key=value,key=value"
            )
        for key in (*SHORTHANDS, *(k for k in shorthands() if k not in SHORTHANDS), *OLD_SPELLINGS):
            if key not in catalogue():
                self._add(key, repeat=key in SHORTHANDS, text="")
        for key, options in catalogue().items():
            self._add(key, switch=any(is_switch(option.kind) for option in options), text=options[0].help)
        self.third_party_rows: list[tuple[str, str]] = []  # flags and help
        self.third_party_actions: dict[str, argparse.Action] = {}
        self.third_party = self._third_party(train)

    def _add(self, key: str, switch: bool = False, repeat: bool = False, text: str = "") -> None:
        flag = "--" + key.replace("_", "-")
        settings: dict[str, Any] = {"dest": key, "default": argparse.SUPPRESS, "help": text}
        if switch:
            self.parser.add_argument(flag, action="store_true", **settings)
            self.parser.add_argument("--no-" + flag[2:], action="store_false", **settings)
        else:
            self.parser.add_argument(flag, action="append" if repeat else "store", **settings)

    def _third_party(self, train: bool) -> dict[str, Any]:
        """Let third parties declare options; returns their defaults."""
        defaults = {}
        for function in Registry.option_functions():
            who, before = f"{function.__module__}.{function.__qualname__}", set(self.parser._actions)
            try:
                function(self.parser, train)
                for action in [action for action in self.parser._actions if action not in before]:
                    if action.dest not in ("help", argparse.SUPPRESS):
                        defaults[action.dest] = self._adopt(action)
            except argparse.ArgumentError as error:
                raise OptionError(f"{who} adds an option that is taken: {error}.") from error
            except Exception as error:  # whatever the third party's own code raises
                raise RegistryError(
                    f"{who} cannot add its options ({type(error).__name__}: {error})."
                ) from error
        return defaults

    def _adopt(self, action: argparse.Action) -> Any:
        """Make an option of third parties one like all others, and give its default.

        A name without dashes is taken for an option, as in the old documentation's own example.
        """
        names = action.option_strings or [f"--{action.dest}"]
        action.option_strings = list(dict.fromkeys([*names, *normalise(names)]))
        for name in action.option_strings:
            if self.parser._option_string_actions.setdefault(name, action) is not action:
                raise argparse.ArgumentError(action, f"conflicting option string: {name}")
        if action.help != argparse.SUPPRESS:
            text = self.parser._get_formatter()._expand_help(action) if action.help else ""
            self.third_party_rows.append((", ".join(normalise(names)), text))
        default = None if action.default is argparse.SUPPRESS else action.default
        action.default, action.required = argparse.SUPPRESS, False
        self.third_party_actions[action.dest] = action
        return default

    def check(self, layer: Layer) -> None:
        """Hold the values that a file gives to third parties' options against what they declared."""
        for key in sorted(self.third_party_actions.keys() & layer.values.keys()):
            action, value = self.third_party_actions[key], layer.values[key]
            default = self.third_party[key]
            if value is None or value == default or (isinstance(value, bool) and isinstance(default, bool)):
                continue
            allowed = "what its type takes"
            try:
                if action.nargs == 0:  # a switch, or a count
                    allowed = "true or false"
                    fits = not isinstance(action.const, bool)
                else:
                    several = action.nargs is not None or isinstance(action, argparse._AppendAction)
                    many = value if isinstance(value, list) and several else [value]
                    read = [self.parser._get_value(action, str(each)) for each in many]
                    fits = all(not isinstance(each, dict | list | bool) for each in many)
                    layer.values[key] = read if many is value else read[0]
                    if fits and action.choices is not None:
                        allowed = f"one of {', '.join(map(str, action.choices))}"
                        fits = all(each in action.choices for each in read)
            except argparse.ArgumentError:
                fits = False
            if not fits:
                raise OptionError(
                    f"`--{key.replace('_', '-')}` ({layer.source}) must be {allowed}; got {value!r}."
                )

    def learn(self, values: dict[str, Any]) -> None:
        """Add the options of components that are given by a path, which the catalogue does not know."""
        for key in [key for key in values if key in ROLES]:
            for item in items(values[key], key):
                for option in component_options(ROLES[key], item.name) if is_path(item.name) else ():
                    if option.flag not in self.parser._option_string_actions:
                        self._add(option.key, switch=is_switch(option.kind), text=option.help)

    def read(self, words: list[str]) -> dict[str, Any]:
        """What a command line says, by key; an unknown flag is an error that offers the nearest one."""
        found, rest = self.parser.parse_known_args(normalise(words))
        if rest:  # perhaps options of components that are given by a path
            self.learn(vars(found))
            found, rest = self.parser.parse_known_args(normalise(words))
        if rest:
            flags = [string for action in self.parser._actions for string in action.option_strings]
            unknown = rest[0].partition("=")[0]
            raise OptionError(
                f"There is no option `{unknown}`.{nearest(unknown, flags)}"
                if unknown.startswith("-")
                else f"`{unknown}` stands alone; an option begins with `--`."
            )
        values = vars(found)
        for key in (*ROLES, *SHORTHANDS):
            if key in values and len(values[key]) == 1:
                values[key] = values[key][0]
        return values


def help_page(command: str, extra: dict[str, str], completed: Completed, rows: Rows = ()) -> str:
    """The help of a command: its own options, those of every run and of the chosen components, third parties' rows."""
    run = {"sample": " [RUN]", "evaluate": " RUN | A B"}.get(command, "")
    parts = [f"usage: ganzo {command}{run} [--option value …]\n"]
    parts.append(
        _section("options of the command", [(f"--{k.replace('_', '-')}", text) for k, text in extra.items()])
    )
    parts.append(_section("options of every run", [_row(option) for option in common_options()]))
    choices = [
        (f"--{role.key.replace('_', '-')}", f"{role.help}: {', '.join(Registry.keys(role.namespace))}")
        for role in ROLES.values()
    ]
    parts.append(_section("components", choices))
    for role in ROLES.values():
        for item in completed.chosen[role.key]:
            own = [_row(option) for option in component_options(role, item.name)]
            if own:
                parts.append(_section(f"{role.key.replace('_', '-')} {item.name}", own))
    if rows:
        parts.append(_section("options of third parties", rows))
    short = ", ".join(f"--{key.replace('_', '-')}" for key in shorthands())
    parts.append(f"For both players at once: {short}.")
    whole = ", ".join(f"--{key}-args" for key in WITH_ARGUMENTS)
    parts.append(f"Options of one component as JSON, a Python literal or key=value,key=value: {whole}.")
    parts.append("Your own pictures: `--data-dir FOLDER` (see `ganzo list dataset folder`).")
    parts.append("`ganzo list ROOM COMPONENT` shows the options of any other component.")
    return "\n".join(parts)


def _row(option: Option) -> tuple[str, str]:
    default = "none" if option.default is None else option.default
    switch = is_switch(option.kind)
    flag = f"{option.flag} / --no-{option.flag[2:]}" if switch else option.flag
    kind = "" if switch else f"{describe(option.kind)}; "
    return flag, f"{option.help} ({kind}default {default})"


def _section(title: str, rows: Rows) -> str:
    import textwrap

    lines = [f"{title}:"]
    for flag, text in rows:
        lines.append(f"  {flag}")
        lines += textwrap.wrap(text, 100, initial_indent="      ", subsequent_indent="      ")
    return "\n".join(lines) + "\n"
