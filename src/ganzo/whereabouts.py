"""Where a run lies: its name, its trial, its folders, and how it is found again by any of them.

`<model-dir>/<experiment>/` and `<output-dir>/<experiment>/`; where RESULTS_DIR or `--results-dir` names a root, both
are one folder, `<root>/<name>/<trial>`. Nothing here needs torch.
"""

import json
import os
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path

from ganzo.errors import OptionError, RunError

FOLDERS = {"model_dir": "models", "output_dir": "output"}  # as they are where nobody says anything
ROOT = "RESULTS_DIR"
NAME = "SHK_EXPERIMENT_ID"  # an old spelling
TRIALS = ("SLURM_JOB_ID", "SHK_TRIAL_ID")  # the first that is set; the second is an old spelling
FIRST = "1"  # the trial that nobody gave a name


def variable(*names: str) -> str | None:
    """The first of some variables that is set to more than nothing."""
    return next((value for name in names if (value := os.environ.get(name))), None)


def settle_place(options: Namespace, hashed: Callable[[Namespace], str]) -> None:
    """Settle the name and the folders of a run; what is settled stays as it is when it is settled again.

    Args:
        options: of the run; its `experiment`, `model_dir` and `output_dir` are filled in
        hashed: gives a run that has no name one
    """
    if options.experiment is None:
        options.experiment = variable(NAME) or hashed(options)
    root, trial = root_of(options), getattr(options, "trial_id", None)
    name, _, settled = options.experiment.partition("/") if root else (options.experiment, "", "")
    check_plain("--experiment", name)
    if root is not None:
        trial = trial or settled or variable(*TRIALS) or FIRST
        check_plain("--trial-id", trial)
        options.experiment, options.model_dir, options.output_dir = f"{name}/{trial}", root, root
    elif trial is not None:
        check_plain("--trial-id", trial)
        if not name.endswith(f"-{trial}"):
            options.experiment = f"{name}-{trial}"
            check_plain("--experiment", options.experiment)


def root_of(options: Namespace) -> str | None:
    """The root of `<root>/<name>/<trial>`, where the run lies in one folder of that kind.

    Folders that are given beat the variable RESULTS_DIR. A run that was restored, or is read from a file, has the
    root for its `model_dir` already, and `name/trial` for its `experiment`.
    """
    given, settled = getattr(options, "results_dir", None), "/" in options.experiment
    others = {
        key: getattr(options, key) for key, default in FOLDERS.items() if getattr(options, key) != default
    }
    if given is not None:
        wrong = [key for key, value in others.items() if value != given]
        if not given:
            raise OptionError("`--results-dir` must be a folder; got ``.")
        if wrong and not (settled and options.model_dir == given):
            flag = f"--{wrong[0].replace('_', '-')}"
            raise OptionError(
                f"`--results-dir` holds all that a run writes, and `{flag} {others[wrong[0]]}` asks for another"
                " folder; leave one of the two out."
            )
        return given
    root = variable(ROOT)
    if root is not None and (not others or (settled and options.model_dir == root)):
        return root
    return options.model_dir if settled and options.model_dir == options.output_dir else None


def check_plain(flag: str, name: str) -> None:
    """See that a name can be that of a folder.

    Raises:
        OptionError: where it cannot
    """
    if not name or name in (".", "..") or set(name) & set("/\\\0"):
        raise OptionError(f"`{flag}` must be a plain name without slashes; got `{name}`.")
    if len(os.fsencode(name)) > 200:
        raise OptionError(f"`{flag}` must be at most 200 letters long; got {len(name)}.")


def requeued() -> str | None:
    """How often a scheduler, or torchrun, has started this job again, in words; None where none has."""
    by = {
        "SLURM_RESTART_COUNT": f"of SLURM job {variable('SLURM_JOB_ID') or '?'}",
        "TORCHELASTIC_RESTART_COUNT": "by torchrun",
    }
    for name, whose in by.items():
        count = os.environ.get(name, "")
        if count.isascii() and count.isdigit() and int(count) > 0:
            return f"restart {count} {whose}"
    return None


def restore_requeued(options: Namespace) -> None:
    """Restore a run whose job is started again by the same command line, also by one with `--delete`."""
    if requeued() and (Path(options.model_dir) / options.experiment / "options.json").is_file():
        options.restore, options.delete = True, False


def find_run(name: str, model_dir: Path) -> Path:
    """The model folder of a run, given by its name, by `name/trial`, or by the path of either of its folders.

    Raises:
        RunError: where there is none, or a name has several trials
    """
    named = len(Path(name).parts) <= 2 and not Path(name).is_absolute() and ".." not in Path(name).parts
    named = named and name not in ("", ".")
    root = variable(ROOT)
    places = [Path(root) / name] if named and root else []
    places += [*([model_dir / name] if named else []), Path(name)]
    for place in places:
        if (found := model_folder(place)) is not None:
            return found
        trials = trials_of(place)
        if len(trials) == 1:
            return trials[0]
        if trials:
            raise RunError(
                f"`{name}` has {len(trials)} trials in `{place}`; name one of them, such as"
                f" `{name}/{trials[-1].name}`."
            )
    shown = places[0] if Path(name).name == name else Path(name)
    raise RunError(f"There is no run in `{shown}`; name one with `--experiment` (and `--model-dir`).")


def model_folder(place: Path) -> Path | None:
    """The model folder that a folder is, or points to."""
    if (place / "options.json").is_file():
        return place.resolve() if place.name in ("", ".", "..") else place
    other = pointed(place, "model_folder")
    return other if other is not None and (other / "options.json").is_file() else None


def trials_of(folder: Path) -> list[Path]:
    """The trials that lie below an experiment's name, the oldest first."""
    found = [path.parent for path in folder.glob("*/options.json")] if folder.is_dir() else []
    found = [path for path in found if pointed(path, "output_folder") == Path(os.path.relpath(path))]
    return sorted(found, key=lambda path: (path / "options.json").stat().st_mtime)


def pointed(place: Path, which: str) -> Path | None:
    """Where a folder of a run says that one of the run's folders lies."""
    try:
        told = json.loads((place / "folders.json").read_text(encoding="utf-8"))[which]
        return Path(os.path.relpath(place / told))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def output_of(folder: Path, otherwise: Path) -> Path:
    """Where the output folder of a run lies, as its model folder tells; otherwise where its options say."""
    place = pointed(folder, "output_folder")
    if place is None or place.name != folder.name or not place.is_dir():
        return otherwise
    return place.parent
