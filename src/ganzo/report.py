"""How a run went: `curves.png` when it ends, and `ganzo report`, a page of HTML that stands alone."""

import math
import shlex
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

from ganzo.charts import Line, chart
from ganzo.checkpoint import whole
from ganzo.differences import from_the_start
from ganzo.nn.protocol import differences, protocol_of
from ganzo.nn.record import LOSSES, is_loss, scores_of
from ganzo.pages import ROOM, count, embedded, figure, open_picture, read_words, write_page
from ganzo.progress import duration
from ganzo.scores import Score, text
from ganzo.scores import scores_of as stored_scores
from ganzo.stored import StoredRun, read_run

HELP = """usage: ganzo report RUN [--output FILE] [--model-dir FOLDER]

Writes one page about a run, which may still be training: samples over time, curves, scores with how they were
measured, options, environment. The page stands alone; it needs no network.

  RUN                 name of the run, or the path of either of its folders
  --output FILE       the page; report.html in the run's output folder, if not given
  --model-dir FOLDER  where runs keep their weights (models)"""
PICTURES = 12  # of a page, at most; of more, some are left out evenly
ORDINALS = {2: "2nd", 3: "3rd"}
CONTENTS = ("samples", "curves", "scores", "options", "environment", "files")


def draw_curves(history: list[dict[str, Any]], path: Path) -> None:
    """Draw the losses of a run, and each of its scores below, over the epochs; an empty history draws nothing.

    Where the protocol of a score changes, its line ends, and another begins.
    """
    if not history:
        return
    import matplotlib

    matplotlib.use("Agg", force=False)
    from matplotlib.figure import Figure

    scores = list(dict.fromkeys(name for line in history for name in scores_of(line)))
    figure = Figure(figsize=(8, 3 * (1 + len(scores))), layout="constrained")
    axes = figure.subplots(1 + len(scores), 1, squeeze=False)[:, 0]
    for axis, names in zip(axes, [LOSSES, *([name] for name in scores)], strict=True):
        for index, name in enumerate(names):
            lines = [line for line in history if math.isfinite(line.get(name, math.nan))]
            protocols: list[dict[str, Any]] = []  # as they come
            for which, part in groupby(lines, partial(place_of, name=name, protocols=protocols)):
                points = [(line["epoch"], line[name]) for line in part]
                nth = ORDINALS.get(which + 1, f"{which + 1}th")
                label = f"{name} ({nth} protocol)" if which else name
                again = label in (line.get_label() for line in axis.lines)
                axis.plot(
                    *zip(*points, strict=True),
                    label=f"_{label}" if again else label,  # matplotlib leaves out what begins with _
                    color=f"C{index + which}",
                    marker="." if len(points) < 60 else None,
                )
        axis.set_xlabel("epoch")
        axis.set_ylabel("loss" if names is LOSSES else names[0])
        axis.grid(alpha=0.3)
        if names is LOSSES or len(axis.lines) > 1:
            axis.legend()
    with whole(path) as temporary:
        figure.savefig(temporary, format="png", dpi=100)


def place_of(line: dict[str, Any], name: str, protocols: list[dict[str, Any]]) -> int:
    """The place of a score's protocol among those that came before; a new one is put behind them."""
    protocol = {} if is_loss(name) else protocol_of(line.get("protocol"), name)
    for place, other in enumerate(protocols):
        if not differences(protocol, other):
            return place
    protocols.append(protocol)
    return len(protocols) - 1


def command(words: list[str]) -> int:
    """`ganzo report RUN [--output FILE]`."""
    given = read_words("report", words, HELP)
    if given is None:
        return 0
    names, output, model_dir = given
    run = read_run(names[0], model_dir)
    path = output or run.output / "report.html"
    write_report(run, path)
    print(path)
    return 0


def write_report(run: StoredRun, path: Path) -> None:
    """Write the page of one run."""
    scores, (started, changed) = stored_scores(run), from_the_start(run)
    names = [score.name for score in scores]
    write_page(
        path,
        "report.html",
        kind="report",
        title=run.name,
        contents=[(name, name.capitalize()) for name in CONTENTS],
        state=run.state[0],
        sentence=run.state[1],
        summary=summary(run),
        numbers=numbers_of(run, scores),
        pictures=pictures_of(run),
        drawn=drawn(run),
        samples=run.output / "samples",
        curves=curves_of(run, scores),
        scores=scores,
        real=any(score.real is not None for score in scores),
        parted=sorted({name for name in names if names.count(name) > 1}),
        started=started,
        changed=[(key, there, here) for key, there, here, matters in changed if matters],
        beside=[(key, there, here) for key, there, here, matters in changed if not matters],
        same=len(run.options) - len(changed),
        every=sorted(run.options.items()),
        environment=surroundings(run),
        data=sorted(run.facts.items()),
        files=[("weights and checkpoints", run.folder), ("results, samples, this page", run.output)],
    )


def surroundings(run: StoredRun) -> list[tuple[str, Any]]:
    """Versions, machine, and the command as one would type it."""
    found = {key: value for key, value in run.environment.items() if key != "facts"}
    if isinstance(found.get("command"), list):
        found["command"] = shlex.join(map(str, found["command"]))
    return list(found.items())


def summary(run: StoredRun) -> str:
    """A sentence about what the run is."""
    said = {key: run.named(key) for key in ("generator", "discriminator", "loss", "game", "dataset")}
    size = run.facts.get("image_size") or run.options.get("image_size")
    return (
        f"Generator {said['generator']} against discriminator {said['discriminator']}, loss {said['loss']}, game"
        f" {said['game']}, on {said['dataset']} at {size} × {size} pixels."
    )


def numbers_of(run: StoredRun, scores: list[Score]) -> list[tuple[str, str]]:
    """The numbers at the head of the page."""
    rate = run.images_per_second
    found = [("Epochs", f"{run.epochs:,}"), ("Training time", duration(run.seconds))]
    found += [("Images/s", "–" if rate is None else f"{rate:,.0f}")]
    found += [(f"{name.capitalize()} weights", count(size)) for name, size in run.parameters.items()]
    if scores:
        best = scores[0].best
        value, name = (best, "Best") if best else (scores[0].last, "Last")
        found.append((f"{name} {scores[0].name}", figure(value[1])))
    return [*found, ("Seed", str(run.options.get("seed", "–")))]


def curves_of(run: StoredRun, scores: list[Score]) -> list[tuple[Any, ...]]:
    """The charts of the page: the losses on one pair of axes, each score on its own; with what explains them."""
    losses = [Line(name, i % 8, points) for i, (name, points) in enumerate(run.losses().items())]
    x = [point[0] for line in losses for point in line.points]
    x += [point[0] for score in scores for point in score.points]
    found: list[tuple[Any, ...]] = []
    if losses:
        gaps = any(y is None for line in losses for _, y in line.points)
        note = "Where a line has a gap, the loss was infinite or undefined." if gaps else ""
        keys = [(line.name, line.colour, False) for line in losses]
        found.append(("Losses", chart("Losses", losses, (min(x), max(x))), keys, note))
    names = [score.name for score in scores]
    for index, score in enumerate(scores, 2):
        lines = [Line(score.name, index % 8, score.curve)]
        if score.real is not None:
            lines.append(
                Line("real against real", 7, [(at, score.real) for at in (min(x), max(x))], dashed=True)
            )
        note = f"Measured with {text(score.shown)}." if names.count(score.name) > 1 else ""
        keys = [(line.name, line.colour, line.dashed) for line in lines] if len(lines) > 1 else []
        found.append((score.name, chart(score.name, lines, (min(x), max(x)), score.orders), keys, note))
    return found


def pictures_of(run: StoredRun) -> list[dict[str, Any]]:
    """The samples of the page: at most a dozen, the first and the last among them, small enough together."""
    found = run.snapshots()
    if len(found) > PICTURES:
        places = [round(i * (len(found) - 1) / (PICTURES - 1)) for i in range(PICTURES)]
        found = [found[place] for place in places]
    pictures = []
    for epoch, path in found:
        picture = open_picture(path)
        if picture is not None:
            source, width, height = embedded(picture, ROOM // PICTURES)
            alt = f"Grid of samples after epoch {epoch}"
            pictures.append({"epoch": epoch, "source": source, "width": width, "height": height, "alt": alt})
    return pictures


def drawn(run: StoredRun) -> str:
    """A sentence about what the pictures show."""
    if run.setting("snapshot_translate") is not False and run.options.get("game") == "translate":
        return "Of each example: what was generated, the input, the target."
    if run.setting("sample_from_fixed_noise"):
        return "Each picture is drawn from the same noise, so one sees how an image changes."
    return "Each picture is drawn from noise of its own."
