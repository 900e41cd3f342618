"""Names to classes, and the door through which options enter a class.

A component is built as `cls(options, *parts)` from a Namespace, or as `cls(*parts, layers=5)` with keywords. A class
whose first parameter is called `options` is of the older kind: it gets the Namespace itself.
"""

import functools
import inspect
from argparse import Namespace
from collections.abc import Callable
from typing import Any

from ganzo import loading
from ganzo.errors import RegistryError, nearest
from ganzo.roles import FACTS, ROLES
from ganzo.schema import REQUIRED, Parameter, parameters


class Registry:
    """What is known by name. All members are static: there is one registry."""

    _classes: dict[str, dict[str, type]] = {}
    _defaults: dict[str, str] = {}
    _option_functions: list[Callable] = []
    _derived: dict[str, tuple[str, Callable[[str, type], type | None]]] = {}

    @staticmethod
    def add(namespace: str, name: str, cls: type, default: bool = False) -> None:
        """Make a class known under a name; a name that is taken by another class is an error."""
        namespace = room_of(namespace)
        known = Registry._classes.setdefault(namespace, {})
        if name in known and known[name] is not cls:
            raise RegistryError(
                f"`{name}` is already registered as a {namespace}"
                f" ({known[name].__module__}.{known[name].__qualname__}); choose another name."
            )
        if default:
            Registry.set_default(namespace, name)
        known[name] = open_to_options(cls, namespace, name)

    @staticmethod
    def keys(namespace: str) -> list[str]:
        """The names in a namespace."""
        namespace = room_of(namespace)
        loading.scan(namespace)
        derived = Registry.keys(Registry._derived[namespace][0]) if namespace in Registry._derived else []
        return sorted({*Registry._classes.get(namespace, {}), *derived})

    @staticmethod
    def get(namespace: str, name: str) -> type | None:
        """The class of a name, or None. A name may be a path: `file.py:Class`, `file.py` or `package.module:Class`."""
        namespace = room_of(namespace)
        loading.scan(namespace)
        known = Registry._classes.get(namespace, {})
        source, derive = Registry._derived.get(namespace, ("", lambda name, cls: None))
        if name in known:
            return known[name]
        if loading.is_path(name):
            if name.partition(":")[0] in known:
                raise RegistryError(f"`{name}` must be a name with settings, as in `conv:layers=4`.")
            cls = loading.load_from_path(namespace, name)
            found = derive(name, cls) or of_room(cls, namespace, name)
        else:
            base = Registry.get(source, name) if source else None
            found = base and derive(name, base)
        try:
            return found and open_to_options(found, namespace, name)
        except (TypeError, ValueError) as error:  # a class of Python's own, which cannot be opened
            raise RegistryError(
                f"`{name}` must be a class written in Python to be a {namespace}; got {found!r}. Wrap it in a class"
                " of your own."
            ) from error

    @staticmethod
    def derive(namespace: str, source: str, make: Callable[[str, type], type | None]) -> None:
        """Let every name of another namespace be one of this, too: as the class that `make(name, cls)` gives for it.

        A name of the namespace's own comes first. `make` answers None for a class that it can make nothing of.
        """
        Registry._derived[namespace] = (source, make)

    @staticmethod
    def lookup(namespace: str, name: str) -> type:
        """As `get`, but an unknown name is an error that offers the nearest one."""
        namespace = room_of(namespace)
        found = Registry.get(namespace, name)
        if found is None:
            known = Registry.keys(namespace)
            raise RegistryError(
                f"There is no {namespace} called `{name}`: choose among {', '.join(known)}.{nearest(name, known)}"
            )
        return found

    @staticmethod
    def set_default(namespace: str, name: str) -> None:
        """Let a name be what is taken when none is given; a namespace has one default."""
        namespace = room_of(namespace)
        if Registry._defaults.get(namespace, name) != name:
            raise RegistryError(
                f"The default {namespace} is already `{Registry._defaults[namespace]}`; got `{name}` too. A namespace"
                " has one default: register the class without `default=True`, and choose it by name."
            )
        Registry._defaults[namespace] = name

    @staticmethod
    def default(namespace: str) -> str | None:
        """The name that is taken when none is given."""
        namespace = room_of(namespace)
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


def room_of(namespace: str) -> str:
    """A namespace by its name, or by the option that selects from it, as it was once called: `log` is `statistics`."""
    role = ROLES.get(namespace.replace("-", "_"))
    return namespace if role is None else role.namespace


def of_room(cls: type, namespace: str, name: str) -> type:
    """The class, unless it comes from another room."""
    bases = [base for base in cls.__mro__ if base.__module__.startswith("ganzo.")]
    rooms = {vars(base)["namespace"] for base in bases if "namespace" in vars(base)}
    if rooms and namespace not in rooms:
        raise RegistryError(
            f"`{name}` must be a {namespace} to be chosen as one; it belongs to the room {', '.join(sorted(rooms))}."
            " Choose a class of the right room."
        )
    return cls


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
        # not a part's mere name
        key = next((k for k in keys if k not in ROLES and hasattr(options, k)), None)
        if key is not None:
            picked[parameter.name] = getattr(options, key)
        elif parameter.default is REQUIRED:
            raise RegistryError(f"{who} needs `{parameter.name}`, and no option of this run gives it.")
    return picked


def build(namespace: str, name: str, options: Namespace, *parts: Any, **offered: Any) -> Any:
    """Build one component: `cls(options, *parts)`, and of what is offered just what its constructor names."""
    namespace = room_of(namespace)
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
