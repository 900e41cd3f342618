"""Processes of one run, as a launcher would start them. They are forked by a server that has loaded torch already."""

import importlib.util
import inspect
import multiprocessing
import os
import pickle
import signal
import socket
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(
    # what a run loads later takes seconds too
    [
        "ganzo.train",
        "ganzo.commands",
        "torch._dynamo",
        "matplotlib.pyplot",
    ]
)
PATIENCE = 100.0  # seconds, after which a process hangs


class Left(NamedTuple):
    """What a process left behind: its exit status (negative: the signal that ended it), its words, and its result."""

    status: int
    out: str
    err: str
    result: Any


class Started:
    """Processes that were started.

    Args:
        function: what each does; what it returns comes back
        words: its arguments
        count: how many processes
        slurm: whether SLURM starts them, else a launcher that speaks as torchrun does
        own: variables that single ranks see, by rank
        folders: a working folder of its own for a rank, by rank
    """

    def __init__(self, function, *words, count=2, slurm=False, own=None, folders=None):
        self.folder = Path(f"ranks-{os.urandom(4).hex()}").resolve()
        self.folder.mkdir()
        port, self.processes = free_port(), []
        for rank in range(count):
            told = (of_slurm if slurm else of_torchrun)(rank, count, port)
            told |= {key: value for key, value in os.environ.items() if key not in told}
            told |= {"OMP_NUM_THREADS": "1"} | (own or {}).get(rank, {})
            place = (folders or {}).get(rank, Path.cwd())
            args = (told, place, self.folder / str(rank), inspect.getfile(function), function.__name__, words)
            self.processes.append(CONTEXT.Process(target=run, args=args))
        for process in self.processes:
            process.start()

    def left(self, seconds=PATIENCE):
        """What each process left behind; one that is still there after so many seconds is killed, and an error."""
        end, late = time.monotonic() + seconds, []
        for rank, process in enumerate(self.processes):
            process.join(max(0.0, end - time.monotonic()))
            if process.exitcode is None:
                late.append(rank)
                process.kill()
                process.join()
        found = [self._of(rank) for rank in range(len(self.processes))]
        assert not late, f"ranks {late} hang: {found}"
        return found

    def _of(self, rank):
        words = [self.said(rank, name) for name in ("out", "err")]
        result = self.folder / f"{rank}.result"
        return Left(
            self.processes[rank].exitcode,
            *words,
            pickle.loads(result.read_bytes()) if result.exists() else None,
        )

    def said(self, rank, name="out"):
        """What a process has said so far."""
        path = self.folder / f"{rank}.{name}"
        return path.read_text() if path.exists() else ""

    def wait_for(self, there, seconds=PATIENCE):
        """Wait until something is there."""
        end = time.monotonic() + seconds
        while not there():
            if time.monotonic() > end or not all(process.is_alive() for process in self.processes):
                raise AssertionError(f"it never came: {self.left(5.0)}")
            time.sleep(0.02)

    def kill(self, rank, number=signal.SIGKILL):
        """Send a process a signal."""
        os.kill(self.processes[rank].pid, number)


def free_port():
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        return place.getsockname()[1]


def of_torchrun(rank, count, port):
    """What torchrun announces on one machine."""
    told = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": count, "LOCAL_WORLD_SIZE": count}
    told |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    return {key: str(value) for key, value in told.items()}


def of_slurm(rank, count, port):
    """What srun announces on one machine, in a job by whose number ranks meet at a port of its own."""
    told = {"SLURM_PROCID": rank, "SLURM_LOCALID": rank, "SLURM_STEP_NUM_TASKS": count}
    told |= {"SLURM_STEP_NODELIST": "localhost", "SLURM_STEP_TASKS_PER_NODE": count, "SLURM_NODEID": 0}
    told |= {"SLURM_JOB_ID": 10_000 + port % 10_000}
    return {key: str(value) for key, value in told.items()}


def run(variables, place, path, file, name, words):
    """What happens in a process: a function of a file is called, which may be a test's."""
    os.environ.clear()
    os.environ.update(variables)
    os.chdir(place)
    for number, ending in ((1, ".out"), (2, ".err")):
        os.dup2(os.open(path.with_suffix(ending), os.O_WRONLY | os.O_CREAT), number)
    sys.stdout, sys.stderr = open(1, "w"), open(2, "w")
    import torch

    torch.set_num_threads(1)
    spec = importlib.util.spec_from_file_location("called", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    result = getattr(module, name)(*words)
    path.with_suffix(".result").write_bytes(pickle.dumps(result))
    sys.stdout.flush()
    sys.stderr.flush()


def command(*words):
    """A command of Ganzo; the process leaves with its exit status."""
    from ganzo.cli import main

    words = words[0].split() if len(words) == 1 else words
    status = main(list(words))
    sys.stdout.flush()
    sys.stderr.flush()
    sys.exit(status)
