"""Records: rows that are kept, taken over and told apart."""

import json
import subprocess
from types import SimpleNamespace

import pytest
from benchmarks.record import Record, rounded, rows_asked, table

from benchmarks import record


@pytest.fixture
def kept(own_folder, monkeypatch):
    monkeypatch.setattr(record, "machine", lambda: MACHINE)
    return lambda words=("--record", "r.json"): Record(
        own_folder / "r.json", "benchmarks.x", page, "abc", list(words)
    )


MACHINE = {"cpu": "some", "cores": 2, "python": "3", "torch": "2", "commit": "one"}


def page(rows):
    return table(["row", "value"], ([name, row["value"]] for name, row in rows.items()))


def test_rows_are_written_as_they_come_and_stand_in_order(kept, own_folder):
    one = kept()
    one.add("c", lambda: {"value": 1 / 3})
    one.add("a", lambda: {"value": [2]})
    told = json.loads((own_folder / "r.json").read_text())["rows"]
    assert list(told) == ["a", "c"] and told["c"]["value"] == 0.333333
    assert told["a"]["measured"]["command"] == "python -m benchmarks.x --record r.json"
    text = (own_folder / "r.md").read_text()
    assert text.startswith("| row | value |\n| --- | --- |\n| a | [2] |\n") and "2 cores (some)" in text
    assert sorted(path.name for path in own_folder.iterdir()) == ["r.json", "r.md"]


def test_a_row_that_is_measured_again_replaces_the_old_one_and_the_others_stay(kept, own_folder):
    first = kept()
    for name in "ab":
        first.add(name, lambda: {"value": 1})
    kept(["--rows", "b"]).add("b", lambda: {"value": 2})
    told = json.loads((own_folder / "r.json").read_text())["rows"]
    assert [told[name]["value"] for name in "ab"] == [1, 2]
    text = (own_folder / "r.md").read_text()
    assert "--record r.json` (a): " in text and "--rows b` (b): " in text


def test_what_a_resumed_record_has_of_this_commit_is_left_out(kept, monkeypatch):
    kept().add("a", lambda: {"value": 1})
    args = SimpleNamespace(rows="a,b", resume=True)
    assert rows_asked(None, args, "abc", kept()) == ["b"]
    monkeypatch.setattr(record, "machine", lambda: MACHINE | {"commit": "two"})
    assert rows_asked(None, args, "abc", kept()) == ["a", "b"]


def test_rows_of_two_machines_do_not_mix(kept, monkeypatch):
    kept().add("a", lambda: {"value": 1})
    monkeypatch.setattr(record, "machine", lambda: MACHINE | {"cpu": "other"})
    with pytest.raises(SystemExit, match="another machine"):
        kept()


def test_without_a_file_nothing_is_written(own_folder):
    Record(None, "benchmarks.x", page, "abc", []).add("a", lambda: {"value": 1})
    assert not list(own_folder.iterdir())


def test_a_commit_is_dirty_when_anything_but_a_record_was_changed(own_folder, monkeypatch):
    def git(*words):
        identity = ["-c", "user.name=a", "-c", "user.email=a@b"]
        subprocess.run(["git", *identity, *words], check=True, capture_output=True)

    records = own_folder / "benchmarks" / "records"
    records.mkdir(parents=True)
    for path in (records / "step.json", own_folder / "benchmarks" / "step.py"):
        path.write_text("old")
    git("init")
    git("add", ".")
    git("commit", "-m", "first")
    monkeypatch.setattr(record, "__file__", str(own_folder / "benchmarks" / "record.py"))
    clean = record.commit()
    (records / "step.json").write_text("new")
    assert record.commit() == clean and 7 <= len(clean) <= 12
    (own_folder / "benchmarks" / "step.py").write_text("new")
    assert record.commit() == f"{clean}-dirty"


def test_figures_have_six_digits():
    assert rounded({"a": (1.23456789, 3), "b": {"c": "text"}}) == {"a": [1.23457, 3], "b": {"c": "text"}}


def test_the_machine_is_told_with_its_versions():
    assert {"cpu", "cores", "torch", "ganzo", "commit", "python"} <= record.machine().keys()
