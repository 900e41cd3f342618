"""The documentation is true: its Python runs, its commands are understood, its links lead somewhere, and it builds."""

import importlib.util
import itertools
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from ganzo.arguments import COMMAND_OPTIONS, CommandLine
from ganzo.catalogue import common_options, component_options
from ganzo.compat import translated
from ganzo.evaluate import EVALUATE_OPTIONS
from ganzo.pages import read_words
from ganzo.registry import Registry
from ganzo.roles import ROLES
from ganzo.sample import SAMPLE_OPTIONS

ROOT = Path(__file__).parents[1]
DOCS = sorted((ROOT / "docs").glob("*.md"))
PAGES = [*DOCS, *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md"))]
FENCE = re.compile(r"^```(\S*)\n(.*?)^```$", re.M | re.S)


def blocks(page: Path, language: str) -> list[str]:
    return [text for kind, text in FENCE.findall(page.read_text(encoding="utf-8")) if kind == language]


def named(pages: list[Path]) -> list:
    return [pytest.param(page, id=page.stem) for page in pages]


def split(page: Path, folder: Path) -> list[str]:
    """The Python of a page; the reader's own files among it are written, for what comes behind them to load."""
    script = []
    for block in blocks(page, "python"):
        file = re.match(r"# (\w+\.py)\n", block)
        if file:
            (folder / file.group(1)).write_text(block, encoding="utf-8")
        else:
            script.append(block)
    return script


@pytest.fixture
def build():
    spec = importlib.util.spec_from_file_location("docs_build", ROOT / "docs" / "build.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("page", named([page for page in PAGES if blocks(page, "python")]))
def test_the_python_blocks_of_a_page_run_in_order(page, own_folder):
    (own_folder / "page.py").write_text("\n".join(split(page, own_folder)), encoding="utf-8")
    done = subprocess.run([sys.executable, "page.py"], capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("page", named([page for page in PAGES if blocks(page, "sh")]))
def test_the_commands_of_a_page_have_only_flags_that_exist(page, own_folder):
    split(page, own_folder)
    for line in "".join(blocks(page, "sh")).replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        if words[:1] != ["ganzo"] or words[1] == "list":  # with modules of the reader's, or another program
            continue
        command, rest = words[1], [word for word in words[2:] if word != "--help"]
        if command in ("report", "compare"):
            assert read_words(command, rest, ""), line
            continue
        if command in ("sample", "evaluate"):  # the names of runs, or of folders
            rest = list(itertools.dropwhile(lambda word: not word.startswith("-"), rest))
        extra = {"train": COMMAND_OPTIONS, "sample": SAMPLE_OPTIONS, "evaluate": EVALUATE_OPTIONS}[command]
        switches = ("dry_run",) if command == "train" else ()
        given = CommandLine(command, extra, switches, train=command == "train").read(translated(rest))
        for key in ROLES.keys() & given.keys():
            names = [item.partition(":")[0] for item in str(given[key]).split(",") if "=" not in item]
            known = Registry.keys(ROLES[key].namespace)
            assert ".py" in given[key] or isinstance(given[key], list) or set(names) <= {*known, "none"}, line


@pytest.mark.parametrize("page", named(PAGES))
def test_links_lead_to_files_and_headings_that_exist(page, own_folder, build):
    site = own_folder / "docs"
    shutil.copytree(ROOT / "docs", site, ignore=shutil.ignore_patterns("_build", "components"))
    build.write_components(site / "components")
    here = site if page in DOCS else ROOT
    text = re.sub(FENCE, "", page.read_text(encoding="utf-8"))
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"https?:", link):
            continue
        name, _, anchor = link.partition("#")
        target = here / name if name else here / page.name
        assert target.exists(), f"{page.name} links to {link}"
        if anchor:
            titles = re.findall(r"^#+ (.*)$", target.read_text(encoding="utf-8"), re.M)
            anchors = {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}
            assert anchor in anchors, f"{page.name} links to {link}"


def test_every_component_has_a_page_that_names_its_options(own_folder, build):
    build.write_components(own_folder / "components")
    for role in ROLES.values():
        for name in Registry.keys(role.namespace):
            text = (own_folder / "components" / role.namespace / f"{name}.md").read_text(encoding="utf-8")
            for option in component_options(role, name):
                assert f"`{option.flag}`" in text and option.help in text, f"{role.key} {name}: {option.flag}"
    text = (own_folder / "components" / "options.md").read_text(encoding="utf-8")
    assert all(f"`{option.flag}`" in text for option in common_options())


def rows_of(page: Path, first: str) -> dict[str, str]:
    """The rows of the table whose head begins with a word: what stands in backticks first, and the whole row."""
    lines = page.read_text(encoding="utf-8").splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith(f"| {first} |"))
    rows = itertools.takewhile(lambda line: line.startswith("|"), lines[start + 2 :])
    return {re.search(r"`([\w-]+)`", row).group(1): row for row in rows}


@pytest.mark.parametrize("page", ["docs/recipes.md", "README.md"])
def test_the_tables_of_recipes_name_every_file(page):
    files = {path.stem: path for path in (ROOT / "recipes").glob("*.yaml")}
    assert list(rows_of(ROOT / page, "recipe")) == sorted(files), f"{page} and recipes/ must name the same"


@pytest.mark.parametrize("path", sorted((ROOT / "recipes").glob("*.yaml")), ids=lambda path: path.stem)
def test_the_table_of_recipes_says_what_each_says_of_itself(path):
    about = yaml.safe_load(path.read_text(encoding="utf-8"))["about"]
    row = rows_of(ROOT / "docs" / "recipes.md", "recipe")[path.stem]
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[1] == about["shows"] and cells[2] == about.get("data", "the embedded digits")
    authors, _, rest = about["paper"].partition(", ")
    year, link = rest.split(", ")[-2:]
    assert cells[3] == f"[{authors}, {year}]({link})"


@pytest.mark.slow
def test_the_documentation_builds_without_warnings(own_folder):
    for package in ("sphinx", "furo", "myst_parser"):
        pytest.importorskip(
            package, reason="`pip install ganzo[docs]` installs what builds the documentation"
        )
    done = subprocess.run(
        [sys.executable, str(ROOT / "docs" / "build.py")], capture_output=True, text=True, timeout=280
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert (ROOT / "docs" / "_build" / "html" / "components" / "loss" / "hinge.html").is_file()
