"""How several components are written: `conv:channels=32,layers=4` on the command line, a list of objects in a file."""

import ast
import dataclasses
import json
import re
from typing import Any

from ganzo.errors import OptionError
from ganzo.roles import ROLES

# roles that `--…-args` sets options of
WITH_ARGUMENTS = (
    "generator",
    "discriminator",
    "game",
    "dataset",
    "loss",
)
WORDS = {"true": True, "false": False, "none": None, "null": None}
NOT_READ = (ValueError, SyntaxError, TypeError, MemoryError, RecursionError)


@dataclasses.dataclass
class Item:
    """One chosen component: its name, and the settings that are its alone."""

    name: str
    settings: dict[str, Any] = dataclasses.field(default_factory=dict)
    set_by: dict[str, str] = dataclasses.field(default_factory=dict, compare=False)  # who gave each setting

    def plain(self) -> Any:
        """As it is saved: an object with `name` first."""
        return {"name": self.name, **dict(sorted(self.settings.items()))}


def items(value: Any, key: str) -> list[Item]:
    """Read what was given for a role: a text, an object with a `name`, a list of these, or none."""
    if value is None or (value == "none" and key != "log"):
        return []
    if isinstance(value, str):
        return _from_text(value, key)
    if isinstance(value, dict) and all(isinstance(k, str) for k in value):
        settings = {k.replace("-", "_"): v for k, v in value.items()}
        name = settings.pop("name", None)
        if not isinstance(name, str) or not name:
            raise OptionError(f"`{key}` must be a name or an object with a `name`; got {value!r}.")
        return [Item(name, settings)]
    if isinstance(value, list | tuple):
        return [item for part in value for item in items(part, key)]
    raise OptionError(f"`{key}` must be a name, an object with a `name`, or a list of these; got {value!r}.")


def _from_text(text: str, key: str) -> list[Item]:
    """A comma separates names; a piece with `=` belongs to the item before it."""
    found: list[Item] = []
    for piece in text.split(","):
        head, equals, value = piece.partition("=")
        if not equals:
            found.append(Item(piece.strip()))
        elif ":" in head:
            name, _, setting = head.rpartition(":")
            found.append(Item(name.strip(), {setting.strip().replace("-", "_"): value}))
        elif found:
            found[-1].settings[head.strip().replace("-", "_")] = value
        else:
            raise OptionError(
                f"`{key}` must name a component before its settings, as in `conv:layers=4`; got `{text}`."
            )
    if any(not item.name for item in found):
        raise OptionError(f"`{key}` has an empty name in `{text}`; write names separated by commas.")
    return found


def with_arguments(values: dict[str, Any]) -> dict[str, Any]:
    """The values of a layer with what `generator_args` and its like hold: as settings of the component they belong to.

    Where the layer names no component, they become options of their own.
    """
    values = dict(values)
    for role in (ROLES[key] for key in WITH_ARGUMENTS if f"{key}_args" in values):
        settings = arguments(values.pop(f"{role.key}_args"), f"--{role.key}-args")
        if role.key not in values:
            values = {role.option("", name): value for name, value in settings.items()} | values
            continue
        found = items(values[role.key], role.key)
        if len(found) != 1:
            raise OptionError(f"`--{role.key}-args` needs one `--{role.key}`; got {len(found)}.")
        if "name" in settings:
            raise OptionError(
                f"`--{role.key}-args` must hold options of the {role.key}; got `name`, which selects it."
            )
        values[role.key] = {"name": found[0].name, **found[0].settings, **settings}
    return values


def arguments(given: Any, flag: str) -> dict[str, Any]:
    """Arguments by name: an object, JSON, a Python literal, or `key=value,key=value`. Nothing is ever evaluated."""
    text = given.strip() if isinstance(given, str) else given
    found: Any = text
    if isinstance(text, str) and text.startswith("{"):
        found = _literal(text)
    elif isinstance(text, str):
        pieces = [piece.partition("=") for piece in re.split(r",(?=\s*[\w-]+\s*=)", text)] if text else []
        found = {name.strip(): _literal(value.strip()) for name, equals, value in pieces if equals}
        found = found if len(found) == len(pieces) else None  # else a piece has no `=`, or a name comes twice
    try:
        json.dumps(found)  # as it will be saved
        sound = isinstance(found, dict) and all(isinstance(name, str) and name for name in found)
    except (TypeError, ValueError, RecursionError):
        sound = False
    if not sound:
        raise OptionError(
            f"`{flag}` must be JSON, a Python literal or key=value pairs, as in '{{\"nf\": 32}}' or nf=32; got"
            f" {given!r}."
        )
    return {name.replace("-", "_"): value for name, value in found.items()}


def _literal(text: str) -> Any:
    """A text as JSON, as a Python literal, or as it is."""
    for read in (json.loads, ast.literal_eval):
        try:
            return read(text)
        except NOT_READ:
            continue
    return WORDS.get(text.lower(), text)
