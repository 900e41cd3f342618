"""The generator of a stored run, as sampling, scoring and comparing want it."""

import json
from argparse import Namespace
from pathlib import Path
from typing import Any

from ganzo.checkpoint import load_weights
from ganzo.errors import RunError
from ganzo.folder import DECIDED
from ganzo.generator import Generator
from ganzo.run import Run

FACTS = (*DECIDED, "class_names")


def trained_generator(options: Namespace, folder: Path, data: Any = None) -> tuple[Any, Path]:
    """Build a run's generator with its weights, on the device of the options; and the file of these.

    Args:
        options: of the stored run; what its data decided is written into them
        folder: the run's model folder
        data: what a translation starts from; none for inputs like the run's images
    """
    for name, value in stored_facts(folder).items():
        setattr(options, name, value)
    options.input_colors = getattr(data, "input_colors", options.image_colors)
    generator, path = Generator.from_options(options).to(options.device), newest_weights(folder, options)
    load_weights(generator, path)
    options.uses_labels = getattr(generator, "uses_labels", True)
    return generator, path


def stored_facts(folder: Path) -> dict[str, Any]:
    """What the run's data decided: sizes and classes."""
    if not Run.exists(folder):
        raise RunError(f"There is no run in `{folder}`; name one with `--experiment` (and `--model-dir`).")
    try:
        facts = json.loads((folder / "environment.json").read_text(encoding="utf-8"))["facts"]
        return {name: facts[name] for name in FACTS}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunError(
            f"`{folder / 'environment.json'}` is missing or damaged ({error}); restore the run once to mend it."
        ) from error


def newest_weights(folder: Path, options: Namespace) -> Path:
    """The weights that samples come from: the best ones, unless the criterion takes the latest for the best."""
    best = folder / "best" / "generator.safetensors"
    path = (
        best
        if options.evaluation_criterion != "latest" and best.is_file()
        else folder / "generator.safetensors"
    )
    if not path.is_file():
        raise RunError(
            f"The run in `{folder}` has no weights yet; let it train longer, or go on with `ganzo train --restore`."
        )
    return path
