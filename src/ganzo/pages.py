"""Pages of HTML that stand alone: pictures inside, nothing from the network, a few megabytes at most."""

import base64
import contextlib
import functools
import io
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from PIL import Image

from ganzo import __version__
from ganzo.errors import OptionError, RunError, nearest
from ganzo.scores import text

TEMPLATES = Path(__file__).parent / "templates"
ROOM = 3_000_000  # bytes of all pictures of a page, before they are written as text
FLAGS = ("output", "model-dir")
SIDES = (1024, 800, 640, 512, 384, 256, 128)  # the longer side of a picture that does not fit


@functools.cache
def environment() -> Any:
    """The reader of templates; everything that it fills in is escaped."""
    import jinja2

    found = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    found.filters |= {"text": text, "count": count, "figure": figure}
    return found


def read_words(command: str, words: list[str], text: str) -> tuple[list[str], Path | None, Path] | None:
    """The words of a command that writes a page: names of runs, `--output`, `--model-dir`; None where help is wanted.

    Args:
        command: its name
        words: what came behind it
        text: its help
    """
    if any(word in ("-h", "--help") for word in words):
        print(text)
        return None
    names: list[str] = []
    given: dict[str, str] = {"model-dir": os.environ.get("GANZO_MODEL_DIR", "models")}
    rest = iter(words)
    for each in rest:
        if not each.startswith("-"):
            names.append(each)
            continue
        flag, equals, value = each.partition("=")
        flag = flag.lstrip("-").replace("_", "-")
        if flag not in FLAGS:
            raise OptionError(
                f"`ganzo {command}` has no option `--{flag}`; it has `--output` and `--model-dir`."
                f"{nearest(flag, FLAGS)}"
            )
        given[flag] = value if equals else next(rest, "")
        if not given[flag]:
            raise OptionError(f"`--{flag}` needs a value behind it.")
    if command == "report" and len(names) != 1:
        raise OptionError(
            f"`ganzo report` needs the name of one run; got {' '.join(names) or 'none'}."
            + (" Put them side by side by `ganzo compare`." if names else "")
        )
    return names, Path(given["output"]) if "output" in given else None, Path(given["model-dir"])


def write_page(path: Path, template: str, **values: Any) -> None:
    """Fill in a template and write the page, whole or not at all."""
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    page = environment().get_template(template).render(version=__version__, now=now, **values)
    if path.is_dir():
        raise RunError(f"`--output` must name a file; `{path}` is a folder.")
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(page, encoding="utf-8")
        os.replace(temporary, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        reason = error.strerror or error
        raise RunError(
            f"`{path}` cannot be written ({reason}); choose another place with `--output`."
        ) from error


def embedded(picture: Image.Image, room: int) -> tuple[str, int, int]:
    """A picture as an address that holds it, with its width and height; it is made smaller until it fits.

    Args:
        picture: what to show
        room: bytes that it may take
    """
    picture = picture.copy() if picture.mode in ("L", "RGB") else picture.convert("RGB")
    kind, content = "png", encoded(picture, "png")
    for side in SIDES if len(content) > room else ():
        picture.thumbnail((side, side), Image.Resampling.LANCZOS)
        kind, content = "jpeg", encoded(picture, "jpeg")
        if len(content) <= room:
            break
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}", *picture.size


def encoded(picture: Image.Image, kind: str) -> bytes:
    """The bytes of a picture's file."""
    buffer = io.BytesIO()
    picture.save(buffer, kind, **({} if kind == "png" else {"quality": 85}))
    return buffer.getvalue()


def open_picture(path: Path) -> Image.Image | None:
    """Read a picture; None where it is damaged, or still being written."""
    try:
        with Image.open(path) as picture:
            picture.load()
            return picture.copy()
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None


def count(value: float | None) -> str:
    """A count for people: `1.2 M`."""
    if value is None:
        return "unknown"
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if value >= size:
            return f"{value / (1e3 if letter == 'k' else size):.3g} {letter}"
    return f"{value:,.0f}"


def figure(value: float | None) -> str:
    """A number for people, with four figures."""
    return "–" if value is None else f"{value:.4g}"
