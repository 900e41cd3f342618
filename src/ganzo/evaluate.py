"""`ganzo evaluate`: score a stored run over several seeds, or one folder of pictures against another."""

import math
import statistics
from argparse import Namespace
from pathlib import Path
from typing import Any

from ganzo.arguments import CommandLine, help_page
from ganzo.catalogue import FREE, component_options
from ganzo.commands import announce_files, warn
from ganzo.data import Data
from ganzo.errors import OptionError
from ganzo.folder import find_run, output_of, write_json
from ganzo.game import Game
from ganzo.machine import find_device
from ganzo.metric import Comparison, Metric, Metrics
from ganzo.noise import Noise
from ganzo.options import Completed, Layer, environment, flattened, read_file
from ganzo.places import compare_places
from ganzo.registry import ROLES, Registry, build, child, chosen
from ganzo.sample import whole
from ganzo.trained import trained_generator

EVALUATE_OPTIONS = {
    "seeds": "how many times to score a run, each time with other noise: seeds 0, 1, … (default 5)",
    "json": "a file for the scores and their protocol",
    "save_statistics": "a .npz file for mean and covariance of the first of two places",
}
DEFAULT = ["fid", "prdc"]
USAGE = (
    "Say what to evaluate: `ganzo evaluate RUN`, or `ganzo evaluate A B` with two folders of pictures, or .npz files of"
    " statistics."
)


def command(words: list[str]) -> int:
    """Read the words of `ganzo evaluate RUN` or `ganzo evaluate A B`, score, and print."""
    line = CommandLine("evaluate", EVALUATE_OPTIONS, train=False)
    named = [word for word in words[: next((i for i, w in enumerate(words) if w[:1] == "-"), len(words))]]
    words = words[len(named) :]
    wants_help = any(word in ("-h", "--help") for word in words)
    given = line.read([word for word in words if word not in ("-h", "--help")])
    variables = environment()
    if wants_help:
        completed = Completed([variables, Layer("command line", given)], line.third_party)
        print(help_page("evaluate", EVALUATE_OPTIONS, completed, line.third_party_rows))
        return 0
    seeds, file, save = (given.pop(key, None) for key in EVALUATE_OPTIONS)
    warn(variables.warnings)
    if not named and "experiment" in given:
        named = [given.pop("experiment")]
    if len(named) not in (1, 2):
        raise OptionError(USAGE)
    if len(named) == 2:
        if seeds is not None:
            raise OptionError("`--seeds` needs a run, which draws new pictures for each; leave it out.")
        options = Completed([variables, Layer("command line", given)], line.third_party).options
        options.given = given.keys()
        found = compare_places(named[0], named[1], options, save)
    else:
        if save is not None:
            raise OptionError("`--save-statistics` needs two places to compare; leave it out.")
        options = stored_options(named[0], given, variables, line)
        found = evaluate(options, whole(seeds, "seeds", 5, 1))
    print(table(found))
    if file is not None:
        write_json(Path(file), found)
    return 0


def stored_options(name: str, given: dict[str, Any], variables: Layer, line: CommandLine) -> Namespace:
    """The options of a stored run, with what the command line changes."""
    asked = Completed([variables, Layer("command line", given)], line.third_party).options
    folder = find_run(name, Path(asked.model_dir))
    saved = read_file(folder / "options.json")
    given = {key: value for key, value in given.items() if key not in ("experiment", "model_dir")}
    refuse_changes(flattened(given))
    layers = [variables, Layer("saved run", saved), Layer("command line", given)]
    if not saved.get("metrics"):
        layers.insert(0, Layer("evaluate", {"metrics": DEFAULT}))
        saved.pop("metrics", None)
    announce_files(layers)
    options = Completed(layers, line.third_party).options
    options.experiment, options.model_dir = folder.name, str(folder.parent)
    if "output_dir" not in given:
        options.output_dir = str(output_of(folder, Path(options.output_dir)))
    return options


def refuse_changes(given: dict[str, Any]) -> None:
    """Refuse what belongs to the training of a run, which is over."""
    names = Registry.keys("metric")
    measured = {option.key for name in names for option in component_options(ROLES["metrics"], name)}
    free = FREE | measured | {"data_dir", "target_dir", "precision"}
    for key in given:
        if key == "seed":
            raise OptionError("`--seed` is not asked for here: `--seeds N` scores with the seeds 0 to N - 1.")
        if key not in free:
            raise OptionError(
                f"`--{key.replace('_', '-')}` is of a run's training, and this one is stored; leave it out."
            )


def evaluate(options: Namespace, seeds: int = 5) -> dict[str, Any]:
    """Score the generator of a stored run several times, each time with other noise; nothing is written.

    Args:
        options: of the stored run, with the metrics that are wanted
        seeds: how many times

    Returns:
        Scores (mean, deviation, all values, and the same of real against real) with their protocols.
    """
    folder = Path(options.model_dir) / options.experiment
    options.device = str(find_device(options.device))
    options.translates = Game.class_from_options(options).translates
    data = Data.from_options(options)
    generator, weights = trained_generator(options, folder, data)
    if is_averaged(options):
        generator.stale = False  # an average, whose batch-norm statistics were saved with it
    metrics, noise = Metric.from_options(options), Noise.from_options(options)
    rows = [metrics.score(data, noise, generator, seed) for seed in range(seeds)]
    return {"run": str(folder), "weights": str(weights), "seeds": seeds} | summary(metrics, rows)


def is_averaged(options: Namespace) -> bool:
    """Whether a hook of the generator keeps a moving average of it."""
    role = ROLES["generator_hook"]
    hooks = (build("hook", i.name, child(options, role, i)) for i in chosen(options, role))
    return any(hasattr(hook, "average") for hook in hooks)


def summary(metrics: Metrics, rows: list[dict[str, float]]) -> dict[str, Any]:
    """Mean and deviation of each score over the rows, beside that of real against real, and how they were measured."""
    scores = {}
    for name in rows[0]:
        values = [row[name] for row in rows]
        real = metrics.real_scores.get(f"{name.removesuffix('_mean')}_real")
        scores[name] = score_of(values, real)
    protocol = {name: dict(told) for name, told in metrics.protocol.items()}
    for told in protocol.values() if len(rows) > 1 else ():
        del told["seed"]
        told["seeds"] = list(range(len(rows)))
    found: dict[str, Any] = {"scores": scores, "protocol": protocol}
    for metric in metrics.metrics.values():
        if isinstance(metric, Comparison) and hasattr(metric, "confusion"):
            found["confusion"] = metric.confusion.tolist()  # of the last seed
    return found


def score_of(values: list[float], real: float | None) -> dict[str, Any]:
    """One score; without mean and deviation where a value is not finite."""
    sound = all(map(math.isfinite, values))
    return {
        "mean": statistics.fmean(values) if sound else None,
        "std": statistics.stdev(values) if sound and len(values) > 1 else None,
        "values": [value if math.isfinite(value) else None for value in values],
        "real": real if real is not None and math.isfinite(real) else None,
    }


def table(found: dict[str, Any]) -> str:
    """Scores and protocol as lines of text."""
    rows = [("score", "mean", "std", "real against real")]
    for name, score in found["scores"].items():
        numbers = (score["mean"], score["std"], score["real"])
        rows.append((name, *("-" if value is None else f"{value:.6g}" for value in numbers)))
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = ["  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in rows]
    for names, told in grouped(found["protocol"]):
        facts = ", ".join(
            f"{key.replace('_', ' ')} {value}" for key, value in told.items() if value is not None
        )
        lines.append(f"\n{', '.join(names)}: {facts}")
    return "\n".join(lines)


def grouped(protocol: dict[str, dict[str, Any]]) -> list[tuple[list[str], dict[str, Any]]]:
    """Protocols, each with the scores that were measured so."""
    found: list[tuple[list[str], dict[str, Any]]] = []
    for name, told in protocol.items():
        same = next((names for names, other in found if other == told), None)
        if same is None:
            found.append(([name], told))
        else:
            same.append(name)
    return found
