"""The folders of a run: one process at a time, deleting, and the facts beside the weights."""

import contextlib
import errno
import functools
import json
import os
import platform
import shutil
import subprocess
import sys
from argparse import Namespace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ganzo import __version__
from ganzo.checkpoint import listed, whole
from ganzo.errors import RunError
from ganzo.nn.ranks import ranks
from ganzo.options import saveable
from ganzo.whereabouts import find_run as find_run  # they are looked for here
from ganzo.whereabouts import output_of as output_of

DISK_ERRORS = (errno.ENOSPC, errno.EROFS, errno.EDQUOT)
DECIDED = ("image_size", "image_colors", "classes", "state_size", "batch_size")  # by the data and the noise
MARKS = {  # files that show whose a folder is, and a key that each holds
    "folders.json": "model_folder",
    "options.json": "experiment",
    "results.json": "epoch",
}
PASSING = ("lock", ".writable", ".folders.json.tmp")  # what a run leaves that ends before it begins
RECORDS = (  # what a new run starts anew
    *("results.json", "statistics.log", "curves.png", "report.html", "real.png", "best"),
    *("tensorboard", "wandb", "mlflow*.db", "comet"),
)


def take_lock(path: Path, experiment: str) -> Any:
    """Hold a file for this process alone; the system lets it go when the process ends, however it ends."""
    file = path.open("a+", encoding="utf-8")
    try:
        import fcntl
    except ImportError:  # no such locks on this system
        return file
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        with file:
            file.seek(0)
            holder = file.read().strip() or "?"
        raise RunError(
            f"The experiment `{experiment}` is being trained by process {holder};"
            " wait for it, or choose another name with `--experiment`."
        ) from error
    try:
        os.ftruncate(file.fileno(), 0)
        os.write(file.fileno(), str(os.getpid()).encode())  # past the buffer: a full disk is heard of here
    except OSError:
        file.close()
        raise
    return file


def exists(folder: Path) -> bool:
    """Whether a run lies in a folder."""
    return (folder / "options.json").is_file() or bool(listed(folder / "checkpoints"))


def check_which(folder: Path, experiment: str, restoring: bool, deleting: bool) -> None:
    """See that there is a run to go on with, or none that would be lost.

    Raises:
        RunError: where there is not
    """
    there = exists(folder)
    if restoring and not there:
        raise RunError(
            f"There is nothing to restore in `{folder}`; leave out `--restore` to start a new run."
        )
    if there and not (restoring or deleting):
        with contextlib.suppress(OSError):
            take_lock(folder / "lock", experiment).close()  # says so where it is being trained
        raise RunError(
            f"The experiment `{experiment}` exists already in `{folder}`: go on with it by `--restore`,"
            " start over by `--delete`, or choose another `--experiment`."
        )


def claim(folder: Path, output: Path, experiment: str) -> contextlib.ExitStack:
    """Take a run's folders for this process, and see that both can be written; closing what it returns frees them."""
    place = folder
    with contextlib.ExitStack() as locks:
        try:
            for place in (folder, output):
                place.mkdir(parents=True, exist_ok=True)
                if place is folder or not place.samefile(folder):
                    locks.enter_context(take_lock(place / "lock", experiment))
                    locks.callback(remove_empty, place)  # of a run whose parts could not be built
                probe = place / ".writable"
                try:
                    probe.write_bytes(b"0" * 4096)
                finally:
                    probe.unlink(missing_ok=True)
        except OSError as error:
            raise RunError(
                f"The run's folder `{place}` cannot be written ({error.strerror}); make room, or choose others with"
                " `--model-dir` and `--output-dir`."
            ) from error
        return locks.pop_all()
    raise AssertionError("an exit stack of locks swallows no error")


def remove_empty(folder: Path) -> None:
    """Remove a folder in which nothing was written, and the one above it where that is empty then."""
    with contextlib.suppress(OSError):  # another process is quicker, or something else lies there
        if [path.name for path in folder.iterdir()] in ([], ["lock"]):
            (folder / "lock").unlink(missing_ok=True)
            folder.rmdir()
            folder.parent.rmdir()


def is_of_a_run(folder: Path) -> bool:
    """Whether a folder is a run's: it holds a file that runs write, or checkpoints."""
    for name, key in MARKS.items():
        with contextlib.suppress(OSError, ValueError, RecursionError):
            text = (folder / name).read_text(encoding="utf-8")
            value = json.loads(text.partition("\n")[0] if name == "results.json" else text)
            if isinstance(value, dict) and key in value:
                return True
    return bool(listed(folder / "checkpoints"))


def refuse_foreign(*folders: Path) -> None:
    """See that folders are a run's, or empty: nothing is deleted or written beside what a user keeps there.

    Raises:
        RunError: where a folder holds files, and is not a run's; or lies in another run's
    """
    for folder in folders:
        if (folder.parent / "folders.json").is_file():  # it would be deleted with the run around it
            raise RunError(
                f"A run's folder must be its own; `{folder.parent}`, in which `{folder.name}` would lie, is another"
                " run's: choose another `--experiment`, or other folders."
            )
        try:
            names = sorted(path.name for path in folder.iterdir() if path.name not in PASSING)
        except OSError:  # it is not there, or no folder; whether it can be made is found out later
            continue
        if names and not is_of_a_run(folder):
            raise RunError(
                f"A run's folder must be its own; `{folder}` holds `{names[0]}`, which no run wrote: choose another"
                " `--experiment`, or other folders with `--model-dir` and `--output-dir`."
            )


def clear(*folders: Path, deleting: bool, restoring: bool) -> None:
    """Make a run's folders ready: emptied where the run starts over, as they are where it goes on."""
    for folder in folders:
        if deleting:
            delete_files(folder)
        elif not restoring:
            delete_records(folder)
        folder.mkdir(parents=True, exist_ok=True)


def delete_files(folder: Path) -> None:
    """Delete what lies in a run's own folder; a link is removed, never followed. The lock stays.

    What shows whose the folder is goes last, so that a process that is killed meanwhile leaves it a run's.
    """
    if is_of_a_run(folder):
        for path in sorted(folder.iterdir(), key=lambda path: path.name in MARKS):
            if path.name != "lock":
                delete(path)


def delete_records(folder: Path) -> None:
    """Delete what a run that is gone has left and a new one would write behind."""
    if is_of_a_run(folder):
        for path in [path for name in RECORDS for path in folder.glob(name)]:
            delete(path)


def best_checkpoint(folder: Path) -> str | None:
    """The name of the best epoch's checkpoint, as a run's `best` tells."""
    try:
        note = json.loads((folder / "best" / "score.json").read_text(encoding="utf-8"))
        return note["checkpoint"]
    except (OSError, ValueError, LookupError, TypeError):  # none yet, or an older version's
        return None


def delete(path: Path) -> None:
    """Delete a file, a folder, or a link, where there is one."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def append(path: Path, text: str) -> None:
    """Write a text behind what a file holds."""
    with path.open("a", encoding="utf-8") as file:
        file.write(text)


def write_json(path: Path, value: Any) -> None:
    """Write sorted JSON, whole or not at all."""
    with whole(path) as temporary:
        temporary.write_text(
            json.dumps(value, indent=4, sort_keys=True, default=str) + "\n", encoding="utf-8"
        )


def environment(options: Namespace) -> dict[str, Any]:
    """Versions and machine, for the record."""
    device = torch.device(options.device)
    name = (
        torch.cuda.get_device_name(device)
        if device.type == "cuda"
        else platform.processor() or platform.machine()
    )
    return {
        "ganzo": __version__,
        "commit": commit(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
        "system": platform.platform(),
        "device": f"{device} ({name})",
        "deterministic": device.type == "cpu",
        "processes": ranks().count,
        "command": sys.argv,
    }


@functools.cache
def commit() -> str | None:
    """The commit of the checkout that this package lies in; None where it is installed, or git cannot say."""
    question = ["git", "-C", str(Path(__file__).parent), "rev-parse", "HEAD", "--show-prefix"]
    try:
        said = subprocess.run(question, capture_output=True, text=True, timeout=5, check=True)
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    found, *prefix = said.stdout.split()
    return found if prefix == ["src/ganzo/"] else None  # else it is installed inside of another project


def write_facts(folder: Path, output: Path, options: Namespace, parts: Any) -> None:
    """Write what a run is: its options, its environment, what its data decided, and where its other folder lies."""
    for here in (folder, output):
        paths = {"model_folder": folder, "output_folder": output}
        write_json(here / "folders.json", {name: os.path.relpath(path, here) for name, path in paths.items()})
    write_json(folder / "options.json", saveable(options))
    facts = {fact: getattr(options, fact) for fact in DECIDED}
    facts |= {"class_names": list(getattr(parts.data, "class_names", ()))}
    facts |= {"data": parts.data.fingerprint() if hasattr(parts.data, "fingerprint") else None}
    write_json(folder / "environment.json", environment(options) | {"facts": facts})
