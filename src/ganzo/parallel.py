"""`--parallel`: the same command in a process for each CUDA device of this machine, by the engine behind torchrun."""

import logging
import os
import signal
import sys
import uuid
from pathlib import Path

import torch

import ganzo
from ganzo.launch import ANSWER

ENGINE = "torch.distributed.elastic"  # the names of its loggers begin so
CAUGHT = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)  # by torch's engine, for good


def devices() -> int:
    """How many CUDA devices this process sees."""
    return torch.cuda.device_count()


def launch(words: list[str], count: int, answer: str = "") -> int:
    """Train in so many processes; returns the exit status of the first that ended with one, else 0.

    Args:
        words: of the command line behind `train`
        count: how many processes
        answer: to what was asked at the keyboard, so that it is not asked again
    """
    from torch.distributed.elastic.multiprocessing import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.launcher.api import LaunchConfig, elastic_launch

    for name in [name for name in logging.root.manager.loggerDict if name.startswith(ENGINE)]:
        logging.getLogger(name).setLevel(logging.CRITICAL)  # the processes say it themselves
    config = LaunchConfig(
        1, 1, count,
        run_id=uuid.uuid4().hex, rdzv_backend="c10d", rdzv_endpoint="localhost:0", max_restarts=0,
        monitor_interval=0.1,
    )  # fmt: skip
    handlers = {number: signal.getsignal(number) for number in CAUGHT}
    here, path = str(Path(ganzo.__file__).parents[1]), os.environ.get("PYTHONPATH", "")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (here, path)))  # also where it is not installed
    os.environ[ANSWER] = answer
    try:
        elastic_launch(config, sys.executable)("-m", "ganzo", "train", *words)
    except ChildFailedError as error:
        _, failure = error.get_first_failure()
        return failure.exitcode if failure.exitcode >= 0 else 128 - failure.exitcode
    except SignalException:
        return 130
    finally:
        del os.environ[ANSWER]
        for number, handler in handlers.items():
            signal.signal(number, handler)
    return 0
