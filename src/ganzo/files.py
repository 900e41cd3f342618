"""Files of options: JSON and YAML, read without surprises."""

import itertools
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from ganzo.errors import OptionError


class DuplicateKeyError(ValueError):
    """A key that stands twice in one object."""

    def __init__(self, key: object):
        super().__init__(f"`{key}` stands twice in one object")
        self.key = key


class Loader(yaml.SafeLoader):
    """YAML's safe loader, which takes no key twice."""

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        """Read one object."""
        node = super().compose_mapping_node(anchor)
        once(key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode))
        return node


def once(keys: Iterable[str]) -> None:
    """Refuse keys of which one stands twice; `-` and `_` are the same in names of options."""
    seen = set()
    for key in keys:
        plain = key.replace("-", "_")
        if plain in seen:
            raise DuplicateKeyError(key)
        seen.add(plain)


def one_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Build one object of JSON."""
    once([key for key, _ in pairs])
    return dict(pairs)


def read_file(path: Path) -> dict[str, Any]:
    """Read options from a JSON or YAML file: flat, or one object for each role. `about` is left out."""
    return {key: value for key, value in read_object(path).items() if key != "about"}


def read_object(path: Path) -> dict[str, Any]:
    """Read one object from a JSON or YAML file; in its keys `-` equals `_`."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise OptionError(f"The options file `{path}` cannot be read: {reason}.") from error
    kind = "JSON" if path.suffix.lower() == ".json" else "YAML"
    try:
        values = json.loads(text, object_pairs_hook=one_object) if kind == "JSON" else yaml.load(text, Loader)
    except DuplicateKeyError as error:
        raise OptionError(f"`{path}` must give each option once; {error}. Leave one of them out.") from error
    except Exception as error:  # PyYAML's own readers stumble too, as over `!!float ''`
        raise OptionError(f"`{path}` is not valid {kind}: {' '.join(str(error).split())}.") from error
    if not isinstance(values, dict) or not all(isinstance(key, str) for key in values):
        raise OptionError(
            f"`{path}` must hold one object of options and their values; got {type(values).__name__}."
        )
    if _too_large(values):
        raise OptionError(
            f"`{path}` is nested too deep, or refers to itself; options need three levels at most."
        )
    return {key.replace("-", "_"): value for key, value in values.items()}


def _too_large(value: Any, depth: int = 10, most: int = 10_000) -> bool:
    """Whether nested values are deeper or more than any options; YAML lets a value hold itself."""
    level = [value]
    for _ in range(depth):
        inner = [v.values() if isinstance(v, dict) else v for v in level if isinstance(v, dict | list)]
        level = list(itertools.islice(itertools.chain.from_iterable(inner), most))
        if not level:
            return False
        if len(level) == most:
            break
    return True
