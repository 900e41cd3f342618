"""In which options runs differ: from what they started from, and from each other."""

import contextlib
import json
from typing import Any

from ganzo.catalogue import FREE
from ganzo.errors import GanzoError
from ganzo.grammar import items
from ganzo.loading import is_path
from ganzo.options import Completed, Layer, saveable
from ganzo.recipes import read_config, recipes
from ganzo.roles import ROLES
from ganzo.stored import StoredRun

TOLD_ELSEWHERE = frozenset(("experiment", "model_dir", "output_dir", "third_party", "name", "trial_id"))
MISSING = "–"


def from_the_start(run: StoredRun) -> tuple[str, list[tuple[str, Any, Any, bool]]]:
    """What a run started from, and each option that differs: its key, value there, value here, whether it matters.

    A run does not store who set what: it is compared with what its command line names.
    """
    started, values = origin(run)
    before = beginning(run, values)
    return started, [
        (key, before.get(key, MISSING), here, key not in FREE or key == "epochs")
        for key, here in sorted(run.options.items())
        if key not in TOLD_ELSEWHERE and plain(before.get(key, MISSING)) != plain(here)
    ]


def origin(run: StoredRun) -> tuple[str, dict[str, Any]]:
    """The recipe or file that a run's command line names, or else the recipe of its name; none for the defaults."""
    words = [str(word) for word in run.environment.get("command") or ()]
    pairs = zip(words, [*words[1:], ""], strict=False)
    named = [word.partition("=")[2] or after for word, after in pairs if word.partition("=")[0] == "--config"]
    for name in (*named, run.options.get("config"), run.name):
        with contextlib.suppress(GanzoError):
            if name in recipes():
                return f"the recipe {name}", read_config(str(name))
            if name in named:
                return f"the file {name}", read_config(str(name))
    return "the defaults", {}


def beginning(run: StoredRun, values: dict[str, Any]) -> dict[str, Any]:
    """Every value that a run would have had, had nobody said anything but which parts it has.

    The code of third parties is not run: where a part comes from a file, only what is written down is compared.
    """
    parts = {key: run.options[key] for key in ROLES if key in run.options}
    try:
        if any(is_path(item.name) for key, value in parts.items() for item in items(value, key)):
            return run.options | values
        own = saveable(Completed([Layer("recipe", values)]).options)
        alone = {key: value for key, value in parts.items() if isinstance(value, str)}
        beside = saveable(Completed([Layer("recipe", values), Layer("run", alone)]).options)
    except GanzoError:  # of another version, or of a module that is not there
        return run.options | values
    return beside | {key: own[key] for key in ROLES if key in own}


def between(runs: list[StoredRun]) -> list[tuple[str, list[Any], bool]]:
    """The options in which runs differ: key, the value of each run, whether it changes what is learnt."""
    keys = sorted({key for run in runs for key in run.options} - TOLD_ELSEWHERE)
    rows = [(key, [run.options.get(key, MISSING) for run in runs]) for key in keys]
    return [
        (key, values, key not in FREE or key == "epochs")
        for key, values in rows
        if len({plain(value) for value in values}) > 1
    ]


def plain(value: Any) -> str:
    """A value as its file would hold it; `0` and `0.0` are the same."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return json.dumps(value, sort_keys=True, default=str)
