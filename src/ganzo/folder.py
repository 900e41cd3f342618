"""The folders of a run: one process at a time, deleting, and the facts beside the weights."""

import contextlib
import errno
import json
import os
import platform
import shutil
import sys
from argparse import Namespace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ganzo import __version__
from ganzo.checkpoint import whole
from ganzo.errors import RunError

DISK_ERRORS = (errno.ENOSPC, errno.EROFS, errno.EDQUOT)


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


def claim(folder: Path, output: Path, experiment: str) -> Any:
    """Take a run's folders for this process, and see that both can be written; returns the lock."""
    place, lock = folder, None
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = take_lock(folder / "lock", experiment)
        for place in (folder, output):
            place.mkdir(parents=True, exist_ok=True)
            probe = place / ".writable"
            try:
                probe.write_bytes(b"0" * 4096)
            finally:
                probe.unlink(missing_ok=True)
    except OSError as error:
        if lock is not None:
            remove_empty(folder)
            lock.close()
        raise RunError(
            f"The run's folder `{place}` cannot be written ({error.strerror}); make room, or choose others with"
            " `--model-dir` and `--output-dir`."
        ) from error
    return lock


def remove_empty(*folders: Path) -> None:
    """Remove the folders of a run that never began: its parts could not be built."""
    for folder in folders:
        with contextlib.suppress(OSError):  # another process is quicker, or something else lies there
            if [path.name for path in folder.iterdir()] in ([], ["lock"]):
                (folder / "lock").unlink(missing_ok=True)
                folder.rmdir()
                folder.parent.rmdir()


def delete_files(folder: Path) -> None:
    """Delete what a run wrote into its own folder; a link is removed, never followed. The lock stays."""
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.name == "lock":
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


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
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
        "system": platform.platform(),
        "device": f"{device} ({name})",
        "deterministic": device.type == "cpu",
        "command": sys.argv,
    }


def find_run(name: str, model_dir: Path) -> Path:
    """The model folder of a run, given by its name or by the path of either of its folders."""
    places = [model_dir / name] if Path(name).name == name and name not in (".", "..") else []
    if not (places and (places[0] / "options.json").is_file()):
        places.append(Path(name))
    for place in places:
        if (place / "options.json").is_file():
            return place.resolve() if place.name in ("", ".", "..") else place
        try:
            other = json.loads((place / "folders.json").read_text(encoding="utf-8"))["model_folder"]
            if (place / other / "options.json").is_file():
                return Path(os.path.relpath(place / other))
        except (OSError, ValueError, KeyError, TypeError):
            continue
    raise RunError(f"There is no run in `{places[0]}`; name one with `--experiment` (and `--model-dir`).")
