"""Files that lie there, files that are fetched, and what is said and left behind when that fails."""

import hashlib
import re
import socket
import sys
from pathlib import Path

import pytest

from files import published
from ganzo.data import download
from ganzo.data.download import File, MissingFiles, fetched, found
from ganzo.errors import DataError

CONTENT = bytes(range(256)) * 4000  # more than one piece
MD5 = hashlib.md5(CONTENT).hexdigest()


@pytest.fixture(autouse=True)
def without_proxy(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")


def lying():
    return sorted(str(path) for path in Path().rglob("*"))


def test_files_are_found_where_they_lie(tmp_path):
    for name in ("in/a.gz", "in/b", "in/deep/raw/c", "in/d", "in/raw/d.gz"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).touch()
    files = [File(name, "http://nowhere.invalid/x") for name in ("a.gz", "b.gz", "c", "d.gz")]
    places = fetched(Path("in"), files, "set", ["raw", "deep/raw"], download=False)
    assert [place.as_posix() for place in places] == ["in/a.gz", "in/b", "in/deep/raw/c", "in/raw/d.gz"]
    assert found(Path("in"), "deep") is None  # a folder is no file


def test_what_lies_there_is_taken_as_it_is():
    Path("a").write_text("of the user's own")
    assert fetched(Path(), [File("a", "http://nowhere.invalid/a", MD5)], "set") == [Path("a")]


def test_what_is_missing_is_fetched_once(capsys):
    with published({"/a": CONTENT, "/b": CONTENT}) as (url, asked):
        files = [File("a", url + "a", MD5), File("b", url + "b")]
        for _ in range(2):
            assert fetched(Path("in"), files, "set", ["Set/raw"]) == [
                Path("in/Set/raw/a"),
                Path("in/Set/raw/b"),
            ]
    assert asked == ["/a", "/b"] and Path("in/Set/raw/a").read_bytes() == CONTENT
    assert lying() == ["in", "in/Set", "in/Set/raw", "in/Set/raw/a", "in/Set/raw/b"]
    said = capsys.readouterr().err.splitlines()
    assert said[0] == f"ganzo: fetching {url}a (1.0 MB) into in/Set/raw" and len(said) == 2


def test_a_terminal_sees_a_bar(monkeypatch, capsys):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with published({"/a": CONTENT}) as (url, _):
        fetched(Path(), [File("a", url + "a", MD5)], "set")
    assert "fetching a" in capsys.readouterr().err and Path("a").read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("page", "why"),
    [
        (None, "the server says 404 Not Found"),
        (CONTENT[::-1], f"its checksum is wrong, md5 {hashlib.md5(CONTENT[::-1]).hexdigest()}"),
        (
            (200, {"Content-Length": "2000000"}, CONTENT),
            "the connection ended after 1024000 of 2000000 bytes",
        ),
        ((302, {"Location": "file:///etc/hostname"}, b""), "the server says 302 .*not allowed"),
        ((302, {"Location": "ftp://127.0.0.1/a"}, b""), "unknown url type: ftp"),
    ],
)
def test_what_fails_is_said_and_leaves_nothing(page, why):
    with published({"/b": page} if page else {}) as (url, _):
        files = [File("a", f"{url}a"), File("b", f"{url}b", MD5), File("c", f"{url}c")]
        Path("a").touch()
        with pytest.raises(DataError) as caught:
            fetched(Path(), files, "set", ["Set/raw"])
    said = str(caught.value)
    begin = "The data set `set` needs files that are not in `Set/raw`, and fetching `b` failed ("
    assert said.startswith(begin) and "\n" not in said
    assert said.endswith(
        f"): b from {url}b (md5 {MD5}), c from {url}c. Put them there, or name the folder that holds them with"
        " `--data-dir`."
    )
    assert re.fullmatch(why, said.removeprefix(begin).partition("): b from")[0])
    assert lying() == ["a"]


def test_no_server():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, but it does not listen
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/a"
        with pytest.raises(
            MissingFiles, match=rf"fetching `a` failed \(Connection refused\): a from {url}\."
        ):
            fetched(Path("in"), [File("a", url)], "set")
    assert lying() == []


def test_a_silent_server_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(download, "TIMEOUT", 0.05)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        with pytest.raises(MissingFiles, match=r"failed \(timed out\)"):
            fetched(Path("in"), [File("a", f"http://127.0.0.1:{silent.getsockname()[1]}/a")], "set")


@pytest.mark.parametrize("url", ["file:///etc/hostname", "ftp://127.0.0.1/a", "data:,x"])
def test_only_the_web_is_asked(url):
    with pytest.raises(MissingFiles, match="unknown url type"):
        fetched(Path(), [File("a", url)], "set")


def test_nothing_is_fetched_where_that_is_forbidden():
    with pytest.raises(
        MissingFiles, match=r"not in `in`, and `--no-download` forbids fetching them: a from http"
    ):
        fetched(Path("in"), [File("a", "http://nowhere.invalid/a")], "set", download=False)


def test_an_interruption_leaves_nothing(monkeypatch):
    def interrupted(answer, size, name):
        yield answer.read(100)
        assert any(".tmp" in name for name in lying())
        raise KeyboardInterrupt

    monkeypatch.setattr(download, "_pieces", interrupted)
    with published({"/a": CONTENT}) as (url, _), pytest.raises(KeyboardInterrupt):
        fetched(Path("in"), [File("a", url + "a")], "set", ["raw"])
    assert lying() == []


def test_a_folder_that_cannot_be_written_is_named():
    Path("in").touch()
    with (
        published({"/a": CONTENT}) as (url, _),
        pytest.raises(MissingFiles, match=r"not in `in/raw`.*Not a directory"),
    ):
        fetched(Path("in"), [File("a", url + "a")], "set", ["raw"])
