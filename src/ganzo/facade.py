"""What every room's base class offers: `from_options` and `add_options`."""

import argparse
from argparse import Namespace
from typing import Any, ClassVar

from ganzo.errors import OptionError
from ganzo.grammar import Item, items
from ganzo.registry import Registry, build, is_fact, takes_options
from ganzo.roles import ROLES, Role
from ganzo.schema import describe, parameters


def role_of(namespace: str) -> Role:
    """The first role whose component a namespace gives."""
    return next(role for role in ROLES.values() if role.namespace == namespace)


def chosen(options: Namespace, role: Role) -> list[Item]:
    """The components that the options choose for a role, or its default."""
    default = role.default if role.default is not None else []
    return items(getattr(options, role.key, default) or default, role.key)


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
                    parser.add_argument(flag, default=argparse.SUPPRESS, help=text.replace("%", "%%"))
