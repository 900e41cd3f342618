"""How several components are written: `conv:channels=32,layers=4` on the command line, a list of objects in a file."""

import dataclasses
from typing import Any

from ganzo.errors import OptionError


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
