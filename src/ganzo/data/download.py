"""The files of a published data set: found where they lie, or fetched from where they are published."""

import dataclasses
import hashlib
import http.client
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from ganzo.data.progress import tell
from ganzo.registry import DataError

TIMEOUT = 20.0  # seconds that a server may be silent
PIECE = 1 << 18  # bytes that are read at a time
WEB = (  # what is spoken: http and https, also through a proxy, and no other scheme after a redirection
    urllib.request.ProxyHandler,
    urllib.request.HTTPHandler,
    urllib.request.HTTPSHandler,
    urllib.request.HTTPRedirectHandler,
    urllib.request.HTTPDefaultErrorHandler,
    urllib.request.HTTPErrorProcessor,
    urllib.request.UnknownHandler,
)


class MissingFiles(DataError):
    """Files of a data set that are not there and cannot be fetched."""


@dataclasses.dataclass(frozen=True)
class File:
    """A published file.

    Args:
        name: as it lies in the folder
        url: where it is published
        md5: its checksum, held against what is fetched, never against what lies there already
    """

    name: str
    url: str
    md5: str | None = None


def fetched(
    folder: Path, files: Sequence[File], who: str, inside: Sequence[str] = (), download: bool = True
) -> list[Path]:
    """Where each file lies; what is missing is fetched first.

    Args:
        folder: what `--data-dir` names
        files: what the data set needs
        who: the data set, as messages call it
        inside: sub-folders in which the files may lie instead; what is fetched goes to the first of them
        download: whether what is missing is fetched
    """
    places = [found(folder, file.name, inside) for file in files]
    missing = [file for file, place in zip(files, places, strict=True) if place is None]
    home = folder.joinpath(*inside[:1])
    for file in missing:
        if not download:
            raise _missing(who, home, missing, "`--no-download` forbids fetching them")
        try:
            fetch(file, home / file.name)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise _missing(who, home, missing, f"fetching `{file.name}` failed ({_why(error)})") from error
    return [place or home / file.name for file, place in zip(files, places, strict=True)]


def found(folder: Path, name: str, inside: Sequence[str] = ()) -> Path | None:
    """Where a file lies, also without its ending `.gz`: in a sub-folder or in the folder itself; None if nowhere."""
    names = [name, name.removesuffix(".gz")]
    places = [folder / part / n for part in (*inside, ".") for n in names]
    return next((place for place in places if place.is_file()), None)


def fetch(file: File, path: Path) -> None:
    """Fetch a file, which appears under its path when it is whole and its checksum is right, or not at all."""
    opener = urllib.request.OpenerDirector()
    for handler in WEB:
        opener.add_handler(handler())
    request = urllib.request.Request(file.url, headers={"User-Agent": "ganzo"})
    with closing(opener.open(request, timeout=TIMEOUT)) as answer, _fresh(path) as target:
        digest, size = hashlib.md5(usedforsecurity=False), int(answer.headers.get("Content-Length") or 0)
        tell(f"fetching {file.url}" + (f" ({size / 1e6:,.1f} MB)" if size else "") + f" into {path.parent}")
        with closing(_pieces(answer, size, file.name)) as pieces:
            for piece in pieces:
                digest.update(piece)
                target.write(piece)
        if size > target.tell():
            raise ValueError(f"the connection ended after {target.tell()} of {size} bytes")
        if file.md5 not in (None, digest.hexdigest()):
            raise ValueError(f"its checksum is wrong, md5 {digest.hexdigest()}")


def _pieces(answer: Any, size: int, name: str) -> Generator[bytes, None, None]:
    """What a server sends, piece by piece; a terminal sees a bar."""
    if not sys.stderr.isatty():
        yield from iter(lambda: answer.read(PIECE), b"")
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    shown = (
        TextColumn(f"fetching {name}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*shown, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=size or None)
        while piece := answer.read(PIECE):
            yield piece
            progress.advance(task, len(piece))


@contextmanager
def _fresh(path: Path) -> Iterator[Any]:
    """A file under a temporary name that is renamed when all went well; else it and new folders vanish again."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}-{os.urandom(4).hex()}.tmp")
    new = [place for place in path.parents if not place.exists()]  # innermost first
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(temporary, "xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        for remove, place in ((os.unlink, temporary), *((os.rmdir, place) for place in new)):
            with suppress(OSError):
                remove(place)
        raise


def _why(error: Exception) -> str:
    """What went wrong, in a few words."""
    if isinstance(error, urllib.error.HTTPError):
        error.close()  # it is an open answer, too
        return f"the server says {error.code} {error.reason}"
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    text = getattr(reason, "strerror", None) or " ".join(str(reason).split())
    return text or type(reason).__name__


def _missing(who: str, home: Path, files: Sequence[File], why: str) -> MissingFiles:
    listed = ", ".join(f"{f.name} from {f.url}" + (f" (md5 {f.md5})" if f.md5 else "") for f in files)
    return MissingFiles(
        f"The data set `{who}` needs files that are not in `{home}`, and {why}: {listed}. Put them there, or name the"
        " folder that holds them with `--data-dir`."
    )
