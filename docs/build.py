"""Build the documentation by `python docs/build.py`: a page for every component, then all pages to `_build/html`."""

import importlib
import inspect
import re
import shutil
import sys
from pathlib import Path
from typing import Any

from ganzo.arguments import COMMAND_OPTIONS, is_switch
from ganzo.catalogue import OLD_SPELLINGS, Option, common_options, component_options, shorthands
from ganzo.registry import Registry, is_fact
from ganzo.roles import ROLES, Role
from ganzo.sample import SAMPLE_OPTIONS
from ganzo.schema import describe, parameters

HERE = Path(__file__).parent
ROOMS = {"dataset": "data", "features": "metric"}  # namespaces that live in another room
SECTIONS = ("Args", "Attributes", "Data", "Shape", "Paper", "Differs", "Raises", "Returns")


def main() -> int:
    """Write the generated pages, then the whole site; a warning is an error."""
    from sphinx.cmd.build import build_main

    write_components(HERE / "components")
    return build_main(["-W", "--keep-going", "-q", "-b", "html", str(HERE), str(HERE / "_build" / "html")])


def write_components(folder: Path) -> None:
    """Write a page for every component, an index for every room, and the options of every run."""
    if folder.exists():
        shutil.rmtree(folder)
    rows = []
    for namespace in [*dict.fromkeys(role.namespace for role in ROLES.values()), "features"]:
        names = Registry.keys(namespace)
        for name in names:
            write(folder / namespace / f"{name}.md", component_page(namespace, name))
        write(folder / namespace / "index.md", room_page(namespace, names))
        links = ", ".join(f"[{name}]({namespace}/{name}.md)" for name in names)
        rows.append([f"[{namespace}]({namespace}/index.md)", help_of(namespace), links])
    write(folder / "options.md", options_page())
    write(folder / "index.md", index_page(rows))


def write(path: Path, text: str) -> None:
    """Write a page."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def index_page(rows: list[list[str]]) -> str:
    """Every component, room by room."""
    children = ["options", *(f"{re.split(r'[][]', row[0])[1]}/index" for row in rows)]
    return "\n".join(
        [
            "# Components\n",
            "Each page is made from the docstring and the signature of one class. `ganzo list` shows the same on a"
            " terminal.\nWhat belongs to no component is on the page [Options of every run](options.md).\n",
            table(["room", "what it decides", "components"], rows),
            toctree(children),
        ]
    )


def room_page(namespace: str, names: list[str]) -> str:
    """The components of a room, and what one more would have to offer."""
    rows = [[f"[{name}]({name}.md)", first_line(Registry.lookup(namespace, name))] for name in names]
    parts = [f"# Room `{namespace}`\n", f"{help_of(namespace).capitalize()}.\n", choosing(namespace)]
    parts += [table(["name", "what it does"], rows), contract(namespace), toctree(names)]
    return "\n".join(part for part in parts if part)


def contract(namespace: str) -> str:
    """The base class of a room: its docstring, and the methods that a component writes or may call."""
    module = importlib.import_module(f"ganzo.{ROOMS.get(namespace, namespace)}")
    found = [c for c in vars(module).values() if inspect.isclass(c) and c.__module__ == module.__name__]
    base = next((c for c in found if c.__dict__.get("namespace") == namespace), None)
    if base is None:
        return ""
    rows = []
    for name, method in vars(base).items():
        plain = getattr(method, "__func__", method)
        must = getattr(plain, "__isabstractmethod__", False)
        public = not name.startswith("_") and name not in ("from_options", "add_options")
        if inspect.isfunction(plain) and (must or public):
            names = list(inspect.signature(plain).parameters)[not isinstance(method, staticmethod) :]
            doc = one_line(inspect.getdoc(plain) or "")
            rows.append([f"`{name}({', '.join(names)})`", "yes" if must else "no", doc])
    text, sections = read_docstring(base)
    parts = [f"## The base class `{module.__name__}.{base.__name__}`\n", text, *sections_of(sections, "###")]
    parts.append(table(["method", "to be written", "what it does"], rows) if rows else "")
    return "\n".join(parts)


def component_page(namespace: str, name: str) -> str:
    """One component: effect, options, what it is handed, shape, paper, what differs."""
    cls = Registry.lookup(namespace, name)
    text, sections = read_docstring(cls)
    parts = [f"# {namespace.capitalize()} `{name}`\n", text, choosing(namespace, name)]
    call = ", ".join(
        p.name if p.default is inspect.Parameter.empty else f"{p.name}={p.default!r}" for p in parameters(cls)
    )
    parts.append(
        f"```python\nfrom {cls.__module__} import {cls.__name__}\n\n{cls.__name__}({call})\n```\n"
        if len(call) < 70
        else f"```python\nfrom {cls.__module__} import {cls.__name__}\n```\n"
    )
    parts += ["## Options\n", option_table(namespace, name)]
    handed = [[f"`{p.name}`", p.help] for p in parameters(cls) if is_fact(p, namespace)]
    if handed:
        parts += ["## What the run hands to it\n", table(["parameter", "what it is"], handed)]
    return "\n".join([*parts, *sections_of(sections)])


def option_table(namespace: str, name: str) -> str:
    """The options of a component; where several roles use it, each has a flag."""
    found: dict[str, list[Option]] = {}
    for role in roles_of(namespace):
        for option in component_options(role, name):
            if option.key not in [o.key for o in found.get(option.parameter, [])]:
                found.setdefault(option.parameter, []).append(option)
    rows = [row([flags(o) for o in options], options[0]) for options in found.values()]
    return table(["flag", "accepts", "default", "what it is"], rows) if rows else "It has none.\n"


def options_page() -> str:
    """The options that belong to no component, and the other spellings."""
    parts = [
        "# Options of every run\n",
        "These belong to no component. In a file and in Python, `--model-dir` is `model_dir`.\n",
    ]
    for owner in dict.fromkeys(option.owner for option in common_options()):
        rows = [row([flags(o)], o) for o in common_options() if o.owner == owner]
        parts += [f"## {owner.capitalize()}\n", table(["flag", "accepts", "default", "what it is"], rows)]
    for command, options in (("train", COMMAND_OPTIONS), ("sample", SAMPLE_OPTIONS)):
        rows = [[f"`{dashed(key)}`", text] for key, text in options.items()]
        parts += [f"## Only on the command line of `ganzo {command}`\n", table(["flag", "what it is"], rows)]
    rows = [[f"`{dashed(k)}`", code(dashed(t) for t in targets)] for k, targets in shorthands().items()]
    rows += [[f"`{dashed(key)}`", f"`{dashed(target)}`"] for key, target in OLD_SPELLINGS.items()]
    return "\n".join([*parts, "## Other spellings\n", table(["flag", "stands for"], rows)])


def roles_of(namespace: str) -> list[Role]:
    """The roles that a namespace's components may fill."""
    return [role for role in ROLES.values() if role.namespace == namespace]


def help_of(namespace: str) -> str:
    """What a namespace is about, in a few words."""
    if namespace not in ROOMS:
        room = importlib.import_module(f"ganzo.{namespace}").__doc__ or ""
        return room.strip().splitlines()[0].partition(": ")[2].rstrip(".?")
    roles = roles_of(namespace)
    return roles[0].help if roles else "what metrics look at in an image; `--metrics-features` chooses"


def choosing(namespace: str, name: str = "NAME") -> str:
    """How a component, or any of a room, is chosen on the command line and in a file."""
    roles = roles_of(namespace)
    if not roles:
        return ""
    flag = code(f"{dashed(role.key)} {name}" for role in roles)
    key = code(f'"{role.key}": "{name}"' for role in roles)
    default = roles[0].default
    default = (
        "It is the default."
        if name == default
        else f"The default is {f'`{default}`' if default else 'none'}."
    )
    several = " Several may be chosen." if roles[0].several else ""
    return f"Chosen by {flag} on the command line, by {key} in a file. {default}{several}\n"


def row(spellings: list[str], option: Option) -> list[str]:
    """A line of a table of options."""
    value = option.default
    default = f"{value:g}" if isinstance(value, float) else str(value)
    if value is None or isinstance(value, bool):
        default = default.lower()
    return [", ".join(spellings), describe(option.kind), f"`{default}`", option.help]


def flags(option: Option) -> str:
    """How an option is spelled on the command line."""
    return f"`{option.flag}`, `--no-{option.flag[2:]}`" if is_switch(option.kind) else f"`{option.flag}`"


def read_docstring(cls: type) -> tuple[str, dict[str, str]]:
    """The text of a docstring, and its sections by name."""
    text, sections, name = list[str](), dict[str, str](), ""
    for paragraph in inspect.cleandoc(cls.__doc__ or "").split("\n\n"):
        head, colon, rest = paragraph.partition(":")
        if colon and head in SECTIONS:
            name, sections[head] = head, rest
        elif name and paragraph.startswith(" "):
            sections[name] += "\n" + paragraph
        else:
            text.append(linked(paragraph) + "\n")
    return "\n".join(text), sections


def sections_of(sections: dict[str, str], level: str = "##") -> list[str]:
    """What a docstring says beside its text; the options stand in a table of their own."""
    parts = []
    for name, text in sections.items():
        if name == "Attributes":
            found = re.findall(r"^ {4}(\w+):\s*(.*(?:\n {5,}.*)*)", text, re.M)
            rows = [[f"`{attribute}`", " ".join(words.split())] for attribute, words in found]
            parts += [f"{level} {name}\n", table(["name", "what it is"], rows)]
        elif name != "Args":
            words = linked(" ".join(text.split()))
            parts += [f"{level} {name}\n", words[:1].upper() + words[1:] + "\n"]
    return parts


def linked(text: str) -> str:
    """A text whose addresses are links."""
    return re.sub(r"https?://[^\s,;)]*[^\s,;).]", r"<\g<0>>", text)


def first_line(cls: type) -> str:
    """The first sentence of a class's docstring."""
    return one_line(inspect.cleandoc(cls.__doc__ or ""))


def one_line(doc: str) -> str:
    """The first paragraph of a docstring on one line."""
    return " ".join(doc.partition("\n\n")[0].split())


def table(head: list[str], rows: list[list[str]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return (
        "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
        + "\n"
    )


def toctree(pages: list[str]) -> str:
    """The pages below this one, for the menu."""
    return "```{toctree}\n:hidden:\n\n" + "\n".join(pages) + "\n```\n"


def code(texts: Any) -> str:
    """Texts as code, separated by commas."""
    return ", ".join(f"`{text}`" for text in texts)


def dashed(key: str) -> str:
    """A key as a flag."""
    return "--" + key.replace("_", "-")


if __name__ == "__main__":
    sys.exit(main())
