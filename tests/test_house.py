"""The house itself: who imports whom, how long a page is, and that the commands stand where they are looked for."""

import ast
from pathlib import Path

import pytest

import ganzo

PACKAGE = Path(ganzo.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))
ROOMS = {path.parent.name for path in PACKAGE.glob("*/__init__.py")} - {"nn"}
GROUND = ROOMS | {"nn", "registry", "errors"}  # what a room may import: its own files, and the floor below


def imported(path):
    """The parts of the package that a file imports, at any depth."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        yield from (name.split(".")[1] for name in names if name.startswith("ganzo."))


@pytest.mark.parametrize(
    "path", [p for p in FILES if p.parent.name in ROOMS], ids=lambda p: f"{p.parent.name}-{p.stem}"
)
def test_a_room_imports_no_other_room(path):
    found = set(imported(path))
    assert not (found & ROOMS) - {path.parent.name}
    assert found <= GROUND


def test_layers_know_no_registry():
    for path in (PACKAGE / "nn").glob("*.py"):
        assert set(imported(path)) <= {"nn", "errors", "launch"}, path  # the last two are as plain


def test_the_loop_stands_on_one_page():
    assert len((PACKAGE / "train.py").read_text(encoding="utf-8").splitlines()) <= 80


def test_no_file_is_long():
    assert not [path for path in FILES if len(path.read_text(encoding="utf-8").splitlines()) > 300]
