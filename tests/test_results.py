"""What a run records, its data frame, and the folders of a cluster: names, trials, one root, preempted jobs."""

import json
import math
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import ganzo as package
from ganzo.checkpoint import checksum
from ganzo.errors import RunError
from ganzo.game import Game
from ganzo.metric import Metrics
from ganzo.nn.record import finite, plain, recorded, scores_of
from ganzo.options import make_options, settle_names
from ganzo.whereabouts import find_run
from small import equal, everything, play

PROTOCOL = {"fid": {"features": "random", "counts": [20, 20], "seed": 0, "average": False, "std": math.nan}}


def lines(folder="output/run"):
    return [json.loads(line) for line in Path(folder, "results.json").read_text().splitlines()]


@pytest.fixture
def scored(monkeypatch):
    """Metrics that give scores in every other epoch, and say how."""

    def measure(self, epoch, *parts):
        if epoch % 2:
            return {}
        self.protocol = PROTOCOL
        return {"fid": 10.0 / epoch, "is_mean": 2.0, "is_std": 0.5, "kid": 0.1}

    monkeypatch.setattr(Metrics, "measure", measure)


# --- the record


def test_scores_stand_under_their_names_beside_their_protocol(scored):
    run = play(epochs=2)
    first, second = lines()
    assert second["protocol"] == {"fid": PROTOCOL["fid"] | {"std": None}} and "protocol" not in first
    scores = {"train_fid_mean": 5.0, "train_is_mean": 2.0, "train_is_std": 0.5, "train_kid": 0.1}
    assert {key: second[key] for key in scores} == scores and not scores.keys() & first.keys()
    assert scores_of(run.history[1]) == {"fid": 5.0, "is_mean": 2.0, "is_std": 0.5, "kid": 0.1}
    assert set(first) == {
        "epoch", "train_g_loss", "train_d_loss", "time", "images_per_second", "lr_g", "lr_d",
    }  # fmt: skip


def test_the_record_goes_on_after_a_restore(scored):
    play(epochs=3)
    before = lines()
    play(epochs=4, restore=True)
    assert lines()[:3] == before and [line["epoch"] for line in lines()] == [1, 2, 3, 4]
    assert lines()[3]["train_fid_mean"] == 2.5 and lines()[3]["protocol"]["fid"]["seed"] == 0


def test_statistics_get_numbers_alone(scored):
    play(epochs=2, log="file")
    assert "protocol" not in Path("output/run/statistics.log").read_text()


def test_a_line_is_json_and_names_further_players():
    numbers = {"epoch": 1, "generator": math.inf, "encoder": 2.0, "lr_encoder": 0.1, "reach": math.nan}
    line = json.loads(recorded(numbers, ["generator", "discriminator", "encoder"]))
    assert line == {
        "epoch": 1, "train_g_loss": None, "train_encoder_loss": 2.0, "lr_encoder": 0.1, "train_reach": None,
    }  # fmt: skip
    assert finite({"x": math.nan, "protocol": {}}) == {"x": None, "protocol": {}}
    assert plain({1: (Path("x"), -math.inf)}) == {"1": ["x", None]}


# --- the frame


def test_the_frame_of_a_run(scored):
    pandas = pytest.importorskip(
        "pandas", reason='`pip install "ganzo[frames]"` installs what this test needs'
    )
    run = play(epochs=4)
    frame = package.results("run")
    assert list(frame.epoch) == [1, 2, 3, 4] and frame.epoch.dtype == int
    assert list(frame.train_g_loss) == [line["generator"] for line in run.history]
    assert frame.train_fid_mean.isna().tolist() == [True, False, True, False]
    assert frame.groupby("protocol").size().tolist() == [2] and "NaN" not in frame.protocol[1]
    for place in (
        "models/run",
        "output/run",
        "output/run/results.json",
        Path("output/run"),
        str(run.folder.absolute()),
    ):
        pandas.testing.assert_frame_equal(package.results(place), frame)
    os.rename("models", "elsewhere")
    pandas.testing.assert_frame_equal(package.results("run", model_dir="elsewhere"), frame)
    pandas.testing.assert_frame_equal(package.results("run"), frame)  # the weights are not asked


def test_a_number_that_was_never_finite_is_a_number_in_the_frame():
    pytest.importorskip("pandas", reason='`pip install "ganzo[frames]"` installs what this test needs')
    Path("results.json").write_text('{"epoch": 1, "train_g_loss": null}\n{"epoch": 2, "train_g_l')
    frame = package.results("results.json")
    assert frame.train_g_loss.isna().all() and frame.train_g_loss.dtype == float and len(frame) == 1


def test_frames_that_cannot_be(monkeypatch):
    pytest.importorskip("pandas", reason='`pip install "ganzo[frames]"` installs what this test needs')
    with pytest.raises(RunError, match=r"^There is no run in `models/run`;"):
        package.results("run")
    play(epochs=0)
    with pytest.raises(
        RunError, match=r"^`output/run/results.json` holds no numbers yet: no epoch of the run is over\.$"
    ):
        package.results("run")
    Path("output/run/results.json").write_text('{"epoch": 1}\n[]\n{"epoch": 2}\n')
    with pytest.raises(RunError, match=r"must hold a record of JSON in each line; line 2 is none\.$"):
        package.results("run")
    Path("output/run/results.json").write_bytes(b"\xff\xfe")
    with pytest.raises(RunError, match=r"cannot be read \("):
        package.results("run")
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(RunError, match=r'needs pandas.*run `pip install "ganzo\[frames\]"`\.$') as error:
        package.results("run")
    assert "\n" not in str(error.value)


def test_no_torch_is_needed_for_a_frame():
    pytest.importorskip("pandas", reason='`pip install "ganzo[frames]"` installs what this test needs')
    Path("results.json").write_text('{"epoch": 1}\n')
    script = "import sys, ganzo; ganzo.results('results.json'); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script]).returncode == 0


# --- names, trials and one root


@pytest.fixture
def root(monkeypatch, tmp_path):
    monkeypatch.setenv("RESULTS_DIR", str(tmp_path / "results"))
    return tmp_path / "results"


def settled(**given):
    options = make_options(seed=1, **given)
    for _ in range(2):  # what is settled stays as it is
        settle_names(options)
    return options.experiment, options.model_dir, options.output_dir


@pytest.mark.parametrize(
    ("given", "variables", "experiment"),
    [
        ({"name": "cifar", "trial_id": "7"}, {}, "cifar/7"),
        ({"experiment": "cifar"}, {"SLURM_JOB_ID": "99"}, "cifar/99"),
        ({"experiment": "cifar", "trial_id": "7"}, {"SLURM_JOB_ID": "99"}, "cifar/7"),
        ({"experiment": "cifar"}, {"SHK_TRIAL_ID": "5"}, "cifar/5"),
        ({"experiment": "cifar"}, {"SHK_TRIAL_ID": "5", "SLURM_JOB_ID": ""}, "cifar/5"),
        ({}, {"SHK_EXPERIMENT_ID": "old", "SHK_TRIAL_ID": "5"}, "old/5"),
        ({"experiment": "cifar"}, {}, "cifar/1"),
        ({"experiment": "cifar/3"}, {"SLURM_JOB_ID": "99"}, "cifar/3"),
    ],
)
def test_both_folders_are_one_below_the_root(monkeypatch, root, given, variables, experiment):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert settled(**given) == (experiment, str(root), str(root))
    monkeypatch.delenv("RESULTS_DIR")
    assert settled(**given, results_dir="there") == (experiment, "there", "there")


def test_without_a_root_a_trial_is_part_of_the_name(monkeypatch):
    assert settled(name="cifar", trial_id="7") == ("cifar-7", "models", "output")
    monkeypatch.setenv("SLURM_JOB_ID", "99")  # a job that is no trial of anything
    assert settled(name="cifar") == ("cifar", "models", "output")


def test_a_run_without_a_name_is_called_by_its_hash(root):
    name, _, trial = settled(trial_id="7")[0].partition("/")
    assert (len(name), trial) == (12, "7") and name == settled(trial_id="8")[0].partition("/")[0]


def test_folders_that_are_given_beat_the_variable(root):
    assert settled(experiment="x", model_dir="m") == ("x", "m", "output")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("--experiment x --trial-id a/b", "`--trial-id` must be a plain name without slashes; got `a/b`."),
        (
            "--experiment x --trial-id .. --results-dir r",
            "`--trial-id` must be a plain name without slashes; got `..`.",
        ),
        (
            "--experiment a/b/c --results-dir r",
            "`--trial-id` must be a plain name without slashes; got `b/c`.",
        ),
        ("--experiment a/b --trial-id 3", "`--experiment` must be a plain name without slashes; got `a/b`."),
        ("--experiment x --results-dir=", "`--results-dir` must be a folder; got ``."),
        (
            "--experiment x --results-dir r --output-dir o",
            "`--results-dir` holds all that a run writes, and `--output-dir o` asks for another folder; leave one of"
            " the two out.",
        ),
        (
            f"--experiment {'x' * 150} --trial-id {'y' * 150}",
            "`--experiment` must be at most 200 letters long; got 301.",
        ),
    ],
)
def test_names_that_cannot_be_folders(refused, tiny, words, sentence):
    assert refused(*f"{tiny}".split(), *words.split()) == sentence


# --- runs below one root


def contents(root):
    return {path: checksum(path) for path in Path(root).rglob("*") if path.is_file() and path.name != "lock"}


def test_two_trials_lie_side_by_side_and_one_is_deleted_alone(root, ganzo, tiny):
    for trial in "12":
        assert ganzo(f"{tiny} --name cifar --trial-id {trial} --seed {trial}").status == 0
    one, two = root / "cifar" / "1", root / "cifar" / "2"
    kinds = {"options.json", "results.json", "generator.safetensors", "checkpoints", "environment.json"}
    assert kinds <= {path.name for path in one.iterdir()} == {path.name for path in two.iterdir()}
    assert not Path("models").exists() and not Path("output").exists()
    said = ganzo(f"{tiny} --name cifar --trial-id 1")
    assert said.status == 2 and "The experiment `cifar/1` exists already" in said.err
    before = contents(one)
    assert ganzo(f"{tiny} --name cifar --trial-id 2 --seed 3 --delete").status == 0
    assert contents(one) == before and json.loads((two / "options.json").read_text())["seed"] == 3
    assert ganzo("--name cifar --trial-id 2 --restore --epochs 2").status == 0
    assert [line["epoch"] for line in lines(two)] == [1, 2] and contents(one) == before


def test_samples_and_frames_of_a_trial(root, ganzo, tiny, monkeypatch):
    assert ganzo(f"{tiny} --name cifar --trial-id 8").status == 0
    trial = root / "cifar" / "8"
    for number, name in enumerate(("cifar/8", "cifar", str(trial), os.path.relpath(trial)), 1):
        assert find_run(name, Path("models")).resolve() == trial
        said = ganzo(f"sample {name}")
        assert said.status == 0, said.err
        assert len(list((trial / "samples").glob("sample_*.png"))) == number
    assert ganzo("sample --name cifar --trial-id 8").status == 0
    assert ganzo(f"{tiny} --name cifar --trial-id 9").status == 0
    said = ganzo("sample cifar")
    assert said.status == 2
    assert said.err == (
        f"ganzo: error: `cifar` has 2 trials in `{root / 'cifar'}`; name one of them, such as `cifar/9`.\n"
    )
    pytest.importorskip("pandas", reason='`pip install "ganzo[frames]"` installs what this test needs')
    assert len(package.results("cifar/9")) == len(package.results(trial)) == 1
    monkeypatch.delenv("RESULTS_DIR")
    assert find_run(str(trial), Path("models")) == trial and len(package.results(trial)) == 1


def test_a_trial_moves_with_its_root(root, ganzo, tiny, monkeypatch):
    assert ganzo(f"{tiny} --name cifar --trial-id 8").status == 0
    other = root.with_name("elsewhere")
    os.rename(root, other)
    monkeypatch.setenv("RESULTS_DIR", str(other))
    assert ganzo("--name cifar --trial-id 8 --restore --epochs 2").status == 0
    assert len(lines(other / "cifar" / "8")) == 2 and not root.exists()
    assert json.loads((other / "cifar" / "8" / "options.json").read_text())["output_dir"] == str(other)


def test_saved_options_lead_to_the_same_trial_or_another(root, ganzo, tiny, monkeypatch):
    assert ganzo(f"{tiny} --name cifar --trial-id 8 --seed 4").status == 0
    saved = root / "cifar" / "8" / "options.json"
    options = json.loads(saved.read_text())
    assert options["experiment"] == "cifar/8" and not {"trial_id", "results_dir"} & options.keys()
    monkeypatch.delenv("RESULTS_DIR")
    assert "The experiment `cifar/8` exists already" in ganzo(f"--from-json {saved}").err
    assert ganzo(f"--config {saved} --trial-id 9").status == 0
    assert lines(root / "cifar" / "9")[0]["train_g_loss"] == lines(root / "cifar" / "8")[0]["train_g_loss"]


def test_a_run_lies_in_no_other_run(monkeypatch):
    play(experiment="cifar", model_dir="all", output_dir="all")
    before = contents("all")
    with pytest.raises(
        RunError, match=r"^A run's folder must be its own; `all/cifar`, in which `1` would lie, is another"
    ):
        play(experiment="cifar", results_dir="all")
    with pytest.raises(RunError, match="must be its own"):
        play(experiment="cifar", results_dir="all", delete=True)
    assert contents("all") == before


def test_what_is_the_users_stays(root):
    (root / "photos" / "1").mkdir(parents=True)
    (root / "photos" / "1" / "beach.jpg").write_bytes(b"a picture")
    for delete in (False, True):
        with pytest.raises(RunError, match=r"`.*photos/1` holds `beach.jpg`, which no run wrote"):
            play(experiment="photos", delete=delete)
    with pytest.raises(RunError, match=r"holds `1`, which no run wrote"):  # an experiment's trials are no run
        play(experiment="photos", model_dir=str(root), output_dir=str(root), delete=True)
    assert list(root.rglob("*.jpg"))


# --- jobs that are preempted


@pytest.fixture
def preempt(monkeypatch):
    """Have a scheduler stop this process in the middle of a turn."""

    def arm(turn):
        step = Game._take

        def take(self, data):
            if self.turns == turn:
                monkeypatch.setattr(Game, "_take", step)
                signal.raise_signal(signal.SIGTERM)
            return step(self, data)

        monkeypatch.setattr(Game, "_take", take)

    return arm


@pytest.mark.parametrize("more", ["", "--delete"])
def test_a_preempted_job_goes_on_by_the_same_command(root, preempt, ganzo, tiny, monkeypatch, more):
    command = f"{tiny} --name cifar --seed 1 --log file --epochs 3 {more}".replace("--log none", "")
    monkeypatch.setenv("SLURM_JOB_ID", "42")
    assert ganzo(command.replace("cifar", "whole")).status == 0
    preempt(3)
    assert ganzo(command).status == 130
    if not more:
        assert "exists already" in ganzo(command).err  # it was not started again by the scheduler
    monkeypatch.setenv("SLURM_RESTART_COUNT", "1")
    said = ganzo(command)
    assert said.status == 0 and "restart 1 of SLURM job 42: restored at epoch 1, turn 4\n" in said.out
    one, whole = root / "cifar" / "42", root / "whole" / "42"
    assert (one / "generator.safetensors").read_bytes() == (whole / "generator.safetensors").read_bytes()
    assert [line["train_g_loss"] for line in lines(one)] == [line["train_g_loss"] for line in lines(whole)]
    assert (one / "statistics.log").read_text().count("epoch ") == 3


def test_a_job_that_is_started_again_before_it_began(root, monkeypatch):
    monkeypatch.setenv("SLURM_JOB_ID", "42")
    monkeypatch.setenv("SLURM_RESTART_COUNT", "2")
    assert equal(everything(play(experiment="cifar")), everything(play(experiment="plain", model_dir="m")))


def test_a_run_that_torchrun_starts_again_goes_on(ganzo, tiny, monkeypatch):
    line = f"{tiny} --experiment run --log file".replace("--log none", "")
    assert ganzo(line).status == 0
    monkeypatch.setenv("TORCHELASTIC_RESTART_COUNT", "0")
    assert "exists already" in ganzo(line).err
    monkeypatch.setenv("TORCHELASTIC_RESTART_COUNT", "1")
    assert "restart 1 by torchrun: restored at epoch 1, turn 2\n" in ganzo(f"{line} --delete").out


@pytest.mark.parametrize("count", ["0", "", "x"])
def test_a_first_start_restores_nothing(root, monkeypatch, count):
    play(experiment="cifar")
    monkeypatch.setenv("SLURM_RESTART_COUNT", count)
    with pytest.raises(RunError, match="exists already"):
        play(experiment="cifar")
