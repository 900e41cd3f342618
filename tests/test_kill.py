import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from small import equal, everything, numbers, play
from test_checkpoint import words

ROOT = Path(__file__).parents[1]


@pytest.mark.slow
def test_five_kills_cost_nothing(monkeypatch, tmp_path, capsys):
    monkeypatch.syspath_prepend(ROOT)
    from benchmarks import kill

    assert kill.main(["--kills", "5", "--seed", "1", "--record", "record.json"]) == 0
    record = json.loads((tmp_path / "record.json").read_text())
    assert record["equal"] and len(record["kills"]) == 5
    assert {"command", "run", "date", "seconds", "machine", "undisturbed"} <= record.keys()
    assert set(record["undisturbed"]["sha256"]) == {
        "generator.safetensors", "discriminator.safetensors", "checkpoints/10-112/generator.safetensors",
        "checkpoints/10-112/generator-average.safetensors", "checkpoints/10-112/discriminator.safetensors",
    }  # fmt: skip


@pytest.mark.slow
def test_other_weights_are_noticed(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(ROOT)
    from benchmarks import kill

    monkeypatch.setattr(kill, "RUN", [*kill.RUN, "--epochs", "1"])
    spent = iter(("1", "2", "2"))
    start = kill.start

    def other_seed(folder):
        monkeypatch.setattr(kill, "RUN", [*kill.RUN, "--seed", next(spent)])
        return start(folder)

    monkeypatch.setattr(kill, "start", other_seed)
    assert kill.main(["--kills", "0"]) == 1


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_a_process_finish_its_step_and_save(number):
    options = {"epochs": 60, "max_batches_per_epoch": 40, "generator_hook": ["ema"]}
    line = words(".", epochs=60, max_batches_per_epoch=40, generator_hook="ema", log="console")
    process = subprocess.Popen(
        [sys.executable, "-m", "ganzo", *line], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    while not process.stdout.readline().startswith("epoch 3 "):
        assert process.poll() is None, process.communicate()
    time.sleep(0.01)
    process.send_signal(number)
    said, complaints = process.communicate()
    assert process.returncode == 130 and complaints == ""
    last = said.splitlines()[-1]
    assert last.startswith(f"{number.name}: the run is saved at epoch ") and last.endswith(
        "go on with `--restore`."
    )
    stopped = sorted(Path("models/run/checkpoints").iterdir())[-1].name
    assert "-".join(word.strip(",;") for word in last.split() if word.strip(",;").isdigit()) == stopped
    whole = play(experiment="whole", **options)
    restored = play(restore=True, **options)
    assert equal(everything(restored), everything(whole))
    assert numbers(restored) == numbers(whole)
