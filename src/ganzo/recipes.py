"""Recipes: runs that ship with Ganzo, by name."""

from pathlib import Path
from typing import Any

from ganzo.errors import OptionError, nearest
from ganzo.files import read_file, read_object

SUFFIXES = (".json", ".yaml", ".yml")
# installed; in a checkout
FOLDERS = (
    Path(__file__).parent / "recipes",
    Path(__file__).parents[2] / "recipes",
)


def recipes() -> dict[str, Path]:
    """The recipes, by name."""
    return {
        path.stem: path for folder in FOLDERS if folder.is_dir() for path in sorted(folder.glob("*.yaml"))
    }


def find_recipe(name: str) -> Path:
    """The file of a recipe; an unknown name is an error that offers the nearest one."""
    if name not in recipes():
        raise OptionError(
            f"There is no recipe `{name}`; choose among {', '.join(recipes())}, or give a .json or .yaml file."
            f"{nearest(name, recipes())}"
        )
    return recipes()[name]


def shows(name: str) -> str:
    """What a recipe shows, in its own words; empty where it does not say."""
    about = read_object(find_recipe(name)).get("about")
    return " ".join(str(about.get("shows", "")).split()) if isinstance(about, dict) else ""


def read_config(name: str) -> dict[str, Any]:
    """Read a recipe by its name, or a file of options by its path."""
    path = Path(name)
    if path.suffix.lower() in SUFFIXES:
        return read_file(path)
    if name not in recipes() and path.exists():
        what = (
            "is a folder" if path.is_dir() else f"ends in `{path.suffix}`" if path.suffix else "has no ending"
        )
        raise OptionError(
            f"`--config` must name a recipe ({', '.join(recipes())}) or a file that ends in .json, .yaml or .yml;"
            f" `{name}` {what}. Name the file of options itself, as JSON or YAML."
        )
    return read_file(find_recipe(name))
