"""`ganzo compare`: runs side by side on a page that stands alone; what was measured differently is kept apart."""

import os
from pathlib import Path
from typing import Any

from ganzo.charts import Line, chart
from ganzo.differences import between
from ganzo.errors import OptionError
from ganzo.pages import read_words, write_page
from ganzo.progress import duration
from ganzo.scores import Score, differences, scores_of, text
from ganzo.side_by_side import panels
from ganzo.stored import StoredRun, read_run

HELP = """usage: ganzo compare RUN RUN … [--output FILE] [--model-dir FOLDER]

Writes one page that puts runs side by side: samples from the same noise, curves and scores (those of the same
protocol together, others apart), and the options in which the runs differ. It stands alone; it needs no network.

  RUN                 name of a run, or the path of either of its folders
  --output FILE       the page (compare.html)
  --model-dir FOLDER  where runs keep their weights (models)"""
CONTENTS = ("runs", "samples", "scores", "curves", "options")


def command(words: list[str]) -> int:
    """`ganzo compare RUN RUN … [--output FILE]`."""
    given = read_words("compare", words, HELP)
    if given is None:
        return 0
    names, output, model_dir = given
    if len(names) < 2:
        hint = f"; see one alone by `ganzo report {names[0]}`" if names else ""
        raise OptionError(
            f"`ganzo compare` needs the names of two runs or more; got {' '.join(names) or 'none'}{hint}."
        )
    runs = [read_run(name, model_dir) for name in names]
    places = [run.folder.resolve() for run in runs]
    for index, run in enumerate(runs):
        if places[index] in places[:index]:
            raise OptionError(
                f"Each run may be named once; `{names[index]}` is the run in `{run.folder}` again."
            )
    told_apart(runs)
    path = output or Path("compare.html")
    write_comparison(runs, path)
    print(path)
    return 0


def told_apart(runs: list[StoredRun]) -> None:
    """Call runs of the same name by their folders."""
    names = [run.name for run in runs]
    for run in runs:
        if names.count(run.name) > 1:
            run.name = os.path.relpath(run.folder)


def write_comparison(runs: list[StoredRun], path: Path) -> None:
    """Write the page of several runs."""
    groups = score_groups(runs)
    rows = between(runs)
    write_page(
        path,
        "compare.html",
        kind="comparison",
        title=" · ".join(run.name for run in runs),
        contents=[(name, name.capitalize()) for name in CONTENTS],
        runs=runs,
        networks=list(dict.fromkeys(name for run in runs for name in run.parameters)),
        duration=duration,
        panels=panels(runs),
        groups=groups,
        unscored=[run.name for run in runs if not scores_of(run)],
        losses=loss_charts(runs),
        options=[(key, values) for key, values, matters in rows if matters],
        beside=[(key, values) for key, values, matters in rows if not matters],
    )


def score_groups(runs: list[StoredRun]) -> list[dict[str, Any]]:
    """One entry for each score: groups of runs that measured it in the same way, and why there are several."""
    found: dict[str, dict[str, list[tuple[int, Score]]]] = {}
    for index, run in enumerate(runs):
        for score in scores_of(run):
            found.setdefault(score.name, {}).setdefault(score.key, []).append((index, score))
    entries = []
    for name, by_key in found.items():
        members = list(by_key.values())
        why = differences([group[0][1].shown for group in members]) if len(members) > 1 else ""
        entries.append({"name": name, "why": why, "groups": [score_group(runs, group) for group in members]})
    return entries


def score_group(runs: list[StoredRun], members: list[tuple[int, Score]]) -> dict[str, Any]:
    """The table and the chart of a score that was measured in one way; the best run first."""
    one = members[0][1]
    lines = [Line(runs[index].name, index % 8, score.curve, index >= 8) for index, score in members]
    rows = [(runs[index], index, score) for index, score in members]
    if one.higher is not None:
        rows.sort(key=lambda row: worth(row[2]), reverse=True)
    return {
        "protocol": text(one.shown),
        "told": one.told,
        "higher": one.higher,
        "rows": rows,
        "ranked": one.higher is not None and len({index for index, _ in members}) > 1,
        "real": any(score.real is not None for _, score in members),
        "chart": chart(one.name, lines, orders=one.orders),
        "keys": [(line.name, line.colour, line.dashed) for line in lines],
    }


def worth(score: Score) -> float:
    """The best value of a score, so that more is better; below all others where there is none."""
    best = score.best
    if best is None or best[1] is None:
        return float("-inf")
    return best[1] if score.higher else -best[1]


def loss_charts(runs: list[StoredRun]) -> list[tuple[Any, ...]]:
    """A chart of each player's loss, for each kind of loss: a hinge loss and a logistic one are other quantities."""
    kinds: dict[str, list[int]] = {}
    for index, run in enumerate(runs):
        kind = f"loss {run.named('loss')}, game {run.named('game')}, penalty {run.named('regularizer')}"
        kinds.setdefault(kind, []).append(index)
    found: list[tuple[Any, ...]] = []
    for kind, members in kinds.items():
        losses = {index: runs[index].losses() for index in members}
        for player in dict.fromkeys(name for each in losses.values() for name in each):
            lines = [
                Line(runs[index].name, index % 8, losses[index][player], index >= 8)
                for index in members
                if player in losses[index]
            ]
            keys = [(line.name, line.colour, line.dashed) for line in lines]
            found.append((f"Loss of the {player}", chart(f"Loss of the {player}", lines), keys, kind))
    return found
