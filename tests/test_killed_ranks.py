"""A process of a run that is killed ends the others, with a clear message; a signal ends all after the same turn."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ranked import Started, command

LINE = (
    "train --experiment run --dataset digits --image-size 8 --image-colors 1 --batch-size 8 --state-size 4"
    " --generator-layers 2 --discriminator-layers 2 --no-tune --threads 1 --precision fp32 --no-channels-last"
    " --seed 1 --sample-every 1000000 --max-batches-per-epoch 20 --checkpoint-every 0.1"
)
LONG = f"{LINE} --epochs 100000"
GONE = "ganzo: error: {who}Another process of this run has ended or cannot be reached, so rank {rank} of 2 ends too;"
MINUTE = 60.0


def epochs():
    """How many epochs a run has recorded."""
    path = Path("output/run/results.json")
    return len(path.read_text().splitlines()) if path.exists() else 0


def newest():
    """The newest checkpoint."""
    found = [path.name for path in Path("models/run/checkpoints").glob("[0-9]*-*")]
    return max(found, key=lambda name: [int(number) for number in name.split("-")], default=None)


def goes_on(more="--epochs {}"):
    """Restore the run with two processes and let it train some epochs; all that was saved before must be there."""
    saved = newest()
    until = int(saved.partition("-")[0]) + 3
    two = Started(command, f"{LINE} --restore {more.format(until)}").left()
    assert [left.status for left in two] == [0, 0], two
    assert f"restored at epoch {saved.partition('-')[0]}, turn {saved.partition('-')[2]}\n" in two[0].out
    assert epochs() == until


@pytest.mark.slow
@pytest.mark.parametrize(
    ("killed", "more"),
    [
        (0, ""),
        (1, ""),
        (1, " --generator conv --discriminator conv --sync-batch-norm"),
    ],  # exchanges in backward too
)
def test_a_killed_process_ends_the_other_without_a_launcher(killed, more):
    two = Started(command, LONG + more, slurm=killed == 0)  # else both are started by hand
    two.wait_for(lambda: newest() and epochs() > 3)
    began = time.monotonic()
    two.kill(killed)
    left = two.left(MINUTE)
    assert time.monotonic() - began < MINUTE
    other = 1 - killed
    assert (left[killed].status, left[other].status) == (-signal.SIGKILL, 2), left
    who = "" if other == 0 else "rank 1 of 2: "
    assert GONE.format(who=who, rank=other) in left[other].err and "Traceback" not in left[other].err
    assert "what was saved is untouched: go on with `--restore`" in left[other].err
    goes_on()


def child(agent, rank):
    """The process of a rank that torchrun has started."""
    for pid in Path(f"/proc/{agent}/task/{agent}/children").read_text().split():
        if f"\0RANK={rank}\0" in Path(f"/proc/{pid}/environ").read_text():
            return int(pid)
    raise AssertionError(f"no rank {rank} below {agent}")


@pytest.mark.slow
def test_a_killed_process_ends_the_others_under_torchrun():
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    with Path("out").open("w") as out, Path("err").open("w") as err:
        agent = subprocess.Popen([*launcher, "-m", "ganzo", *LONG.split()], stdout=out, stderr=err)
        try:
            end = time.monotonic() + 2 * MINUTE
            while not newest():
                assert agent.poll() is None and time.monotonic() < end, Path("err").read_text()
                time.sleep(0.1)
            os.kill(child(agent.pid, 1), signal.SIGKILL)
            assert agent.wait(MINUTE) == 1
        finally:
            agent.kill()
            agent.wait()
    assert GONE.format(who="", rank=0) in Path("err").read_text()
    goes_on()


@pytest.mark.slow
@pytest.mark.parametrize("told", [0, 1])
def test_a_signal_to_any_process_ends_all_after_the_same_turn(told):
    two = Started(command, LONG.replace("0.1", "1000"), slurm=True)  # as srun starts them
    two.wait_for(lambda: epochs() > 3)
    two.kill(told, signal.SIGTERM)
    first, second = two.left(MINUTE)
    assert (first.status, second.status) == (130, 130), (first, second)
    epoch, _, turn = newest().partition("-")
    assert first.out.splitlines()[-1] == (
        f"SIGTERM: the run is saved at epoch {epoch}, turn {turn}; go on with `--restore`."
    )
    assert second.out == "" and "ganzo:" not in first.err + second.err
    goes_on()


@pytest.mark.slow
def test_time_that_is_up_ends_all_after_the_same_turn():
    two = Started(command, f"{LONG} --max-seconds 1").left()
    assert [left.status for left in two] == [0, 0], two
    seconds = json.loads(Path("models/run/options.json").read_text())["max_seconds"]
    assert seconds == 1.0 and epochs() < 100_000
    goes_on("--max-seconds 1000 --epochs {}")
