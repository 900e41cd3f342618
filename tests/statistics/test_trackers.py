"""Trackers: each with its real package, offline; a run that goes on continues the same record."""

import json
import shutil
import struct
import sys
import time
import zipfile
from pathlib import Path

import pytest

from ganzo.registry import OptionError, Registry
from ganzo.statistics import measured
from ganzo.statistics.wandb import has_key
from small import equal, everything, play

NUMBERS = {"generator", "discriminator", "seconds", "images_per_second", "lr_g", "lr_d"}
PACKAGES = {"wandb": "wandb", "mlflow": "mlflow", "comet": "comet_ml"}
EVERY_TURN = {"checkpoint_every": 0.0, "keep_checkpoints": 100}


# it makes 40 tables
@pytest.fixture(params=["wandb", pytest.param("mlflow", marks=pytest.mark.slow), "comet"])
def tracker(request):
    pytest.importorskip(
        PACKAGES[request.param],
        reason=f'`pip install "ganzo[{request.param}]"` installs what this test needs',
    )
    return request.param


def blocks(path):
    """The records of an offline file of Weights & Biases: a log of blocks, each record cut where a block ends."""
    from wandb.proto.wandb_internal_pb2 import Record

    data, at, record = path.read_bytes(), 7, b""
    while at + 7 <= len(data):
        if (left := 32768 - at % 32768) < 7:
            at += left
            continue
        _, size, kind = struct.unpack("<IHB", data[at : at + 7])
        record, at = record + data[at + 7 : at + 7 + size], at + 7 + size
        if kind in (1, 4):
            yield Record.FromString(record)
            record = b""


def wandb_record(folder):
    ids, lines = set(), []
    for path in sorted((folder / "wandb").glob("offline-run-*/*.wandb")):
        for _ in range(100):  # a process of its own writes it
            if any(record.HasField("exit") for record in blocks(path)):
                break
            time.sleep(0.1)
        for record in blocks(path):
            if record.HasField("run"):
                ids.add(record.run.run_id)
                assert record.run.project == "ganzo" and record.run.display_name == "run"
            if record.HasField("history"):
                line = {"".join(item.nested_key) or item.key: item.value_json for item in record.history.item}
                lines.append((record.history.step.num or int(line["_step"]), float(line["generator"])))
                assert set(line) >= NUMBERS
    return ids, lines


def mlflow_record(folder):
    from mlflow import MlflowClient

    (file,) = folder.glob("mlflow*.db")
    client = MlflowClient(f"sqlite:///{file.absolute()}")
    (experiment,) = client.search_experiments(filter_string="name = 'ganzo'")
    runs = client.search_runs([experiment.experiment_id])
    assert all(run.info.status == "FINISHED" and run.info.run_name == "run" for run in runs)
    assert set(runs[0].data.metrics) == NUMBERS and runs[0].data.params["batch_size"] == "32"
    history = client.get_metric_history(runs[0].info.run_id, "generator")
    return {run.info.run_id for run in runs}, sorted((each.step, each.value) for each in history)


def comet_record(folder):
    keys, lines = set(), []
    for path in sorted((folder / "comet").glob("*.zip"), key=lambda path: path.stat().st_mtime):
        with zipfile.ZipFile(path) as archive:
            about = json.loads(archive.read("experiment.json"))
            messages = [json.loads(line) for line in archive.read("messages.json").splitlines()]
        keys.add(about["offline_id"])
        for message in messages:
            metric = message["payload"].get("metric") or {}
            if metric.get("metricName") == "generator":
                lines.append((metric["step"], float(metric["metricValue"])))
    return keys, lines


RECORDS = {"wandb": wandb_record, "mlflow": mlflow_record, "comet": comet_record}


def rewind(turn):
    """Leave what a process had left that was killed after a turn."""
    for folder in Path("models/run/checkpoints").iterdir():
        if int(folder.name.partition("-")[2]) > turn:
            shutil.rmtree(folder)


def test_a_restored_run_goes_on_in_the_same_record(tracker):
    play(log=tracker)
    ids, lines = RECORDS[tracker](Path("output/run"))
    assert len(ids) == 1 and [step for step, _ in lines] == [1, 2]
    run = play(log=tracker, restore=True, epochs=4)
    again, lines = RECORDS[tracker](Path("output/run"))
    assert again == ids
    assert lines == [(number, pytest.approx(run.history[number - 1]["generator"])) for number in (1, 2, 3, 4)]
    assert equal(everything(run), everything(play(experiment="plain", epochs=4)))  # it draws no random number


def test_a_killed_run_gives_no_number_twice(tracker):
    """The process was further than its checkpoint: what is logged again stands under the same step, and is the same."""
    play(log=tracker, **EVERY_TURN)
    before = RECORDS[tracker](Path("output/run"))
    rewind(4)
    time.sleep(1.01 - time.time() % 1)  # Weights & Biases names its folders by the second
    play(log=tracker, restore=True)
    after = RECORDS[tracker](Path("output/run"))
    assert after[0] == before[0] and dict(after[1]) == dict(before[1])
    assert len(after[1]) == (2 if tracker == "mlflow" else 3)  # a server drops the others


def test_a_run_that_starts_over_begins_another_record(tracker):
    options = {"epochs": 1, "max_batches_per_epoch": 1}
    play(log=tracker, **options)
    before, _ = RECORDS[tracker](Path("output/run"))
    play(log=tracker, delete=True, **options)
    after, lines = RECORDS[tracker](Path("output/run"))
    assert len(after) == 1 and after != before and len(lines) == 1


@pytest.mark.parametrize("name", PACKAGES)
def test_a_package_that_is_missing_is_named(monkeypatch, name):
    monkeypatch.setitem(sys.modules, PACKAGES[name], None)
    with pytest.raises(
        OptionError, match=rf'`--log {name}` needs .* `pip install "ganzo\[{name}\]"`\.$'
    ) as error:
        play(log=name)
    assert "\n" not in str(error.value)
    assert not Path("output").exists()


def test_building_a_tracker_writes_nothing(tracker, tmp_path):
    Registry.lookup("statistics", tracker)(folder=tmp_path).close()
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_number_is_left_out():
    assert measured({"epoch": 1, "generator": float("nan"), "x": float("inf"), "y": 2.0}) == {"y": 2.0}


@pytest.mark.parametrize("uri", ["runs", "file:///tmp/runs"])
def test_mlflow_keeps_nothing_in_plain_folders(uri):
    pytest.importorskip("mlflow", reason='`pip install "ganzo[mlflow]"` installs what this test needs')
    with pytest.raises(OptionError, match=r"^`--mlflow-uri` must be a server or a database .*; got `"):
        play(log="mlflow", mlflow_uri=uri)


@pytest.mark.slow
def test_mlflow_that_cannot_be_opened_is_one_sentence():
    pytest.importorskip("mlflow", reason='`pip install "ganzo[mlflow]"` installs what this test needs')
    with pytest.raises(
        OptionError, match=r"^`--mlflow-uri sqlite:////dev/null/x.db` cannot be used \("
    ) as error:
        play(log="mlflow", mlflow_uri="sqlite:////dev/null/x.db")
    assert "\n" not in str(error.value)


def test_a_key_is_looked_for_where_it_may_be(monkeypatch, tmp_path):
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    assert not has_key()
    (tmp_path / "netrc").write_text("machine api.wandb.ai login user password secret\n")
    assert has_key()
    (tmp_path / "netrc").unlink()
    monkeypatch.setenv("WANDB_API_KEY", "x")
    assert has_key()
