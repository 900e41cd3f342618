"""The numbers of a stored run as a data frame. Nothing here needs torch."""

import json
import os
from pathlib import Path
from typing import Any

from ganzo.errors import RunError
from ganzo.whereabouts import FOLDERS, find_run, pointed

FILE = "results.json"


def results(run: str | os.PathLike[str], model_dir: str | os.PathLike[str] = FOLDERS["model_dir"]) -> Any:
    """The numbers of a run as a pandas DataFrame, one row for each epoch.

    Args:
        run: its name, `name/trial`, or the path of either of its folders
        model_dir: where runs keep their weights

    Raises:
        RunError: where there is no such run, none of its epochs is over, or pandas is missing
    """
    try:
        import pandas
    except ImportError as error:
        raise RunError(
            f'`ganzo.results` needs pandas, which cannot be imported ({error}); run `pip install "ganzo[frames]"`.'
        ) from error
    path = record_of(str(run), Path(model_dir))
    lines = read_records(path)
    if not lines:
        raise RunError(f"`{path}` holds no numbers yet: no epoch of the run is over.")
    for line in lines:
        if "protocol" in line:  # as text, so that rows can be grouped by it
            line["protocol"] = json.dumps(line["protocol"], sort_keys=True)
    frame = pandas.DataFrame(lines)
    numbers = [name for name in frame.columns if name != "protocol"]
    return frame.assign(**{name: pandas.to_numeric(frame[name]) for name in numbers})


def record_of(run: str, model_dir: Path) -> Path:
    """The file of a run's numbers; the weights may be elsewhere, or gone."""
    given = Path(run)
    places = [given] if len(given.parts) > 1 else []
    try:
        folder = find_run(run, model_dir)
        places += [place for place in (pointed(folder, "output_folder"), folder) if place is not None]
    except RunError as error:
        missing: RunError | None = error
    else:
        missing = None
    for place in (*places, Path(FOLDERS["output_dir"]) / run, given):
        if place.is_file() and place.name == FILE:
            return place
        if (place / FILE).is_file():
            return place / FILE
    if missing is not None:
        raise missing
    return places[0] / FILE  # of a run that has hardly begun


def read_records(path: Path) -> list[dict[str, Any]]:
    """The records of a file of numbers; a last line that is being written is left out.

    Raises:
        RunError: where a line is no record
    """
    try:
        texts = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    except (OSError, ValueError) as error:
        raise RunError(f"`{path}` cannot be read ({error}).") from error
    lines = []
    for count, text in enumerate(texts, 1):
        try:
            line = json.loads(text)
        except (ValueError, RecursionError):
            line = None
        if isinstance(line, dict):
            lines.append(line)
        elif count < len(texts):
            raise RunError(f"`{path}` must hold a record of JSON in each line; line {count} is none.")
    return lines
