"""`ganzo train`: read the words, complete the options, ask what is to be asked, and hand them to the loop."""

import dataclasses
import json
import os
import sys
from argparse import Namespace
from pathlib import Path
from typing import Any

from ganzo.arguments import COMMAND_OPTIONS, CommandLine, help_page
from ganzo.catalogue import FREE, FREE_ROLES, SHORTHANDS, catalogue, component_options
from ganzo.compat import translated
from ganzo.errors import OptionError, RunError
from ganzo.folder import check_which
from ganzo.grammar import items
from ganzo.launch import ANSWER, announced, started
from ganzo.loading import MODULES_VARIABLE, is_path
from ganzo.nn import ranks
from ganzo.options import Completed, Layer, environment, flattened, read_file, saveable, settle_names, spelled
from ganzo.recipes import read_config
from ganzo.registry import Registry
from ganzo.roles import ROLES
from ganzo.run import Run
from ganzo.schema import convert
from ganzo.together import joined


@dataclasses.dataclass
class Asked:
    """A command line of `ganzo train` that was read: where it leads, and from which layers."""

    line: CommandLine
    layers: list[Layer]
    completed: Completed
    dry_run: bool
    help: bool


def train(words: list[str]) -> int:
    """`ganzo train`: in this process, among those that a launcher started, or in some that `--parallel` starts."""
    with joined() as here:
        asked = read(translated(words))
        if asked.help:
            if here.leads:
                page = help_page("train", COMMAND_OPTIONS, asked.completed, asked.line.third_party_rows)
                print(page)
            return 0
        completed = settled(asked)
        options = completed.options
        warn(completed.warnings)
        if asked.dry_run:
            from ganzo.dry_run import dry_run as show

            with ranks.muted():  # shares are those of the run, and nobody waits for anybody
                return show(completed) if here.leads else 0
        if options.parallel and not started():
            from ganzo.parallel import devices, launch

            if devices() > 1:
                place = Path(options.model_dir) / options.experiment
                check_which(place, options.experiment, options.restore, options.delete)
                return launch(words, devices(), getattr(asked.completed.options, "answer", ""))
        from ganzo.shortage import advising
        from ganzo.train import train as play

        with advising(options):
            return 0 if play(options).stop is None else 130


def read(words: list[str]) -> Asked:
    """Read the words, and complete the options from all that they name."""
    line = CommandLine("train", {k: t for k, t in COMMAND_OPTIONS.items()}, switches=("dry_run",))
    wants_help = any(word in ("-h", "--help") for word in words)
    given = line.read([word for word in words if word not in ("-h", "--help")])
    config, from_json, dry_run, _ = (given.pop(key, None) for key in COMMAND_OPTIONS)
    layers = [environment()]
    warn(layers[0].warnings)
    if not (config or from_json or any(key in given for key in (*ROLES, *SHORTHANDS, "data_dir"))):
        layers.insert(0, Layer("config digits", read_config("digits")))  # a bare `ganzo train`
    if config is not None:
        layers.append(Layer(f"config {config}", read_config(config)))
    layers.append(Layer("command line", given))
    if from_json is not None:
        layers.append(Layer(f"from-json {from_json}", read_file(Path(from_json))))
        warn(overridden(layers[-2].values, layers[-1]))
    announce_files(layers)
    for layer in layers:
        if layer.source != "command line":
            line.check(layer)
    return Asked(line, layers, Completed(layers, line.third_party), bool(dry_run), wants_help)


def settled(asked: Asked) -> Completed:
    """The options with what is asked for at the keyboard, and those of a run that is restored."""
    completed = asked.completed
    if completed.options.restore and completed.options.delete:
        warn(["`--delete` beats `--restore`: the run starts over."])
        completed.options.restore = False
    settle_names(completed.options)
    folder = Path(completed.options.model_dir) / completed.options.experiment
    if not asked.dry_run:
        ask(completed.options, folder)
    if completed.options.restore:
        completed = with_saved_run(asked.layers, completed, folder, asked.line.third_party)
    return completed


def heard() -> bool:
    """Whether this process is the one of several that prints: and not again what `--parallel` has told already."""
    return announced().leads and ANSWER not in os.environ


def warn(sentences: list[str]) -> None:
    """Print warnings."""
    for sentence in sentences if heard() else ():
        print(f"ganzo: warning: {sentence}", file=sys.stderr)


def overridden(given: dict[str, Any], file: Layer) -> list[str]:
    """A sentence for each flag that `--from-json` overrides with another value."""
    said = flattened(file.values)
    return [
        f"`--{key.replace('_', '-')} {value}` is overridden by {file.source}, which says {said[key]}."
        for key, value in flattened(given).items()
        if key in said and not same(key, value, said[key])
    ]


def same(key: str, one: Any, other: Any) -> bool:
    """Whether two values of an option mean the same, as `1e-3` and `0.001` do."""
    for option in catalogue().get(key, ()):
        try:
            return plain(convert(option.kind, one)) == plain(convert(option.kind, other))
        except (ValueError, OverflowError):
            continue
    return plain(one) == plain(other)


def announce_files(layers: list[Layer]) -> None:
    """Say which files a recipe or a stored run brings code from, before it runs."""
    for layer in layers if heard() else ():
        values = spelled(layer.values) if layer.source != "command line" else {}
        named = [item.name for key in values if key in ROLES for item in items(values[key], key)]
        named += [values["metrics_features"]] if isinstance(values.get("metrics_features"), str) else []
        for name in dict.fromkeys(filter(is_path, named)):
            print(f"ganzo: {layer.source} runs code from {name}", file=sys.stderr)


def ask(options: Namespace, folder: Path) -> None:
    """The four-way question, where a run lies in the folder and the command line does not say what to do with it."""
    if options.restore or options.delete:
        return
    answer = ranks.led(lambda: answered(options.experiment, folder))
    if answer in ("a", "end"):
        raise SystemExit(2 if answer == "a" else 1)
    if answer:
        options.answer, options.restore, options.delete = answer, answer in ("r", "n"), answer == "d"


def answered(experiment: str, folder: Path) -> str | None:
    """The letter of the answer, `end` where the keyboard fell silent; None where nothing is asked."""
    if ANSWER in os.environ:
        return os.environ[ANSWER]
    if not Run.exists(folder) or not sys.stdin.isatty():
        return None  # where a run exists it refuses itself, and names the two flags
    choices = "[r]estore it, restore with [n]ew options, [d]elete it, [a]bort"
    while True:
        try:
            answer = input(f"The experiment `{experiment}` exists: {choices}? ").strip().lower()
        except EOFError:
            return "end"
        if answer in ("r", "n", "d", "a"):
            return answer


def with_saved_run(
    layers: list[Layer], asked: Completed, folder: Path, third_party: dict[str, Any]
) -> Completed:
    """The options of a restored run: the saved ones under those that were given; what may not change is refused."""
    saved = ranks.led(lambda: saved_options(folder))
    below = next(i for i, layer in enumerate(layers) if layer.source == "environment")
    above = layers[below + 1 :]
    if getattr(asked.options, "answer", None) == "r":
        dropped = (
            [f"`--{key.replace('_', '-')}`" for key in above[-1].values if key != "experiment"]
            if above
            else []
        )
        if dropped:
            warn([f"the saved options are taken, without {', '.join(dropped)}; `n` takes new ones too."])
        above = []
    layers = [layers[below], Layer("saved run", saved), *above]
    announce_files(layers[1:2])
    completed = Completed(layers, third_party)
    options = completed.options
    unknown = [key for key in options.third_party if key not in third_party]
    if unknown:
        raise OptionError(
            f"The run in `{folder}` has the option `{unknown[0]}`, which nothing here knows; restore it with the"
            " version of Ganzo that trained it (its environment.json says which), or name the modules of third parties"
            f" that it was trained with in {MODULES_VARIABLE}."
        )
    options.experiment, options.restore, options.delete = asked.options.experiment, True, False
    options.model_dir = asked.options.model_dir
    if options.seed is None:
        options.seed = saved.get("seed")
    if options.precision == "auto":  # what the run was given when it began
        options.precision = saved.get("precision", "auto")
    free = FREE | {
        o.key
        for key in FREE_ROLES
        for name in Registry.keys(ROLES[key].namespace)
        for o in component_options(ROLES[key], name)
    }
    changed = [
        key for key, value in saveable(options).items()
        if key not in free and key in saved and plain(value) != plain(saved[key])
    ]  # fmt: skip
    if changed:
        key = changed[0]
        raise OptionError(
            f"`--{key.replace('_', '-')}` cannot change on `--restore`: the run has `{written(saved[key])}`, and"
            f" `{written(getattr(options, key))}` was asked for. Leave it out, or start another experiment."
        )
    return completed


def written(value: Any) -> str:
    """A value as it is written in a file."""
    return "none" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def saved_options(folder: Path) -> dict[str, Any]:
    """The options that were saved with the run in a folder."""
    if not (folder / "options.json").is_file():
        raise RunError(
            f"There is nothing to restore in `{folder}`; leave out `--restore` to start a new run."
        )
    return read_file(folder / "options.json")


def plain(value: Any) -> str:
    """A value as its file would hold it, to compare."""
    return json.dumps(value, sort_keys=True, default=str)
