"""`ganzo sample`: pictures from a stored run; its data set is read only where it translates."""

import itertools
from argparse import Namespace
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any

import torch

from ganzo.arguments import CommandLine, help_page
from ganzo.commands import announce_files, same, warn
from ganzo.data import Data
from ganzo.errors import DataError, OptionError, RunError, nearest
from ganzo.folder import find_run, output_of
from ganzo.game import Game
from ganzo.machine import find_device
from ganzo.nn.examples import Examples
from ganzo.nn.grid import grid, to_picture, translations
from ganzo.nn.sampling import labels_for, sample_images, translate_images
from ganzo.noise import Noise
from ganzo.options import Completed, Layer, environment, flattened, read_file, settle_names
from ganzo.pictures import translate_folder
from ganzo.schema import Interval, convert
from ganzo.trained import trained_generator

SAMPLE_OPTIONS = {
    "num_samples": "how many grids to draw (each of `--snapshot-size` images)",
    "label": "classes to draw, by number or name, separated by commas",
    "input_dir": "folder of pictures, without targets, that a translating run turns into others, a file for each",
}


def command(words: list[str]) -> int:
    """Read the words of `ganzo sample [RUN]`, complete the options of the stored run, and draw."""
    line = CommandLine("sample", SAMPLE_OPTIONS, train=False)
    named, words = (words[0], words[1:]) if words and not words[0].startswith("-") else (None, words)
    wants_help = any(word in ("-h", "--help") for word in words)
    given = line.read([word for word in words if word not in ("-h", "--help")])
    if wants_help:
        completed = Completed([environment(), Layer("command line", given)], line.third_party)
        print(help_page("sample", SAMPLE_OPTIONS, completed, line.third_party_rows))
        return 0
    number, label, inputs = (given.pop(key, None) for key in SAMPLE_OPTIONS)
    seed = given.pop("seed", None)
    variables = environment()
    warn(variables.warnings)
    asked = Completed([variables, Layer("command line", given)], line.third_party).options
    if named is None:
        asked.experiment = asked.experiment or "digits"
        settle_names(asked)
    folder = find_run(asked.experiment if named is None else named, Path(asked.model_dir))
    given = {key: value for key, value in given.items() if key not in ("experiment", "model_dir")}
    layers = [
        variables,
        Layer("saved run", read_file(folder / "options.json")),
        Layer("command line", given),
    ]
    announce_files(layers)
    refuse_changes(given, layers[1].values)
    completed = Completed(layers, line.third_party)
    options = completed.options
    options.experiment, options.model_dir = folder.name, str(folder.parent)
    if "output_dir" not in given:
        options.output_dir = str(output_of(folder, Path(options.output_dir)))
    for path in sample(
        options, whole(number, "num-samples", 1, 1), label, whole(seed, "seed", None, 0), inputs
    ):
        print(path, flush=True)
    return 0


def refuse_changes(given: dict[str, Any], saved: dict[str, Any]) -> None:
    """Refuse what is asked for and cannot be had: what the run was trained with stays as it is."""
    given = flattened(given)
    for key in ("image_size", "image_colors", "state_size", "generator", "game", "noise", "data_format"):
        if key in given and not same(key, given[key], saved.get(key)):
            raise OptionError(
                f"`--{key.replace('_', '-')}` is as the run was trained, {saved.get(key)}; got {given[key]}."
                " Leave it out."
            )
    if given.get("snapshot_translate") and "translate" not in str(saved.get("game")):
        raise OptionError(
            "`--snapshot-translate` needs a run that translates; this one starts from noise. Leave it out."
        )
    if "save_images_as" in given and given["save_images_as"] not in (
        "folder",
        [{"name": "folder"}],
        ["folder"],
    ):
        raise OptionError(
            "`--save-images-as` must be `folder` here: `ganzo sample` writes files. Leave it out."
        )


def whole(text: str | None, name: str, default: Any, least: int) -> Any:
    """A whole number from the command line."""
    if text is None:
        return default
    try:
        return convert(Annotated[int, Interval(least)], text)
    except (ValueError, OverflowError):
        raise OptionError(f"`--{name}` must be a whole number of at least {least}; got '{text}'.") from None


def sample(
    options: Namespace,
    num_samples: int,
    label: str | None,
    new_seed: int | None,
    input_dir: str | None = None,
) -> Iterable[Path]:
    """Draw grids of images from a stored run and write them to its output folder; nothing is overwritten.

    Args:
        options: of the stored run, with what the command line changes
        num_samples: how many grids
        label: classes to draw, by number or name, separated by commas; none for all
        new_seed: seed of the noise, or of what a translation draws; none for a fresh draw
        input_dir: folder of pictures to translate instead of the run's data
    """
    folder = Path(options.model_dir) / options.experiment
    options.device = str(find_device(options.device))
    options.translates = Game.class_from_options(options).translates
    if input_dir is not None and not options.translates:
        raise OptionError(
            "`--input-dir` needs a run that translates; this one starts from noise. Leave it out."
        )
    data = inputs_of(options) if options.translates and input_dir is None else None
    generator, _ = trained_generator(options, folder, data)
    output = Path(options.output_dir) / options.experiment / "samples"
    if input_dir is not None:
        chosen = classes_of(label, options.classes, options.class_names)
        if not chosen and getattr(generator, "uses_labels", False):
            raise OptionError(
                "This run's generator reads labels; say by `--label` what class the pictures are to be."
            )
        return translate_folder(options, generator, input_dir, output, next(iter(chosen), None), new_seed)
    if data is None:
        pictures = from_noise(options, generator, label, new_seed)
    elif label is None:
        pictures = from_inputs(options, generator, data, new_seed)
    else:
        raise OptionError(
            "`--label` needs a run that starts from noise; this one translates, so leave it out."
        )
    output.mkdir(parents=True, exist_ok=True)
    return [write_new(output, picture) for _, picture in zip(range(num_samples), pictures, strict=False)]


def from_noise(
    options: Namespace, generator: Any, label: str | None, new_seed: int | None
) -> Iterator[torch.Tensor]:
    """Pictures of what a generator makes of noise, without end."""
    noise, classes = Noise.from_options(options), options.classes
    chosen = classes_of(label, classes, options.class_names)
    conditional = getattr(generator, "uses_labels", True)  # as long as its class says nothing
    if chosen and not conditional:
        raise OptionError(
            f"`--label` needs a generator that uses labels; this run's `{options.generator}` ignores them. Leave it"
            " out, or train with `--conditional concat` or `--generator cgan`."
        )
    shown = chosen or list(range(classes * conditional))
    count, columns = layout(options.snapshot_size, len(shown))
    labels = torch.tensor(shown, device=options.device)[torch.arange(count) % len(shown)] if shown else None
    if not conditional:  # a network with classes wants labels all the same
        labels = labels_for(count, classes, options.device)
    seeds = itertools.repeat(None) if new_seed is None else itertools.count(new_seed)
    return (grid(sample_images(generator, noise, count, seed, labels, classes), columns) for seed in seeds)


def from_inputs(
    options: Namespace, generator: Any, data: Any, new_seed: int | None
) -> Iterator[torch.Tensor]:
    """Pictures of what a generator makes of the data's inputs, one group of examples after the other, without end."""
    examples = Examples(data, options.device, options.batch_size)
    alone = getattr(options, "snapshot_translate", None) is False
    for batch, made in translate_images(generator, examples, options.snapshot_size, new_seed):
        assert batch.target is not None, "examples are pairs"
        yield grid(made) if alone else translations(made, batch.image, batch.target)


def inputs_of(options: Namespace) -> Any:
    """The data set of a run that translates; few examples will do."""
    try:
        return Data.from_options(Namespace(**vars(options) | {"batch_size": 1}))
    except DataError as error:
        what = str(error).partition(". ")[0].rstrip(".")
        raise DataError(
            f"This run starts from images, so its data must be there: {what}. Say where they are with `--data-dir`."
        ) from error


def layout(wanted: int, classes: int) -> tuple[int, int | None]:
    """How many images fill whole rows, and how many stand in a row: every class as often, in a grid near a square."""
    if classes < 2:
        return wanted, None
    columns = classes * max(1, round(wanted**0.5 / classes))
    return max(columns, wanted - wanted % columns), columns


def classes_of(label: str | None, classes: int, names: list[str]) -> list[int]:
    """The numbers of the classes that a text names: `3`, `cat,dog`."""
    if label is None:
        return []
    if not classes:
        raise OptionError("`--label` needs a run whose data have classes; this one has none.")
    chosen = []
    for word in (part.strip() for part in label.split(",")):
        if word in names:
            chosen.append(names.index(word))
        elif word.isdecimal() and len(word) < 9 and int(word) < classes:
            chosen.append(int(word))
        else:
            known = ", ".join(names) or f"0 to {classes - 1}"
            raise OptionError(f"There is no class `{word}`; the run knows {known}.{nearest(word, names)}")
    return chosen


def write_new(folder: Path, picture: torch.Tensor) -> Path:
    """Write a picture under the next free name `sample_<n>.png`."""
    image = to_picture(picture)
    number = 1
    while True:
        path = folder / f"sample_{number}.png"
        try:
            with path.open("xb") as file:
                image.save(file, "png")
            return path
        except FileExistsError:
            number += 1
        except OSError as error:
            path.unlink(missing_ok=True)
            raise RunError(f"`{path}` cannot be written ({error.strerror or error}).") from error
