"""`--parallel`: a process for each CUDA device, which are said to be two here."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from ganzo import parallel
from ganzo.errors import OptionError
from ganzo.launch import ANSWER
from ganzo.options import make_options
from ganzo.registry import build

TWO = """
import sys
import torch
torch.cuda.device_count = lambda: 2
from ganzo.cli import main
sys.exit(main(sys.argv[1:]))
"""
LINE = (
    "--parallel --device cpu --dataset digits --image-size 8 --image-colors 1 --batch-size 8 --state-size 4"
    " --generator-layers 2 --discriminator-layers 2 --no-tune --max-batches-per-epoch 4 --experiment run"
).split()


def started(*words):
    """Ganzo on a machine that seems to have two CUDA devices."""
    return subprocess.Popen(
        [sys.executable, "-c", TWO, *LINE, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


@pytest.mark.slow
def test_a_process_for_each_device_trains_and_a_signal_ends_all():
    process = started("--epochs", "100000", "--clip-to", "1", "--sample-every", "100000")
    try:
        end = time.monotonic() + 100
        while not Path("output/run/results.json").exists():
            assert process.poll() is None and time.monotonic() < end, process.communicate()
            time.sleep(0.1)
        time.sleep(0.5)
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130, (out, err)
    assert out.splitlines()[-1].startswith("SIGTERM: the run is saved at epoch ")
    (line,) = err.splitlines()  # once, by the parent; and nothing of torch's
    assert line.startswith("ganzo: warning: `--") and "clip-to` (command line) has no effect" in line
    assert json.loads(Path("models/run/environment.json").read_text())["processes"] == 2
    assert json.loads(Path("models/run/options.json").read_text())["parallel"] is True


def test_a_dry_run_starts_nothing(ganzo, monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(parallel, "launch", None)
    said = ganzo(*LINE, "--dry-run")
    assert said.status == 0 and "warning" not in said.err and "parallel" in said.out
    assert "memory is that of one of 2 processes" in said.out
    assert "for batches of 4;" in said.out  # its share of 8


def test_what_is_refused_is_refused_before_anything_is_started(refused, monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(parallel, "launch", None)
    assert refused(*LINE, "--restore") == (
        "There is nothing to restore in `models/run`; leave out `--restore` to start a new run."
    )
    Path("models/run").mkdir(parents=True)
    for name in ("options.json", "lock"):
        Path("models/run", name).write_text("{}")
    assert refused(*LINE).startswith("The experiment `run` exists already in `models/run`: go on with it by")


@pytest.mark.parametrize("answer", ["n", "d"])
def test_what_was_answered_is_told_to_the_processes(ganzo, trained, tiny, monkeypatch, answer):
    told = []
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda question: answer)
    monkeypatch.setattr(parallel, "launch", lambda *given: told.append(given) or 7)
    words = f"{tiny} --parallel --device cpu --experiment t"
    assert ganzo(words).status == 7
    assert told == [(words.split(), 2, answer)]


@pytest.mark.parametrize(("answer", "epochs"), [("n", 2), ("d", 1), ("", None)])
def test_the_processes_take_the_answer_and_say_no_warning_again(
    ganzo, trained, tiny, monkeypatch, answer, epochs
):
    monkeypatch.setenv(ANSWER, answer)
    monkeypatch.setattr("builtins.input", None)
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    more = "--epochs 2 --seed 5" if answer == "n" else "--epochs 1"
    said = ganzo(f"{tiny} --experiment t --clip-to 1 {more}")
    assert said.status == (2 if epochs is None else 0)
    assert "warning" not in said.err
    if epochs:
        assert len(Path("output/t/results.json").read_text().splitlines()) == epochs


@pytest.mark.parametrize(("ends", "status"), [({0: 2, 1: -15}, 2), ({1: -9}, 137), ({}, 0)])
def test_the_status_is_that_of_the_first_process_that_ended_with_one(monkeypatch, ends, status):
    from torch.distributed.elastic.multiprocessing import errors
    from torch.distributed.launcher import api

    def start(*words):
        assert words[:3] == ("-m", "ganzo", "train")
        if ends:
            failed = {rank: errors.ProcessFailure(rank, 1, code, "<N/A>") for rank, code in ends.items()}
            for rank, failure in failed.items():
                failure.timestamp = rank
            raise errors.ChildFailedError("ganzo", failed)

    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(api, "elastic_launch", lambda config, entry: start)
    assert parallel.launch(["--epochs", "1"], 2) == status
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_program_is_not_started_again(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    options = make_options(parallel=True, device="cpu")
    with pytest.raises(OptionError) as error:
        build("common", "machine", options)
    assert str(error.value) == (
        "`parallel` starts a process for each of the 2 CUDA devices from the command line alone; leave it out of a"
        " program, start that by `torchrun`, and let it call `ganzo.nn.ranks.join()` first."
    )
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "1")
    build("common", "machine", options)  # a launcher has started it: it is as parallel as it can be
