"""What of a machine belongs to one of several processes of a run."""

import math

import pytest
import torch

from ganzo import machine
from ganzo.assemble import assemble
from ganzo.errors import OptionError
from ganzo.machine import own_cores, own_device
from ganzo.nn import ranks
from ganzo.nn.ranks import Ranks
from ganzo.registry import build
from ganzo.together import joined
from ranked import Started
from small import small


@pytest.fixture
def among(monkeypatch):
    """Be one of several processes, on a machine with so many CUDA devices; the device that is set for all else."""
    chosen = []

    def place(here, devices=0):
        monkeypatch.setattr(ranks, "_ranks", here)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: devices)
        monkeypatch.setattr(torch.cuda, "set_device", chosen.append)
        return chosen

    return place


def test_each_process_of_a_machine_takes_the_device_of_its_number(among):
    chosen = among(Ranks(6, 8, 2, 4), devices=4)
    for given in ("cuda", "cuda:0"):  # a stored run names the one of rank 0
        assert own_device(torch.device(given)) == torch.device("cuda:2")
    assert chosen == [torch.device("cuda:2")] * 2
    assert own_device(torch.device("cpu")) == torch.device("cpu")


def test_a_process_that_is_alone_on_a_machine_takes_what_is_given(among):
    chosen = among(Ranks(1, 2), devices=4)
    assert own_device(torch.device("cuda:3")) == torch.device("cuda:3")
    assert own_device(torch.device("cuda")) == torch.device("cuda")
    assert chosen == [torch.device("cuda:3"), 0]
    assert among(Ranks(), devices=4) is chosen and own_device(torch.device("cuda")) == torch.device("cuda")
    assert len(chosen) == 2  # a single process leaves it to torch


def test_where_slurm_shows_each_process_its_own_device_that_is_taken(among, monkeypatch):
    monkeypatch.setenv("SLURM_GPUS_PER_TASK", "1")
    among(Ranks(3, 4, 3, 4), devices=1)
    assert own_device(torch.device("cuda")) == torch.device("cuda")


def test_where_slurm_shows_a_process_those_of_all_it_takes_the_one_of_its_number(among, monkeypatch):
    monkeypatch.setenv("SLURM_GPUS_PER_TASK", "4")
    among(Ranks(3, 4, 3, 4), devices=4)
    assert own_device(torch.device("cuda")) == torch.device("cuda:3")


@pytest.mark.parametrize(("devices", "said"), [(1, "there is 1"), (3, "there are 3"), (0, "there are 0")])
def test_fewer_devices_than_processes_are_refused(among, devices, said):
    among(Ranks(6, 8, 2, 4), devices)
    with pytest.raises(OptionError) as error:
        own_device(torch.device("cuda"))
    assert str(error.value) == (
        f"The 4 processes of a run on one machine must have as many CUDA devices; {said}. Start no more than that, or"
        " give `--device cpu`."
    )


@pytest.mark.parametrize(("local", "cores"), [(1, 6), (2, 3), (4, 1), (8, 1)])
def test_the_cores_of_a_machine_are_shared(among, monkeypatch, local, cores):
    monkeypatch.setattr(machine.os, "sched_getaffinity", lambda pid: set(range(6)), raising=False)
    among(Ranks(0, 8, 0, local))
    elsewhere = ("another machine", list(range(6)))
    monkeypatch.setattr(machine, "everyone", lambda here: [here] * local + [elsewhere] * (8 - local))
    assert own_cores() == cores
    with ranks.muted():  # a dry run, of rank 0 alone
        assert own_cores() == cores


def test_cores_that_a_launcher_bound_a_process_to_are_its_own(among, monkeypatch):
    monkeypatch.setattr(machine.os, "sched_getaffinity", lambda pid: {4, 5, 6}, raising=False)
    among(Ranks(1, 2, 1, 2))
    monkeypatch.setattr(machine, "everyone", lambda here: [(here[0], [0, 1, 2]), here])
    assert own_cores() == 3


def test_more_threads_than_any_machine_serves_are_refused(refused, tiny):
    said = refused(f"train {tiny} --threads 100000")
    assert said.startswith("`--threads` must be at most 1,024; got 100,000. More than this machine's ")


def test_more_threads_than_cores_are_a_warning(ganzo, tiny, monkeypatch):
    monkeypatch.setattr(machine.os, "cpu_count", lambda: 1)
    said = ganzo(f"train {tiny} --threads 2 --dry-run")
    assert "warning: `--threads 2` are more than this machine's 1 cores, and slower" in said.err


def tuned():
    """What a process settles on where another layout is quickest on each; and where nothing is to be chosen."""
    with joined() as here:
        times = {(False, 1): 1.0 + here.rank, (True, 1): 1.5 - 0.3 * here.rank}
        played, play = [], machine._seconds_per_turn

        def seconds(parts, device):
            played.append(play(parts, device))
            layout = parts.game.generator.network.layers[3].weight.is_contiguous(
                memory_format=torch.channels_last
            )
            return times[layout, 1]

        # another number of turns on each
        machine._seconds_per_turn, machine.WINDOW = (
            seconds,
            0.02 * (1 + here.rank),
        )
        options = small(
            tune=True,
            channels_last=None,
            threads=1,
            generator="conv",
            generator_channels=8,
            generator_layers=None,
        )
        chosen = build("common", "machine", options)
        line = chosen.choose(options, assemble)
        chosen.settle(options)
        free = build("common", "machine", small(threads=None))
        machine.own_cores = lambda: 5
        free.settle(options_of_free := small(threads=None))
        weights = torch.cat(
            [weight.flatten() for weight in assemble(options).game.generator.network.parameters()]
        )
        return chosen.channels_last, options.channels_last, line, all(map(math.isfinite, played)), (
            options_of_free.threads, weights.sum().item(),
        )  # fmt: skip


@pytest.mark.slow
def test_all_take_what_rank_0_finds_quickest():
    first, second = Started(tuned).left()
    assert first.status == second.status == 0, (first.err, second.err)
    assert first.result[:2] == second.result[:2] == (False, False)
    assert first.result[2].startswith("tuned: 1 thread, NCHW, ") and first.result[3] and second.result[3]
    assert first.result[4] == second.result[4] and first.result[4][0] == 5
