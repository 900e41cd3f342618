"""A checkpoint: a folder that is written whole, or not at all, and that knows when it was damaged.

`<epoch>-<step>/` holds each network as safetensors, `state.pt` with everything else, and `manifest.json` with the
checksums. Nothing in it can run code: weights are safetensors, and `state.pt` is loaded with `weights_only=True`.
"""

import contextlib
import hashlib
import io
import json
import os
import pickle
import re
import shutil
import sys
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from ganzo.errors import GanzoError, RunError
from ganzo.nn.ranks import ranks

FORMAT = 2  # 1: discriminators whose last layer was no `Head`


def fsync(path: Path) -> None:
    """Make the system write a file or folder to the disk now."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextlib.contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Write a file or folder under a temporary name, flush it, and rename it: it appears whole or not at all.

    Raises:
        RunError: where the disk is full or cannot be written; what stood there before is still there
    """
    temporary = path.parent / f".{path.name}.tmp"
    _remove(temporary)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        for part in (*temporary.rglob("*"), temporary) if temporary.is_dir() else (temporary,):
            fsync(part)
        if path.is_dir():
            shutil.rmtree(path)
        os.replace(temporary, path)
        fsync(path.parent)
    except (OSError, SafetensorError, RuntimeError) as error:
        with contextlib.suppress(OSError):
            _remove(temporary)
        if isinstance(error, RuntimeError) and "writ" not in str(error) and "space" not in str(error):
            raise
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise RunError(
            f"`{path}` cannot be written ({reason}); what was saved before is untouched."
            " Make room or choose another folder, and go on with `--restore`."
        ) from error


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def weights_of(network: nn.Module) -> dict[str, Tensor]:
    """The state of a network as safetensors wants it: contiguous tensors on the CPU, none sharing memory."""
    return {key: value.detach().cpu().contiguous().clone() for key, value in network.state_dict().items()}


def save_weights(network: nn.Module, path: Path) -> None:
    """Write the weights of a network to a safetensors file, whole or not at all."""
    with whole(path) as temporary:
        save_file(weights_of(network), temporary)


def save_players(players: Mapping[str, Any], folder: Path) -> None:
    """Write the weights of each player for users into a folder: those of its average where there is one."""
    for name, player in players.items():
        save_weights(player.average or player.network, folder / f"{name}.safetensors")


def load_weights(network: nn.Module, path: Path) -> None:
    """Load the weights of a network from a safetensors file.

    Raises:
        RunError: where the file is no safetensors file, or was written by another network
    """
    try:
        network.load_state_dict(load_file(path))
    except (OSError, SafetensorError) as error:
        raise RunError(f"`{path}` is not a readable safetensors file ({error}).") from error
    except RuntimeError as error:
        signs = r"size mismatch for ([^:]+)|Missing key[^\"]*\"([^\"]+)|Unexpected[^\"]*\"([^\"]+)"
        first = re.search(signs, str(error))
        what = next(filter(None, first.groups()), "") if first else ""
        raise RunError(
            f"The weights in `{path}` do not fit this network{f', the first at `{what}`' if what else ''}; give the run"
            " the options that it was trained with."
        ) from error


def checksum(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write(folder: Path, networks: dict[str, nn.Module], state: dict[str, Any]) -> None:
    """Write a checkpoint into a folder that does not exist yet."""
    with whole(folder) as temporary:
        temporary.mkdir()
        for name, network in networks.items():
            save_file(weights_of(network), temporary / f"{name}.safetensors")
        packed = io.BytesIO()  # torch's own writer hides what the system says about a full disk
        torch.save(state, packed)
        (temporary / "state.pt").write_bytes(packed.getbuffer())
        sums = {path.name: checksum(path) for path in sorted(temporary.iterdir())}
        (temporary / "manifest.json").write_text(
            json.dumps({"format": FORMAT, "sha256": sums}, indent=2), encoding="utf-8"
        )


def damage(folder: Path) -> str | None:
    """What is wrong with a checkpoint, or None where it is whole."""
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        for name, expected in manifest["sha256"].items():
            if checksum(folder / name) != expected:
                return f"`{name}` does not match its checksum"
    except FileNotFoundError as error:
        return f"`{Path(error.filename).name}` is missing"
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        return f"its manifest cannot be read ({error})"
    return None


def read(folder: Path, networks: dict[str, nn.Module]) -> dict[str, Any]:
    """Load the networks of a checkpoint, and return everything else.

    Raises:
        RunError: where a file is refused; a `state.pt` that would run code is never unpickled
    """
    if not folder.is_dir():
        raise RunError(
            f"Every process of a run must see its folder, and {ranks()} does not see `{folder}`; let `--model-dir` name"
            " a folder that all machines share."
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch's, about files that it then refuses
            state = torch.load(folder / "state.pt", map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, OSError, EOFError, ValueError) as error:
        raise RunError(
            f"`{folder / 'state.pt'}` is refused: it is damaged, or holds more than plain numbers and could run code"
            f" ({str(error).splitlines()[0][:200]})."
        ) from error
    if not isinstance(state, dict) or state.get("format") != FORMAT:
        raise RunError(
            f"`{folder / 'state.pt'}` must be a checkpoint of this version of Ganzo (format {FORMAT}); go on with the"
            " version that wrote it, which the run's environment.json names, or start anew with `--delete`."
        )
    for name, network in networks.items():
        load_weights(network, folder / f"{name}.safetensors")
    return state


@contextlib.contextmanager
def fitting(folder: Path) -> Iterator[None]:
    """Say in one sentence that the state of a checkpoint does not fit what it is handed to."""
    try:
        yield
    except (LookupError, TypeError, AttributeError, RuntimeError, ValueError) as error:
        if isinstance(error, GanzoError):
            raise
        raise RunError(
            f"`{folder / 'state.pt'}` does not fit this run ({type(error).__name__}: {str(error)[:200]}); another"
            " version of Ganzo or of a component wrote it. Start over with `--delete`."
        ) from error


def listed(root: Path) -> list[Path]:
    """The checkpoints in a folder, oldest first; unfinished ones do not count."""
    found = []
    for path in root.glob("*-*") if root.is_dir() else ():
        epoch, _, step = path.name.partition("-")
        if path.is_dir() and epoch.isdigit() and step.isdigit():
            found.append((int(epoch), int(step), path))
    return [path for _, _, path in sorted(found)]


def newest(root: Path) -> Path | None:
    """The newest checkpoint that is whole, or None where none was ever written; says which ones are damaged.

    Raises:
        RunError: where there are checkpoints, and every one is damaged
    """
    found = listed(root)
    for folder in reversed(found):
        if (wrong := damage(folder)) is None:
            return folder
        print(
            f"ganzo: the checkpoint {folder.name} is damaged ({wrong}); taking the one before.",
            file=sys.stderr,
        )
    if found:
        raise RunError(f"Every checkpoint in `{root}` is damaged; start over with `--delete`.")
    return None


def tidy(root: Path, keep: list[Path]) -> None:
    """Remove all but some checkpoints, and what a killed process left unfinished."""
    for path in [*listed(root), *root.glob(".*.tmp")]:
        if path not in keep:
            _remove(path)


def states(parts: dict[str, Any]) -> dict[str, Any]:
    """The state of every part; a list of parts gives a list of states."""
    return {
        name: [p.state_dict() for p in part if hasattr(p, "state_dict")]
        if isinstance(part, list)
        else part.state_dict()
        for name, part in parts.items()
    }


def load_states(parts: dict[str, Any], saved: dict[str, Any]) -> None:
    """Hand every part its saved state; logs and snapshots, which may change, start anew where they differ."""
    for name, part in parts.items():
        if not isinstance(part, list):
            part.load_state_dict(saved[name])
            continue
        able = [p for p in part if hasattr(p, "load_state_dict")]
        for one, state in zip(able, saved[name], strict=False):
            if set(one.state_dict()) == set(state):
                one.load_state_dict(state)
