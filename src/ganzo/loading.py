"""Where components come from: the rooms of the package, GANZO_LOAD_MODULES, and files of the user's."""

import functools
import hashlib
import importlib
import importlib.util
import inspect
import os
import pkgutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ganzo.errors import RegistryError
from ganzo.roles import ROLES

MODULES_VARIABLE = "GANZO_LOAD_MODULES"


@functools.cache
def load_modules() -> None:
    """Import what GANZO_LOAD_MODULES names: third parties' components."""
    for name in filter(None, (part.strip() for part in os.environ.get(MODULES_VARIABLE, "").split(","))):
        try:
            import_here(name)
        except RegistryError:
            raise
        except Exception as error:  # whatever the third party's own code raises
            raise RegistryError(
                f"{MODULES_VARIABLE} names `{name}`, which cannot be imported ({type(error).__name__}: {error});"
                " install it, or mend the variable."
            ) from error


@functools.cache
def scan(namespace: str) -> None:
    """Import every file of the room that holds a namespace, so that its components register themselves."""
    load_modules()
    room = {"dataset": "data", "features": "metric"}.get(namespace, namespace)
    if room in {role.namespace for role in ROLES.values()}:
        package = importlib.import_module(f"ganzo.{room}")
        for module in pkgutil.iter_modules(package.__path__):
            importlib.import_module(f"ganzo.{room}.{module.name}")


def import_here(name: str) -> Any:
    """Import a module, looking in the current folder too, as `python -m` would."""
    here = os.getcwd()
    if here not in sys.path:
        sys.path.append(here)
    return importlib.import_module(name)


def lazily(package: str) -> Callable[[str], Any]:
    """A module's `__getattr__`: the classes in the files of a room, imported when they are asked for."""

    def find(name: str) -> Any:
        if not name.startswith("_"):
            for module in pkgutil.iter_modules(sys.modules[package].__path__):
                found = getattr(importlib.import_module(f"{package}.{module.name}"), name, None)
                if inspect.isclass(found) and found.__module__ == f"{package}.{module.name}":
                    return found
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    return find


def is_path(name: str) -> bool:
    """Whether a component's name says where its class lies (`file.py:Class`, `file.py`) instead of being registered."""
    return ":" in name or name.endswith(".py")


@functools.cache
def load_from_path(namespace: str, name: str) -> type:
    """The class that `path/to/file.py:Class` or `package.module:Class` names, or a `path/to/file.py` with functions."""
    where, _, attribute = name.rpartition(":")
    try:
        if name.endswith(".py"):
            return importlib.import_module("ganzo.modules").component(namespace, name, _load_file(Path(name)))
        module = _load_file(Path(where)) if where.endswith(".py") else import_here(where)
    except RegistryError:
        raise
    except Exception as error:  # the user's own code failed while it was imported
        raise RegistryError(
            f"The {namespace} `{name}` cannot be loaded: {type(error).__name__}: {error}."
        ) from error
    cls = getattr(module, attribute, None)
    if not inspect.isclass(cls):
        classes = [
            n for n, c in vars(module).items() if inspect.isclass(c) and c.__module__ == module.__name__
        ]
        raise RegistryError(
            f"`{where}` has no class `{attribute}`; it offers {', '.join(classes) or 'none'}."
        )
    return cls


def _load_file(path: Path) -> Any:
    if not path.is_file():
        raise RegistryError(f"There is no file `{path}` to take a component from.")
    name = f"ganzo_file_{path.stem}_{hashlib.sha1(str(path.resolve()).encode()).hexdigest()[:8]}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None, "a .py file always has a loader"
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module
