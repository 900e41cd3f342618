"""The benchmark of what is paid around the turns."""

import json
import time

import pytest

from benchmarks import first, startup


def test_a_line_is_the_median_of_its_tries_beside_what_is_asked():
    line = startup.Line("it", [0.1, 0.5, 0.2], most=0.3)
    assert (line["value"], line["holds"]) == (0.2, True)
    assert startup.cells(line) == ["it", "0.2 s", "< 0.3 s: yes", ""]
    slow = startup.Line("it", [3.0], "%", most=2.0, first=1.5)
    assert startup.cells(slow) == ["it", "3 %", "< 2 %: **no**", "1.5 s"]
    assert startup.cells(startup.Line("modules", [0], "", most=1)) == ["modules", "0", "none: yes", ""]
    assert startup.cells(startup.Line("free", [1.25]))[2] == ""


def test_every_checkpoint_of_a_run_is_timed_and_nothing_is_left_behind():
    from ganzo.run import Run

    inner = Run.save
    calls = []

    class Fake(Run):
        def __init__(self):
            pass

    def save(self):
        calls.append(self)
        time.sleep(0.01)

    Run.save = save
    try:
        found = startup.saving(lambda: [Fake().save() for _ in range(3)])
        assert Run.save is save
    finally:
        Run.save = inner
    assert len(found) == len(calls) == 3 and all(seconds >= 0.01 for seconds in found)


def test_the_first_turn_comes_after_the_first_batch(own_folder, capsys, monkeypatch):
    from ganzo.data.batches import StoredData
    from ganzo.game.standard import StandardGame
    from ganzo.run import Run

    for cls, name in ((Run, "begin"), (StoredData, "next"), (StandardGame, "step")):
        monkeypatch.setattr(cls, name, getattr(cls, name))  # put back afterwards
    words = "train --config digits --epochs 1 --max-batches-per-epoch 1 --log none --threads 1 --generator-channels 2"
    assert first.main([str(time.monotonic()), "--", *words.split()]) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert 0 < told["built"] < told["batch"] < told["turn"] < told["end"]


@pytest.mark.slow
def test_every_row_is_measured_and_recorded(own_folder, monkeypatch):
    monkeypatch.setattr(startup, "SAMPLES", 64)
    monkeypatch.setattr(startup, "METRICS", {"random": ("fid", "kid"), "classifier": ("fid",)})
    startup.main(
        ["--quick", "--threads", "1", "--device", "cpu", "--record", str(own_folder / "startup.json")]
    )
    rows = json.loads((own_folder / "startup.json").read_text())["rows"]
    assert list(rows) == list(startup.ROWS)
    lines = {line["what"]: line for row in rows.values() for line in row["lines"]}
    assert all(line["value"] >= 0 and line["tries"] for line in lines.values())
    assert lines["modules of torch that `ganzo --help` imports"]["value"] == 0
    assert sum("a checkpoint" in what for what in lines) == 2
