"""What is worked out once and kept on disk under a key of all that it depends on."""

import contextlib
import hashlib
import inspect
import os
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn


def cache_folder(cache_dir: str | None = None) -> Path:
    """Where it lies: what is given, else $GANZO_CACHE_DIR, else `~/.cache/ganzo`."""
    return Path(cache_dir or os.environ.get("GANZO_CACHE_DIR") or "~/.cache/ganzo").expanduser()


def key_of(*facts: Any) -> str:
    """A name for what depends on these facts alone."""
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:40]


def read_tensors(path: Path) -> dict[str, Tensor] | None:
    """The tensors of a file; None where there is none, or one that is not whole."""
    try:
        return load_file(path)
    except (OSError, SafetensorError, ValueError):
        return None


def write_tensors(path: Path, tensors: dict[str, Tensor]) -> None:
    """Write tensors, whole or not at all; a folder that cannot be written only means that they are worked out again."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}-{os.urandom(4).hex()}.tmp")
    with contextlib.suppress(OSError, SafetensorError):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            save_file({name: value.detach().cpu().contiguous() for name, value in tensors.items()}, temporary)
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)


def checksum_of(network: nn.Module) -> str:
    """A key of the weights of a network, and of the file of a user's own: the first 16 digits of a SHA-256."""
    cls = type(network)
    digest = hashlib.sha256(cls.__qualname__.encode())
    if cls.__module__.partition(".")[0] not in ("ganzo", "torch"):  # what a user's own does may change
        with contextlib.suppress(OSError, TypeError):
            digest.update(Path(inspect.getfile(cls)).read_bytes())
    for name, value in sorted(network.state_dict().items()):
        digest.update(f"{name} {tuple(value.shape)}".encode())
        digest.update(value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()[:16]
