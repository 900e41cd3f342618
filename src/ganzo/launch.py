"""The processes that train one run together, as the launcher announces them: torchrun, or SLURM's srun.

Nothing here needs torch: which rank a process is decides who prints, before torch is loaded.
"""

import dataclasses
import os
import re
from collections.abc import Mapping

from ganzo.errors import OptionError

SLURM_PORTS = range(20_000, 30_000)  # one is taken for a job by its number
ANSWER = "GANZO_ANSWER"  # by which `--parallel` tells the processes that it starts what was answered, if anything was


@dataclasses.dataclass(frozen=True)
class Ranks:
    """Which of the processes of a run this one is.

    Args:
        rank: its number, from 0
        count: how many there are
        local_rank: its number among those of this machine
        local_count: how many are on this machine
        slices: whether what is drawn for a batch is drawn for that of all ranks, and a share of it taken
        talks: whether the ranks exchange anything
    """

    rank: int = 0
    count: int = 1
    local_rank: int = 0
    local_count: int = 1
    slices: bool = True
    talks: bool = True

    @property
    def leads(self) -> bool:
        """Whether this is the process that writes and prints."""
        return self.rank == 0

    def __str__(self) -> str:
        return f"rank {self.rank} of {self.count}"


def announced(variables: Mapping[str, str] = os.environ) -> Ranks:
    """The ranks that the environment tells of; one alone where it tells of none."""
    if "RANK" in variables and "WORLD_SIZE" in variables:  # torchrun, and its kin
        named = {"RANK": 0, "WORLD_SIZE": 1, "LOCAL_RANK": 0, "LOCAL_WORLD_SIZE": 1}
        rank, count, local, local_count = numbers(variables, named)
        return Ranks(rank, count, local, local_count)
    # srun; a batch script has no step
    if "SLURM_STEP_NUM_TASKS" in variables and "SLURM_PROCID" in variables:
        named = {"SLURM_PROCID": 0, "SLURM_STEP_NUM_TASKS": 1, "SLURM_LOCALID": 0}
        rank, count, local = numbers(variables, named)
        return Ranks(rank, count, local, tasks_here(variables, count))
    return Ranks()


def started(variables: Mapping[str, str] = os.environ) -> bool:
    """Whether a launcher started this process, be it as the only one."""
    return {"RANK", "WORLD_SIZE"} <= variables.keys() or announced(variables).count > 1


def tasks_here(variables: Mapping[str, str], count: int) -> int:
    """How many tasks of SLURM's step run on this machine: of `4(x2),3` the first two have four, the third three."""
    tasks = [
        int(number)
        for number, times in re.findall(
            r"(\d+)(?:\(x(\d+)\))?", variables.get("SLURM_STEP_TASKS_PER_NODE", "")
        )
        for _ in range(int(times or 1))
    ]
    node = variables.get("SLURM_NODEID", "0")
    return tasks[int(node)] if node.isdigit() and int(node) < len(tasks) else count


def has_own_device(variables: Mapping[str, str] = os.environ) -> bool:
    """Whether SLURM's srun shows each task of a machine a device of its own, so that each sees it as the first one."""
    if "RANK" in variables:  # torchrun, perhaps within a task: its processes see the same devices
        return False
    return "SLURM_GPUS_PER_TASK" in variables or "single:1" in variables.get("SLURM_GPU_BIND", "")


def numbers(variables: Mapping[str, str], named: Mapping[str, int]) -> list[int]:
    """Whole numbers from variables, each with what it is where it is not set; raises OptionError for what is none."""
    found = []
    for name, default in named.items():
        text = variables.get(name, str(default))
        if not (text.isascii() and text.isdigit()):
            raise OptionError(
                f"The variable {name}, which a launcher sets, must be a whole number; got `{text}`."
            )
        found.append(int(text))
    return found


def meeting_place(variables: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Where the ranks meet, MASTER_ADDR and MASTER_PORT: as it was announced, or by what SLURM tells."""
    job, step = (variables.get(name, "0") for name in ("SLURM_JOB_ID", "SLURM_STEP_ID"))
    place = int(job) + 97 * int(step) if (step + job).isdigit() else 0  # two steps of a job do not meet
    port = SLURM_PORTS[place % len(SLURM_PORTS)]
    host = first_host(variables.get("SLURM_STEP_NODELIST", "127.0.0.1"))
    return {
        "MASTER_ADDR": variables.get("MASTER_ADDR", host),
        "MASTER_PORT": variables.get("MASTER_PORT", str(port)),
    }


def first_host(hosts: str) -> str:
    """The first machine of a list as SLURM writes it: `node[07-09,12],other` gives `node07`."""
    found = re.match(r"([^,\[]+)(?:\[([^\],-]+)[^\]]*\])?", hosts)
    return f"{found[1]}{found[2] or ''}" if found else "127.0.0.1"
