"""From a typed signature to options: what a parameter accepts, its default, its help.

The signature of `__init__` is the only place where an option is written. `options_of` reads it, `convert` holds a
value (a word of the command line, or a value of a JSON or YAML file) against it.
"""

import dataclasses
import inspect
import math
import os
import re
import types
import typing
from typing import Annotated, Any, Literal, Union


@dataclasses.dataclass(frozen=True)
class Interval:
    """The range that a number must lie in; a missing end is open."""

    low: float | None = None
    high: float | None = None
    above: bool = False  # whether `low` itself is excluded

    def holds(self, value: float) -> bool:
        """Whether the value lies inside."""
        if self.low is not None and (value <= self.low if self.above else value < self.low):
            return False
        return self.high is None or value <= self.high

    def __str__(self) -> str:
        if self.low is not None and self.high is not None:
            return (
                f"above {self.low:g} and at most {self.high:g}"
                if self.above
                else f"from {self.low:g} to {self.high:g}"
            )
        if self.high is not None:
            return f"of at most {self.high:g}"
        return f"above {self.low:g}" if self.above else f"of at least {self.low:g}"


@dataclasses.dataclass(frozen=True)
class Sides:
    """The sides of an image in pixels: one whole number for a square, or a text `WxH`."""

    def holds(self, value: int | str) -> bool:
        """Whether the value says that."""
        if isinstance(value, str):
            return re.fullmatch(r"[1-9]\d{0,5}x[1-9]\d{0,5}", value) is not None
        return value >= 1

    def __str__(self) -> str:
        return "a whole number of at least 1, for a square, or WxH as in 96x64"


@dataclasses.dataclass(frozen=True)
class Several:
    """Words separated by commas; a file may give a list, and a number stands for itself."""

    def __str__(self) -> str:
        return "separated by commas, or a list"


Words = Annotated[str, Several()]
ImageSize = Annotated[int | str, Sides()]
Count = Annotated[int, Interval(1)]  # 1, 2, 3, …
Seed = Annotated[int, Interval(0, 2**63 - 1)]
Natural = Annotated[int, Interval(0)]  # 0, 1, 2, …
Positive = Annotated[float, Interval(0, above=True)]
NonNegative = Annotated[float, Interval(0)]
Fraction = Annotated[float, Interval(0, 1)]

REQUIRED = inspect.Parameter.empty


@dataclasses.dataclass(frozen=True)
class Parameter:
    """One parameter of a constructor: a fact or part where it has no default, else an option."""

    name: str
    kind: Any
    default: Any
    help: str


def parameters(cls: type) -> list[Parameter]:
    """The parameters of a class's constructor, in order, without `self`.

    A constructor that takes `**named` hands them to its base, so the base's parameters count too, and stand first.
    """
    init = inspect.unwrap(cls.__init__)  # type: ignore[misc]
    owner = next(
        c for c in cls.__mro__ if inspect.unwrap(c.__dict__.get("__init__", object.__init__)) is init
    )
    try:
        hints = typing.get_type_hints(init, include_extras=True)
    except NameError:  # a third party's annotation that names what is not imported
        hints = {}
    texts = argument_texts(cls)
    signature = list(inspect.signature(init).parameters.values())[1:] if init is not object.__init__ else []
    skip = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    own = [
        Parameter(p.name, hints.get(p.name, Any), p.default, texts.get(p.name, ""))
        for p in signature
        if p.kind not in skip
    ]
    if not any(p.kind is inspect.Parameter.VAR_KEYWORD for p in signature) or len(owner.__mro__) < 3:
        return own
    base = parameters(owner.__mro__[1])
    inherited = [p for p in base if p.name not in {o.name for o in own}]
    return [dataclasses.replace(p, help=texts.get(p.name, p.help)) for p in inherited] + own


def argument_texts(cls: type) -> dict[str, str]:
    """The lines under `Args:` of the docstrings of a class and its bases, by parameter."""
    texts: dict[str, str] = {}
    for owner in reversed(cls.__mro__):
        doc = owner.__dict__.get("__doc__") or ""
        section = re.search(r"^Args:\n(.*?)(?=^\S|\Z)", inspect.cleandoc(doc), re.M | re.S)
        if section:
            for name, text in re.findall(r"^ {4}(\w+):\s*(.*(?:\n {5,}.*)*)", section.group(1), re.M):
                texts[name] = " ".join(text.split())
    return texts


def describe(kind: Any) -> str:
    """What a kind accepts, in words: `a whole number of at least 1`."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is Annotated:
        if isinstance(arguments[1], Sides):
            return str(arguments[1])
        return " ".join([describe(arguments[0]), *(str(a) for a in arguments[1:])])
    if origin is Literal:
        return "one of " + ", ".join(str(a) for a in arguments)
    if origin in (Union, types.UnionType):
        return " or ".join("none" if a is types.NoneType else describe(a) for a in arguments)
    if (origin or kind) in (list, tuple):
        return f"a list, each {describe(arguments[0])}" if arguments else "a list"
    words = {
        int: "a whole number",
        float: "a number",
        bool: "true or false",
        str: "a text",
        dict: "a mapping",
    }
    return words.get(kind, "any value")


def is_switch(kind: Any) -> bool:
    """Whether an option is a pair `--x / --no-x`."""
    return kind is bool or (bool in getattr(kind, "__args__", ()))


def convert(kind: Any, value: Any) -> Any:
    """Return the value as the kind wants it; raise ValueError where it does not fit.

    Texts are read as a command line means them (`"5"` is 5, `"none"` is None where None is allowed), because YAML too
    takes `1e-4` for a text.
    """
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is Annotated:
        if isinstance(arguments[1], Several):
            value = _joined(value)
        value = convert(arguments[0], value)
        if not all(a.holds(value) for a in arguments[1:] if isinstance(a, Interval | Sides)):
            raise ValueError
        return value
    if origin is Literal:
        match = [a for a in arguments if a == value or str(a) == value]
        if not match or isinstance(value, bool) != isinstance(match[0], bool):
            raise ValueError
        return match[0]
    if origin in (Union, types.UnionType):
        return _convert_union(arguments, value)
    if (origin or kind) in (list, tuple):
        items = value.split(",") if isinstance(value, str) else value
        if not isinstance(items, list | tuple):
            raise ValueError
        return [convert(arguments[0] if arguments else Any, item) for item in items]
    return _convert_plain(kind, value)


def _joined(value: Any) -> Any:
    """A list of words and whole numbers as one text with commas, and a whole number as a text."""
    parts = value if isinstance(value, list | tuple) else [value]
    if all(isinstance(part, str | int) and not isinstance(part, bool) for part in parts):
        return ",".join(map(str, parts))
    return value


def _convert_union(arguments: tuple, value: Any) -> Any:
    if types.NoneType in arguments and (value is None or value in ("none", "null")):
        return None
    for kind in arguments:
        if kind is not types.NoneType:
            try:
                return convert(kind, value)
            except ValueError:
                continue
    raise ValueError


def _convert_plain(kind: Any, value: Any) -> Any:
    if kind is bool:
        value = (
            {"true": True, "yes": True, "false": False, "no": False}.get(value, value)
            if isinstance(value, str)
            else value
        )
    elif kind in (int, float) and isinstance(value, str):
        value = int(value) if re.fullmatch(r"[+-]?\d+", value.strip()) else float(value)
    if kind in (int, float):
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise ValueError
        if kind is int and value != int(value):
            raise ValueError
        return kind(value)
    if kind in (bool, str, dict) and not isinstance(value, kind):
        raise ValueError
    if kind is str and not _can_be_written(value):
        raise ValueError
    return value


def _can_be_written(text: str) -> bool:
    """Whether a text may stand in the name of a file; the words of a command line always may."""
    try:
        return b"\0" not in os.fsencode(text)
    except UnicodeEncodeError:
        return False


def accepts(function: Any, name: str) -> bool:
    """Whether a function can be called with a keyword of that name."""
    found = inspect.signature(function).parameters
    return name in found or any(p.kind is inspect.Parameter.VAR_KEYWORD for p in found.values())
