"""`make bench` runs them all."""

from types import SimpleNamespace

import pytest

from benchmarks import __main__ as everything


@pytest.fixture
def ran(monkeypatch):
    found = []

    def run(words):
        found.append(words[2:])
        return SimpleNamespace(returncode=int("benchmarks.levers" in words))

    monkeypatch.setattr(everything.subprocess, "run", run)
    monkeypatch.setattr(everything.torch.cuda, "is_available", lambda: False)
    return found


def test_each_has_a_record_and_one_that_fails_does_not_end_the_others(ran, own_folder):
    assert everything.main(["--records", str(own_folder / "r"), "--resume"]) == 1
    assert [words[0] for words in ran] == [f"benchmarks.{name}" for name in everything.NAMES]
    assert ran[0][1:] == ["--resume", "--record", "r/step.json"]


def test_a_try_leaves_the_records_alone(ran):
    everything.main(["--quick", "--only", "step,growth"])
    assert ran == [["benchmarks.step", "--quick"], ["benchmarks.growth", "--quick"]]


def test_records_of_a_gpu_lie_beside_those_without(ran, own_folder):
    everything.main(["--only", "step", "--records", str(own_folder), "--device", "cuda:0"])
    assert ran == [["benchmarks.step", "--device", "cuda:0", "--record", "step-cuda.json"]]


def test_what_is_measured_on_the_cpu_alone_is_told_no_device(ran, own_folder):
    everything.main(["--only", "memory", "--records", str(own_folder), "--device", "cuda"])
    assert ran == [["benchmarks.memory", "--record", "memory.json"]]


def test_an_unknown_name_is_an_error(capsys):
    with pytest.raises(SystemExit):
        everything.main(["--only", "stpe"])
    assert "stpe" in capsys.readouterr().err
