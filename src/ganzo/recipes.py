"""Recipes: runs that ship with Ganzo, by name."""

from pathlib import Path
from typing import Any

from ganzo.errors import OptionError, nearest
from ganzo.options import read_file

FOLDERS = (
    Path(__file__).parent / "recipes",
    Path(__file__).parents[2] / "recipes",
)  # installed; in a checkout


def recipes() -> dict[str, Path]:
    """The recipes, by name."""
    return {
        path.stem: path for folder in FOLDERS if folder.is_dir() for path in sorted(folder.glob("*.yaml"))
    }


def read_config(name: str) -> dict[str, Any]:
    """Read a recipe by its name, or a file of options by its path."""
    path = Path(name)
    if path.suffix.lower() in (".json", ".yaml", ".yml"):
        return read_file(path)
    if name not in recipes():
        raise OptionError(
            f"There is no recipe `{name}`; choose among {', '.join(recipes())}, or give a .json or .yaml file."
            f"{nearest(name, recipes())}"
        )
    return read_file(recipes()[name])
