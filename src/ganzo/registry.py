"""Names to classes, and classes to parts: `Registry`, `@register`, and the door through which options enter.

A component is built as `cls(options, *parts)` from a Namespace, or as `cls(*parts, layers=5)` with keywords. A class
whose first parameter is called `options` is of the older kind: it gets the Namespace itself.
"""

import argparse
import functools
import inspect
from argparse import Namespace
from collections.abc import Callable
from typing import Any, ClassVar

from ganzo import loading
from ganzo.errors import (
    DataError,
    GanzoError,
    OptionError,
    RegistryError,
    RegistryException,
    RunError,
    nearest,
)
from ganzo.grammar import Item, items
from ganzo.loading import lazily
from ganzo.roles import FACTS, ROLES, Role, side_of
from ganzo.schema import (
    REQUIRED,
    Count,
    Fraction,
    Natural,
    NonNegative,
    Parameter,
    Positive,
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
    "Natural",
    "NonNegative",
    "OptionError",
    "Positive",
    "Registry",
    "RegistryError",
    "RegistryException",
    "RunError",
    "accepts",
    "build",
    "child",
    "chosen",
    "lazily",
    "nearest",
    "parameters",
    "register",
    "role_of",
    "side_of",
    "with_option_parser",
]


class Registry:
    """What is known by name. All members are static: there is one registry."""

    _classes: dict[str, dict[str, type]] = {}
    _defaults: dict[str, str] = {}
    _option_functions: list[Callable] = []

    @staticmethod
    def add(namespace: str, name: str, cls: type, default: bool = False) -> None:
        """Make a class known under a name; a name that is taken by another class is an error."""
        known = Registry._classes.setdefault(namespace, {})
        if name in known and known[name] is not cls:
            raise RegistryError(
                f"`{name}` is already registered as a {namespace}"
                f" ({known[name].__module__}.{known[name].__qualname__}); choose another name."
            )
        known[name] = open_to_options(cls, namespace, name)
        if default:
            Registry.set_default(namespace, name)

    @staticmethod
    def keys(namespace: str) -> list[str]:
        """The names in a namespace."""
        loading.scan(namespace)
        return sorted(Registry._classes.get(namespace, {}))

    @staticmethod
    def get(namespace: str, name: str) -> type | None:
        """The class of a name, or None. A name may be a path: `file.py:Class` or `package.module:Class`."""
        loading.scan(namespace)
        found = Registry._classes.get(namespace, {}).get(name)
        if found is None and loading.is_path(name):
            if name.partition(":")[0] in Registry._classes.get(namespace, {}):
                raise RegistryError(f"`{name}` must be a name with settings, as in `conv:layers=4`.")
            cls = loading.load_from_path(namespace, name)
            facades = [base for base in cls.__mro__ if issubclass(base, Facade)]
            rooms = {vars(base)["namespace"] for base in facades if "namespace" in vars(base)}
            if rooms and namespace not in rooms:
                raise RegistryError(
                    f"`{name}` must be a {namespace} to be chosen as one; it belongs to the room"
                    f" {', '.join(sorted(rooms))}. Choose a class of the right room."
                )
            try:
                return open_to_options(cls, namespace, name)
            except (TypeError, ValueError) as error:  # a class of Python's own, which cannot be opened
                raise RegistryError(
                    f"`{name}` must be a class written in Python to be a {namespace}; got {cls!r}. Wrap it in a class"
                    " of your own."
                ) from error
        return found

    @staticmethod
    def lookup(namespace: str, name: str) -> type:
        """As `get`, but an unknown name is an error that offers the nearest one."""
        found = Registry.get(namespace, name)
        if found is None:
            known = Registry.keys(namespace)
            hint = nearest(name, known) or (
                " A file is given as `path/to/file.py:Class`." if name.endswith(".py") else ""
            )
            raise RegistryError(
                f"There is no {namespace} called `{name}`: choose among {', '.join(known)}.{hint}"
            )
        return found

    @staticmethod
    def set_default(namespace: str, name: str) -> None:
        """Let a name be what is taken when none is given; a namespace has one default."""
        if Registry._defaults.get(namespace, name) != name:
            raise RegistryError(
                f"The default {namespace} is already `{Registry._defaults[namespace]}`; got `{name}` too."
            )
        Registry._defaults[namespace] = name

    @staticmethod
    def default(namespace: str) -> str | None:
        """The name that is taken when none is given."""
        loading.scan(namespace)
        return Registry._defaults.get(namespace)

    @staticmethod
    def add_option_function(function: Callable) -> None:
        """Let `function(parser, train)` declare options of its own."""
        if function not in Registry._option_functions:
            Registry._option_functions.append(function)

    @staticmethod
    def option_functions() -> list[Callable]:
        """All functions that declare options of their own."""
        return list(Registry._option_functions)


def register(namespace: str, name: str, default: bool = False) -> Callable[[type], type]:
    """Class decorator: make a component known by name; the `default` of a namespace is taken where none is named."""

    def add(cls: type) -> type:
        Registry.add(namespace, name, cls, default)
        return cls

    return add


def with_option_parser(function: Callable) -> Callable:
    """Decorator: let `function(parser, train)` declare options with argparse's `add_argument`."""
    plain = function.__func__ if isinstance(function, staticmethod) else function
    Registry.add_option_function(plain)
    return function


def takes_options(cls: type) -> bool:
    """Whether a class is of the older kind, whose first parameter is `options`."""
    init: Callable[..., None] = inspect.unwrap(cls.__init__)  # type: ignore[misc]
    return list(inspect.signature(init).parameters)[1:2] == ["options"]


def open_to_options(cls: type, namespace: str, name: str) -> type:
    """Let `cls(options, *parts)` mean `cls(*parts, **what its signature asks of options)`."""
    init: Callable[..., None] = cls.__init__  # type: ignore[misc]
    if takes_options(cls) or getattr(init, "opened", None) is cls:
        return cls
    prefixes = prefixes_of(namespace, name)

    @functools.wraps(init)  # help(), type checkers and `parameters` still see the constructor itself
    def __init__(self: Any, *parts: Any, **named: Any) -> None:
        if parts and isinstance(parts[0], Namespace):
            options, parts = parts[0], parts[1:]
            wanted = [p for p in parameters(cls)[len(parts) :] if p.name not in named]
            named |= pick(wanted, options, prefixes, cls.__name__)
        init(self, *parts, **named)

    __init__.opened = cls  # type: ignore[attr-defined]
    cls.__init__ = __init__  # type: ignore[misc]
    return cls


def prefixes_of(namespace: str, name: str) -> set[str]:
    """What may stand before the options of a component: its role's prefix, or its own name."""
    roles = (role for role in ROLES.values() if role.namespace == namespace and not role.shorthand)
    return {role.option(name, "")[:-1] for role in roles}


def pick(wanted: list[Parameter], options: Namespace, prefixes: set[str], who: str) -> dict[str, Any]:
    """For each parameter: `prefix_name` if the options hold it, else `name`, else the default."""
    picked = {}
    for parameter in wanted:
        keys = [f"{prefix}_{parameter.name}" for prefix in prefixes if prefix] + [parameter.name]
        key = next(
            (k for k in keys if k not in ROLES and hasattr(options, k)), None
        )  # not a part's mere name
        if key is not None:
            picked[parameter.name] = getattr(options, key)
        elif parameter.default is REQUIRED:
            raise RegistryError(f"{who} needs `{parameter.name}`, and no option of this run gives it.")
    return picked


def build(namespace: str, name: str, options: Namespace, *parts: Any, **offered: Any) -> Any:
    """Build one component: `cls(options, *parts)`, and of what is offered just what its constructor names."""
    cls = Registry.lookup(namespace, name)
    known = parameters(cls)
    offered = {p.name: offered[p.name] for p in known if p.name in offered}
    if takes_options(cls):
        parts = (options, *parts)
    else:
        wanted = [p for p in known[len(parts) :] if p.name not in offered]
        offered |= pick(wanted, options, prefixes_of(namespace, name), cls.__name__)
    check_call(cls, namespace, parts, offered)
    return cls(*parts, **offered)


def check_call(cls: type, namespace: str, parts: tuple, named: dict[str, Any]) -> None:
    """Refuse a class that cannot be called with what a component of its namespace is given."""
    init: Callable[..., None] = inspect.unwrap(cls.__init__)  # type: ignore[misc]
    missing = getattr(cls, "__abstractmethods__", ())
    why = f"it lacks the methods {', '.join(sorted(missing))}" if missing else ""
    try:
        inspect.signature(init).bind(None, *parts, **named)
        if init is object.__init__ and (parts or named):
            why = why or "its constructor takes nothing"
    except TypeError as error:
        why = why or str(error)
    if why:
        given = [*(f"a {type(part).__name__}" for part in parts), *(f"`{name}`" for name in named)]
        raise RegistryError(
            f"The class `{cls.__name__}` must be one that can be built as a {namespace}, from"
            f" {', '.join(given) or 'nothing'}; {why}. Mend the class, or choose another."
        )


def is_fact(parameter: Parameter, namespace: str) -> bool:
    """Whether a parameter is handed to the component, so that it makes no option of its own."""
    owner = FACTS.get(parameter.name)
    return parameter.default is REQUIRED or (
        owner is not None and owner not in (namespace, "data" * (namespace == "dataset"))
    )


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
