"""A run's folders are its own: what is deleted, what is refused, what starts anew, and who may write there."""

import json
import math
import subprocess
import sys
from pathlib import Path

import pytest

from ganzo import folder
from ganzo.checkpoint import checksum
from ganzo.errors import DataError, RunError
from small import equal, everything, pictures, play

MODEL, OUTPUT = Path("models/run"), Path("output/run")


def contents(root="."):
    """Every file below a folder, with its bytes."""
    return {
        path: checksum(path)
        for path in Path(root).rglob("*")
        if path.is_file() and path.name != "lock" and "cache" not in path.parts
    }


@pytest.fixture
def photos():
    """A user's folder, of the name that a run is given."""
    place = Path("photos")
    (place / "summer").mkdir(parents=True)
    (place / "summer" / "beach.jpg").write_bytes(b"a picture")
    (place / "options.json").write_text("[1, 2]")
    return place


@pytest.mark.parametrize(
    "folders", [{"output_dir": "."}, {"model_dir": "."}, {"model_dir": ".", "output_dir": "."}]
)
@pytest.mark.parametrize("delete", [True, False])
def test_pictures_of_the_users_stay(photos, folders, delete):
    if "model_dir" in folders:
        (photos / "options.json").unlink()  # which would say that a run exists already
    before = contents()
    with pytest.raises(
        RunError, match=r"^A run's folder must be its own; `photos` holds `.*`, which no run wrote:"
    ) as e:
        play(experiment="photos", delete=delete, **folders)
    assert "\n" not in str(e.value)
    assert contents() == before and not Path("models").exists() and not Path("output").exists()


def test_a_restored_run_does_not_move_into_a_folder_of_the_users(photos):
    play(experiment="photos")
    before = contents()
    with pytest.raises(RunError, match="must be its own"):
        play(experiment="photos", restore=True, epochs=3, output_dir=".")
    assert contents() == before


def test_a_folder_that_is_empty_may_be_used():
    OUTPUT.mkdir(parents=True)
    MODEL.mkdir(parents=True)
    play()
    assert (OUTPUT / "results.json").exists()


@pytest.mark.parametrize("output_dir", ["output", "models"])
def test_records_start_anew_where_the_model_is_gone(output_dir):
    """Someone removed the weights, and trains again under the same name."""
    output = Path(output_dir) / "run"
    options = {
        "log": ["file", "tensorboard"],
        "output_dir": output_dir,
        "evaluation_criterion": "generator-loss",
    }
    play(**options)
    (output / "samples").mkdir()
    old = set((output / "tensorboard").iterdir())
    for path in [*MODEL.glob("*.safetensors"), MODEL / "options.json", *MODEL.glob("checkpoints")]:
        folder.delete(path)
    play(**options, epochs=1)
    assert len((output / "results.json").read_text().splitlines()) == 1
    assert (output / "statistics.log").read_text().count("epoch") == 1
    assert not old & set((output / "tensorboard").iterdir())
    assert (output / "samples").is_dir()


def test_deleting_that_is_cut_short_leaves_a_runs_folder(monkeypatch):
    play()
    delete = folder.delete

    def die(path):
        if path.name in folder.MARKS:
            raise KeyboardInterrupt
        delete(path)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(folder, "delete", die)
        play(delete=True)
    assert equal(everything(play(delete=True)), everything(play(experiment="other")))


# What fails leaves everything as it was


def without_tensorboard(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)


BAD = [
    (
        {"log": "file", "log_file": "/dev/null/x/l"},
        r"^`--log-file` must be a file .*\(`/dev/null` is no folder\)",
    ),
    ({"log": "file", "log_file": "."}, r"it is a folder"),
    ({"log": "tensorboard"}, r"^TensorBoard is not installed"),
    ({"save_images_as": ["tensorboard"]}, r"^TensorBoard is not installed"),
]


@pytest.mark.parametrize(("changed", "sentence"), BAD)
def test_an_option_that_is_wrong_leaves_the_old_run(monkeypatch, changed, sentence):
    play(log=["file", "tensorboard"])
    before = contents()
    without_tensorboard(monkeypatch)
    for flag in ("delete", "restore"):
        with pytest.raises(ValueError, match=sentence.removeprefix("^")):
            play(**changed | {flag: True})
        assert contents() == before


@pytest.mark.parametrize(("changed", "sentence"), BAD)
def test_a_first_try_that_fails_is_not_in_the_way(monkeypatch, changed, sentence):
    with monkeypatch.context() as patch:
        without_tensorboard(patch)
        with pytest.raises(ValueError, match=sentence.removeprefix("^")):
            play(**changed)
    assert not Path("models").exists() and not Path("output").exists()
    play()


def test_what_is_logged_after_deleting_is_of_the_new_run():
    options = {"log": ["file", "tensorboard"], "save_images_as": ["tensorboard"], "sample_every": 1}
    play(epochs=3, **options)
    play(epochs=1, delete=True, **options)
    assert (OUTPUT / "statistics.log").read_text().count("epoch") == 1
    assert len(list((OUTPUT / "tensorboard").iterdir())) == 2  # numbers and pictures


def test_changed_pictures_are_refused_and_nothing_is_written(tmp_path):
    options = {"dataset": "folder", "data_dir": pictures(tmp_path / "in"), "batch_size": 4}
    play(**options)
    before = contents("models") | contents("output")
    one, other = sorted((tmp_path / "in").rglob("*.png"))[:2]
    one.write_bytes(other.read_bytes())
    with pytest.raises(
        DataError, match="needs the data that it began with: the pictures or labels of"
    ) as error:
        play(restore=True, epochs=3, **options)
    assert "\n" not in str(error.value) and "`--delete`" in str(error.value)
    assert contents("models") | contents("output") == before


# Two runs


def test_one_output_folder_is_not_shared_by_two_runs():
    script = (
        "import sys; from pathlib import Path; from ganzo.folder import claim;"
        " lock = claim(Path('models/run'), Path('output/run'), 'run'); print('held', flush=True); sys.stdin.read()"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert other.stdout.readline() == "held\n"
        with pytest.raises(RunError, match=f"is being trained by process {other.pid};"):
            play(model_dir="elsewhere")
        assert not Path("elsewhere").exists()
    finally:
        other.communicate()
    play(model_dir="elsewhere")


@pytest.mark.parametrize("output_dir", ["models", "./models/../models"])
def test_both_folders_may_be_one(output_dir):
    (Path("models")).mkdir()
    play(output_dir=output_dir)
    assert (MODEL / "results.json").exists() and (MODEL / "options.json").exists()
    play(output_dir=output_dir, delete=True)
    play(output_dir=output_dir, restore=True, epochs=3)
    assert len((MODEL / "results.json").read_text().splitlines()) == 3


# Records


def test_the_commit_is_recorded():
    play()
    found = json.loads((MODEL / "environment.json").read_text())["commit"]
    assert found is None or (len(found) == 40 and int(found, 16) >= 0)


@pytest.mark.parametrize("error", [OSError, ValueError, subprocess.TimeoutExpired("git", 5)])
def test_without_git_there_is_no_commit(monkeypatch, error):
    def fail(*args, **named):
        raise error

    monkeypatch.setattr(folder.subprocess, "run", fail)
    folder.commit.cache_clear()
    assert folder.commit() is None
    folder.commit.cache_clear()


def test_a_number_that_is_none_is_null_in_the_records(monkeypatch):
    from ganzo.run import Run

    record = Run.record
    monkeypatch.setattr(
        Run,
        "record",
        lambda run, losses, *more: record(run, losses | {"generator": math.nan, "x": -math.inf}, *more),
    )
    run = play()

    def never(word):
        raise AssertionError(f"{word} is no JSON")

    lines = [
        json.loads(line, parse_constant=never) for line in (OUTPUT / "results.json").read_text().splitlines()
    ]
    assert [line["train_g_loss"] for line in lines] == [line["train_x"] for line in lines] == [None, None]
    assert math.isnan(run.history[0]["generator"])
    play(restore=True)
    assert "NaN" not in (OUTPUT / "results.json").read_text()


# The best epoch's checkpoint


def test_the_best_checkpoint_is_kept(monkeypatch):
    from ganzo.evaluation.generator_loss import GeneratorLoss

    monkeypatch.setattr(GeneratorLoss, "has_improved", lambda self, losses: losses["epoch"] == 1)
    options = {"evaluation_criterion": "generator-loss", "keep_checkpoints": 1}
    play(epochs=4, checkpoint_every=0.0, **options)

    def names():
        return sorted(path.name for path in (MODEL / "checkpoints").iterdir())

    assert names() == ["1-3", "4-12"]
    assert json.loads((MODEL / "best/score.json").read_text())["checkpoint"] == "1-3"
    play(epochs=6, restore=True, **options)
    assert names() == ["1-3", "6-18"]
    for name in ("generator", "discriminator"):
        file = f"{name}.safetensors"
        assert (MODEL / "best" / file).read_bytes() == (MODEL / "checkpoints/1-3" / file).read_bytes()
