"""Samples of several runs from the same noise, as far as their noise can be the same."""

import contextlib
import hashlib
from argparse import Namespace
from typing import Any

import torch
from PIL import Image

from ganzo.commands import announce_files
from ganzo.files import read_file
from ganzo.game import Game
from ganzo.nn.grid import to_picture
from ganzo.noise import Noise
from ganzo.options import Completed, Layer, environment
from ganzo.pages import ROOM, embedded, open_picture
from ganzo.sample import from_noise, layout
from ganzo.stored import StoredRun
from ganzo.trained import trained_generator

SEED, COUNT = 0, 40  # what is drawn: images, about so many


def panels(runs: list[StoredRun]) -> dict[str, Any]:
    """A picture of each run, and a sentence about what may be compared."""
    drawn = [panel(run, ROOM // len(runs)) for run in runs]
    keys = {each["noise"] for each in drawn if each["noise"]}
    if len(keys) < 2:
        said = f"Drawn with the seed {SEED}: counted row by row, the same image starts from the same noise."
        said = said if sum(bool(each["noise"]) for each in drawn) > 1 else ""
    else:
        said = (
            f"Drawn with the seed {SEED}; the noise of these runs differs in size or kind, so only the pictures that"
            " carry the same letter start from the same noise."
        )
        letters = {key: chr(65 + i) for i, key in enumerate(dict.fromkeys(each["noise"] for each in drawn))}
        for each in drawn:
            each["letter"] = letters[each["noise"]] if each["noise"] else ""
    return {"drawn": drawn, "said": said}


def panel(run: StoredRun, room: int) -> dict[str, Any]:
    """The picture of one run: drawn now, or its last snapshot where it translates; or why there is none."""
    found: dict[str, Any] = {"name": run.name, "noise": "", "source": "", "note": "", "letter": ""}
    picture: Image.Image | None = None
    try:
        options = stored_options(run)
        if Game.class_from_options(options).translates:
            found["note"] = "It turns images into images; this is its last snapshot."
        else:
            picture, found["noise"], found["note"] = drawn_now(run, options)
    except Exception as error:  # the page has more to show; third parties' code may fail in any way
        found["note"] = f"Nothing can be drawn from its weights ({' '.join(str(error).split()).rstrip('.')})."
    snapshots = run.snapshots()
    if picture is None and snapshots:
        epoch, path = snapshots[-1]
        picture = open_picture(path)
        found["note"] += f" Snapshot of epoch {epoch}."
    if picture is not None:
        found["source"], found["width"], found["height"] = embedded(picture, room)
    return found


def stored_options(run: StoredRun) -> Namespace:
    """The options of a stored run, completed."""
    layers = [environment(), Layer("saved run", read_file(run.folder / "options.json"))]
    announce_files(layers)
    options = Completed(layers).options
    options.device = "cpu"  # everywhere the same noise
    return options


def drawn_now(run: StoredRun, options: Namespace) -> tuple[Image.Image, str, str]:
    """A grid of samples, a key that is the same for the same noise, and what is to be said."""
    generator, path = trained_generator(options, run.folder)
    options.snapshot_size = COUNT
    picture = next(from_noise(options, generator, None, SEED))
    count, _ = layout(COUNT, options.classes if getattr(generator, "uses_labels", True) else 0)
    noise = Noise.from_options(options)
    with contextlib.suppress(TypeError):
        noise = noise.sample(count, SEED)
    key = key_of(noise) if isinstance(noise, torch.Tensor) else run.name
    best = " From its best epoch." if path.parent.name == "best" else ""
    return to_picture(picture), key, best.strip()


def key_of(noise: torch.Tensor) -> str:
    """A key of numbers: equal where all are."""
    return hashlib.sha1(
        noise.cpu().contiguous().numpy().tobytes() + str(tuple(noise.shape)).encode()
    ).hexdigest()
