"""What launchers announce."""

import pytest

from ganzo.errors import OptionError
from ganzo.launch import Ranks, announced, first_host, has_own_device, meeting_place, started

TORCHRUN = {"RANK": "5", "WORLD_SIZE": "8", "LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "4"}
SRUN = {"SLURM_PROCID": "5", "SLURM_STEP_NUM_TASKS": "8", "SLURM_LOCALID": "1"}


@pytest.mark.parametrize(
    ("variables", "expected", "by_a_launcher"),
    [
        ({}, Ranks(), False),
        (TORCHRUN, Ranks(5, 8, 1, 4), True),
        ({"RANK": "1", "WORLD_SIZE": "2"}, Ranks(1, 2, 0, 1), True),
        ({"RANK": "0", "WORLD_SIZE": "1"}, Ranks(), True),
        (SRUN, Ranks(5, 8, 1, 8), True),
        (SRUN | {"SLURM_STEP_TASKS_PER_NODE": "4(x2)"}, Ranks(5, 8, 1, 4), True),
        (SRUN | {"SLURM_STEP_TASKS_PER_NODE": "5,2,1", "SLURM_NODEID": "1"}, Ranks(5, 8, 1, 2), True),
        (SRUN | TORCHRUN | {"RANK": "0"}, Ranks(0, 8, 1, 4), True),  # torchrun on each machine of a job
        ({"SLURM_PROCID": "0", "SLURM_JOB_ID": "7"}, Ranks(), False),  # a batch script has no step
        ({"SLURM_PROCID": "0", "SLURM_STEP_NUM_TASKS": "1"}, Ranks(), False),
    ],
)
def test_ranks_are_those_that_are_announced(variables, expected, by_a_launcher):
    assert announced(variables) == expected
    assert started(variables) == by_a_launcher


@pytest.mark.parametrize("name", ["RANK", "LOCAL_WORLD_SIZE"])
def test_a_number_that_is_none_is_refused(name):
    with pytest.raises(OptionError) as error:
        announced(TORCHRUN | {name: "-1"})
    assert str(error.value) == (
        f"The variable {name}, which a launcher sets, must be a whole number; got `-1`."
    )


def test_rank_0_leads():
    assert Ranks().leads and Ranks(0, 2).leads and not Ranks(1, 2).leads
    assert str(Ranks(1, 2)) == "rank 1 of 2"


def test_ranks_meet_where_they_are_told_or_on_the_first_machine_of_a_job():
    place = {"MASTER_ADDR": "there", "MASTER_PORT": "5"}
    assert meeting_place(place) == place
    job = {"SLURM_JOB_ID": "123456", "SLURM_STEP_NODELIST": "node[07-09,12],other"}
    assert meeting_place(job) == {"MASTER_ADDR": "node07", "MASTER_PORT": "23456"}
    ports = {meeting_place(job | {"SLURM_STEP_ID": str(step)})["MASTER_PORT"] for step in range(3)}
    assert len(ports) == 3  # steps of one job do not meet each other
    assert meeting_place(job | {"MASTER_PORT": "5"})["MASTER_PORT"] == "5"
    assert meeting_place({}) == {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "20000"}


@pytest.mark.parametrize(
    ("hosts", "first"),
    [("a", "a"), ("a,b", "a"), ("gpu-[3,5]", "gpu-3"), ("n[01-20]", "n01"), ("", "127.0.0.1")],
)
def test_the_first_machine_of_a_list(hosts, first):
    assert first_host(hosts) == first


def test_slurm_may_show_each_task_a_device_of_its_own():
    assert has_own_device({"SLURM_GPUS_PER_TASK": "1"}) and has_own_device({"SLURM_GPU_BIND": "single:1"})
    assert not has_own_device({"SLURM_GPU_BIND": "closest"}) and not has_own_device({})
    assert not has_own_device({"SLURM_GPUS_PER_TASK": "4", "RANK": "3"})  # torchrun within a task
