import json
import shutil
import time
from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from ganzo.registry import Registry, register
from ganzo.statistics import lines_of
from ganzo.statistics.file import FileStatistics
from ganzo.statistics.tensorboard import TensorBoardStatistics
from small import equal, everything, play

EVERY_TURN = {"checkpoint_every": 0.0, "keep_checkpoints": 100}


def rewind(turn):
    """Leave what a process had left that was killed after a turn, without its later checkpoints."""
    for folder in Path("models/run/checkpoints").iterdir():
        if int(folder.name.partition("-")[2]) > turn:
            shutil.rmtree(folder)


def results():
    return [json.loads(line) for line in Path("output/run/results.json").read_text().splitlines()]


def scalars(folder="output/run/tensorboard"):
    events = EventAccumulator(str(folder), size_guidance={"scalars": 0})
    events.Reload()
    return {tag: [(e.step, e.value) for e in events.Scalars(tag)] for tag in events.Tags()["scalars"]}


def test_lines_for_people():
    numbers = {
        "epoch": 7,
        "generator": 1.0,
        "judge": 0.98765432,
        "seconds": 1.5,
        "images_per_second": 12345.6,
    }
    assert lines_of(numbers) == ["epoch 7  1.50 s  12,346 images/s", "  generator: 1", "  judge: 0.98765"]
    assert lines_of({}) == ["epoch 0"]


def test_results_are_kept_whatever_is_logged():
    run = play(log="none", epochs=3, start_epoch=5)
    assert [line["epoch"] for line in results()] == [5, 6, 7]
    assert set(results()[0]) == {
        "epoch", "train_g_loss", "train_d_loss", "time", "images_per_second", "lr_g", "lr_d",
    }  # fmt: skip
    assert results()[1]["train_g_loss"] == run.history[1]["generator"]
    assert results()[0]["lr_g"] == 1e-4


@pytest.mark.parametrize("turn", [0, 2, 7, 12])
def test_nothing_is_written_twice_after_a_restore(turn):
    options = {"log": ["file", "tensorboard"], "epochs": 4}
    play(**EVERY_TURN, **options)
    before = results(), Path("output/run/statistics.log").read_text().splitlines(), scalars()
    rewind(turn)
    time.sleep(1.01 - time.time() % 1)  # TensorBoard orders its files by the second
    play(restore=True, **options)
    after = results(), Path("output/run/statistics.log").read_text().splitlines(), scalars()
    assert [line["epoch"] for line in after[0]] == [1, 2, 3, 4]
    assert [line["train_g_loss"] for line in after[0]] == [line["train_g_loss"] for line in before[0]]
    losses = [[line for line in text if line.startswith("  ")] for text in (before[1], after[1])]
    assert losses[0] == losses[1] and len(before[1]) == len(after[1]) == 12
    for tag in ("generator", "discriminator"):
        assert after[2][tag] == before[2][tag] and [step for step, _ in after[2][tag]] == [1, 2, 3, 4]


def test_tensorboard_holds_each_number_under_its_name():
    run = play(log="tensorboard", metrics=["judge"], metrics_every=2, metrics_samples=20)
    found = scalars()
    assert set(found) == {
        "generator", "discriminator", "judge", "judge_worst", "seconds", "images_per_second", "lr_g", "lr_d",
    }  # fmt: skip
    assert found["generator"] == [(n, pytest.approx(run.history[n - 1]["generator"])) for n in (1, 2)]
    assert [step for step, _ in found["judge"]] == [2]


def test_tensorboard_without_epochs_counts_itself(tmp_path):
    statistics = TensorBoardStatistics(folder=tmp_path)
    statistics.log({"x": 1.0})
    statistics.log({"x": 2.0})
    statistics.close()
    assert scalars(tmp_path / "tensorboard") == {"x": [(1, 1.0), (2, 2.0)]}


def test_the_console_prints_a_line_for_each_epoch(capsys):
    play(log="console")
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("epoch ")]
    assert [line.split()[1] for line in lines] == ["1", "2"]
    assert all("generator: " in line and "images/s" in line for line in lines)


def test_none_prints_nothing(capsys):
    play(log="none")
    assert capsys.readouterr().out == ""


def test_several_at_once(capsys):
    play(log=["console", "file"])
    assert "epoch 2" in capsys.readouterr().out and "epoch 2" in Path("output/run/statistics.log").read_text()


def test_logging_changes_no_weight():
    plain = play(experiment="plain")
    assert equal(everything(plain), everything(play(log=["console", "file", "tensorboard"])))


def test_a_file_of_the_users_own_keeps_what_stood_in_it(tmp_path):
    path = tmp_path / "all.log"
    path.write_text("another run\n")
    play(log="file", log_file=str(path), **EVERY_TURN)
    rewind(2)
    play(log="file", log_file=str(path), restore=True)
    lines = path.read_text().splitlines()
    assert lines[0] == "another run" and sum(line.startswith("epoch ") for line in lines) == 2


def test_nothing_is_cut_off_another_file(tmp_path):
    """A restored run may log to another file than it began with."""
    one, other = tmp_path / "one.log", tmp_path / "other.log"
    play(log="file", log_file=str(one))
    other.write_text("a line of someone's\n" * 100)
    play(log="file", log_file=str(other), restore=True, epochs=3)
    assert other.read_text().count("someone") == 100 and other.read_text().count("epoch ") == 1
    play(log="file", log_file=str(other), restore=True, epochs=4)
    assert other.read_text().count("someone") == 100 and other.read_text().count("epoch ") == 2


def test_building_statistics_writes_nothing(tmp_path):
    FileStatistics(log_file=str(tmp_path / "deep" / "l.txt"))
    TensorBoardStatistics(folder=tmp_path).close()
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_shorter_than_it_was_is_left_alone(tmp_path):
    statistics = FileStatistics(folder=tmp_path)
    statistics.load_state_dict({"size": 1000})
    statistics.log({"epoch": 1})
    assert (tmp_path / "statistics.log").read_text() == "epoch 1\n"


def test_logs_may_change_on_a_restore():
    play(log="file")
    play(log=["file", "tensorboard"], restore=True, epochs=3)
    assert Path("output/run/statistics.log").read_text().count("epoch") == 3
    assert [step for step, _ in scalars()["generator"]] == [3]


class Bare:
    """A third party's statistics of the older kind: `log`, and nothing else."""

    lines = []

    def __init__(self, options):
        pass

    def log(self, losses):
        self.lines.append(losses["epoch"])


@pytest.fixture
def third_party():
    register("statistics", "bare")(Bare)
    yield
    del Registry._classes["statistics"]["bare"]


def test_a_third_partys_statistics_need_no_more_than_log(third_party):
    play(log="bare")
    play(log="bare", restore=True, epochs=3)
    assert Bare.lines == [1, 2, 3]
