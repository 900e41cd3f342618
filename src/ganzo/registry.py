"""All that a component needs of the frame: `@register`, the kinds of options, errors, and what a room's base offers."""

import argparse
from argparse import Namespace
from collections.abc import Callable
from typing import Any, ClassVar

from ganzo.errors import (
    DataError,
    GanzoError,
    OptionError,
    RegistryError,
    RegistryException,
    RunError,
    nearest,
)
from ganzo.grammar import Item, arguments, items
from ganzo.loading import lazily
from ganzo.names import Registry, build, is_fact, register, takes_options, with_option_parser
from ganzo.roles import ROLES, Role, side_of
from ganzo.schema import (
    Count,
    Fraction,
    ImageSize,
    Natural,
    NonNegative,
    Positive,
    Words,
    accepts,
    convert,
    describe,
    is_switch,
    parameters,
)

__all__ = [  # all that a component needs of the frame
    "ROLES",
    "Count",
    "DataError",
    "Facade",
    "Fraction",
    "GanzoError",
    "ImageSize",
    "Natural",
    "NonNegative",
    "OptionError",
    "Positive",
    "Registry",
    "RegistryError",
    "RegistryException",
    "RunError",
    "Words",
    "accepts",
    "arguments",
    "build",
    "child",
    "chosen",
    "is_fact",
    "lazily",
    "nearest",
    "parameters",
    "register",
    "role_of",
    "side_of",
    "takes_options",
    "with_option_parser",
]


def role_of(namespace: str) -> Role:
    """The first role whose component a namespace gives."""
    return next(role for role in ROLES.values() if role.namespace == namespace)


def chosen(options: Namespace, role: Role) -> list[Item]:
    """The components that the options choose for a role, or its default."""
    value = getattr(options, role.key, None)
    return default_of(role) if value is None else items(value, role.key)


def default_of(role: Role) -> list[Item]:
    """What fills a role when nothing is named: what its room registered as default; none where it has none."""
    name = Registry.default(role.namespace)
    return [] if name is None else [Item(name)]


def child(options: Namespace, role: Role, item: Item) -> Namespace:
    """The options as one component sees them: its own settings over the shared ones."""
    own = {role.option(item.name, key): value for key, value in item.settings.items()}
    if takes_options(Registry.lookup(role.namespace, item.name)):
        own |= item.settings
    return Namespace(**{**vars(options), **own})


class Facade:
    """The base of every room's base class: builds the chosen component from options."""

    namespace: ClassVar[str]

    @classmethod
    def from_options(cls, options: Namespace, *parts: Any, **offered: Any) -> Any:
        """Build what the options choose: one component, or a list where the role takes several."""
        role = role_of(cls.namespace)
        built = cls.all_from_options(options, role, *parts, **offered)
        if role.several:
            return built
        if len(built) != 1:
            raise OptionError(f"`{role.key}` takes one component here; got {len(built)}.")
        return built[0]

    @classmethod
    def all_from_options(cls, options: Namespace, role: Role, *parts: Any, **offered: Any) -> list[Any]:
        """Build every component that the options choose for a role."""
        return [
            build(cls.namespace, item.name, child(options, role, item), *parts, **offered)
            for item in chosen(options, role)
        ]

    @classmethod
    def add_options(cls, parser: argparse.ArgumentParser, train: bool = True) -> None:
        """Declare the options of every component of the room on a parser; none has a default there."""
        role = role_of(cls.namespace)
        parser.add_argument(f"--{role.key.replace('_', '-')}", default=argparse.SUPPRESS, help=role.help)
        known = {string for action in parser._actions for string in action.option_strings}
        for name in Registry.keys(cls.namespace):
            for parameter in parameters(Registry.lookup(cls.namespace, name)):
                flag = "--" + role.option(name, parameter.name).replace("_", "-")
                if not is_fact(parameter, cls.namespace) and flag not in known:
                    known.add(flag)
                    text = f"{parameter.help} ({describe(parameter.kind)})"
                    reads: dict[str, Any] = {"type": argument_type(parameter.kind)}
                    if is_switch(parameter.kind):
                        reads = {"action": argparse.BooleanOptionalAction}
                    parser.add_argument(
                        flag, default=argparse.SUPPRESS, help=text.replace("%", "%%"), **reads
                    )


def argument_type(kind: Any) -> Callable[[str], Any]:
    """A kind as argparse's `type`: from a word of the command line to the value."""

    def read(word: str) -> Any:
        try:
            return convert(kind, word)
        except (ValueError, OverflowError):
            raise argparse.ArgumentTypeError(f"must be {describe(kind)}; got {word!r}") from None

    return read
