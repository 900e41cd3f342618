"""Statistics `mlflow`."""

import itertools
import logging
import time
from pathlib import Path
from typing import Any

from ganzo.registry import OptionError, register
from ganzo.statistics import Statistics, measured, optional

AT_ONCE = 100  # parameters that a server takes at once
LONGEST = 500  # letters of a parameter
USED: set[Path] = set()  # files that this process had open: MLflow would go on in one that was deleted since


@register("statistics", "mlflow")
class MlflowStatistics(Statistics):
    """Writes each number to MLflow, with the epoch as its step; into a file of the run's own where no server is named.

    The variable MLFLOW_TRACKING_URI names one too. A restored run goes on in the same MLflow run.

    Args:
        mlflow_uri: a server or a database, such as `http://localhost:5000`; none for MLFLOW_TRACKING_URI, or else
            `mlflow.db` in the run's output folder
        mlflow_experiment: the experiment of MLflow that the run belongs to
        folder: the run's output folder
    """

    def __init__(
        self, *, mlflow_uri: str | None = None, mlflow_experiment: str = "ganzo", folder: str | Path = "."
    ):
        mlflow = optional("mlflow", "MLflow", "mlflow")
        self.error = optional("mlflow.exceptions", "MLflow", "mlflow").MlflowException
        self.folder, self.experiment = Path(folder), mlflow_experiment
        given = mlflow_uri or mlflow.environment_variables.MLFLOW_TRACKING_URI.get()
        self.given = given or None
        if given and (given.startswith("file:") or ("://" not in given and given != "databricks")):
            raise OptionError(
                f"`--mlflow-uri` must be a server or a database such as `sqlite:///runs.db`; got `{given}`, and MLflow"
                " keeps no runs in plain folders any more."
            )
        if not given or given.startswith("sqlite:"):
            for package in ("sqlalchemy", "alembic"):
                optional(package, f"{package} for a file of its own", "mlflow")
        logging.getLogger("mlflow.store.db").setLevel(logging.WARNING)  # it tells of each table
        self.make_client = mlflow.MlflowClient
        self.id: str | None = None
        self.file = ""  # of the run's own, where no server is given
        self.epoch = 0
        # steps that the run has already: a killed process was further than its checkpoint
        self.there: set[int] = set()
        self._client: Any = None

    @property
    def uri(self) -> str:
        """Where numbers go."""
        return self.given or f"sqlite:///{(self.folder / self.file).absolute()}"

    def begin(self, config: dict[str, Any]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        if not self.file:
            names = ("mlflow.db", *(f"mlflow-{number}.db" for number in range(2, 1000)))
            self.file = next(name for name in names if (self.folder / name).absolute() not in USED)
        USED.add((self.folder / self.file).absolute())
        try:
            self._client = self.make_client(self.uri)
            if self.id is None or not self.resume(self.id):
                self.create(config)
        except (self.error, OSError) as error:
            reason = " ".join(str(error).split())[:200]
            raise OptionError(f"`--mlflow-uri {self.uri}` cannot be used ({reason}).") from error

    def resume(self, run: str) -> bool:
        """Go on in a run of MLflow; False where it is not there."""
        try:
            self._client.update_run(run, status="RUNNING")
            self.there = {metric.step for metric in self._client.get_metric_history(run, "seconds")}
        except self.error as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            return False
        return True

    def create(self, config: dict[str, Any]) -> None:
        """Begin a run of MLflow, with every option as a parameter."""
        from mlflow.entities import Param

        found = self._client.get_experiment_by_name(self.experiment)
        place = None if self.given else (self.folder / "mlflow").absolute().as_uri()
        experiment = found.experiment_id if found else self._client.create_experiment(self.experiment, place)
        run = self._client.create_run(experiment, run_name=config.get("experiment"))
        self.id, self.there = run.info.run_id, set()
        rest = iter([Param(key, str(value)[:LONGEST]) for key, value in config.items()])
        while part := list(itertools.islice(rest, AT_ONCE)):
            self._client.log_batch(self.id, params=part)

    def log(self, losses: dict[str, float]) -> None:
        from mlflow.entities import Metric

        if self._client is None:
            self.begin({})
        self.epoch = int(losses.get("epoch", self.epoch + 1))
        if self.epoch not in self.there:
            now = int(time.time() * 1000)
            numbers = [Metric(name, value, now, self.epoch) for name, value in measured(losses).items()]
            self._client.log_batch(self.id, metrics=numbers)

    def state_dict(self) -> dict[str, Any]:
        return {"mlflow": self.id, "file": self.file, "epoch": self.epoch}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.id, self.file, self.epoch = state["mlflow"], state["file"], state["epoch"]

    def close(self) -> None:
        if self._client is not None and self.id is not None:
            self._client.set_terminated(self.id)
            self._client = None
