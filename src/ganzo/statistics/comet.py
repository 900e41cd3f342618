"""Statistics `comet`."""

import logging
import secrets
from pathlib import Path
from typing import Any

from ganzo.registry import register
from ganzo.statistics import Statistics, measured, optional

QUIET = {  # what Comet would else gather by itself
    **dict.fromkeys(("log_code", "log_graph", "parse_args", "log_git_metadata", "log_git_patch"), False),
    **dict.fromkeys(("auto_param_logging", "auto_metric_logging", "auto_output_logging"), False),
    **dict.fromkeys(("log_env_details", "log_env_gpu", "log_env_cpu", "log_env_host"), False),
    "display_summary_level": 0,
}


@register("statistics", "comet")
class CometStatistics(Statistics):
    """Writes each number to Comet, with the epoch as its step; where there is no key, into archives to upload later.

    The variable COMET_API_KEY holds the key. A restored run goes on in the same experiment of Comet.

    Args:
        comet_project: the project that the run belongs to
        folder: the run's output folder; archives lie in its `comet`
    """

    def __init__(self, *, comet_project: str = "ganzo", folder: str | Path = "."):
        self.comet = optional("comet_ml", "Comet", "comet")
        # it has much to say about what it cannot gather
        logging.getLogger("comet_ml").setLevel(logging.ERROR)
        self.project, self.folder = comet_project, Path(folder) / "comet"
        self.key: str | None = None
        self.epoch = 0
        self._experiment: Any = None

    def begin(self, config: dict[str, Any]) -> None:
        known, self.key = self.key, self.key or secrets.token_hex(16)
        online = bool(self.comet.get_config("comet.api_key"))
        settings: dict[str, Any] = dict(QUIET)
        if not online:
            self.folder.mkdir(parents=True, exist_ok=True)
            settings |= {"offline_directory": str(self.folder)}
        if known:
            cls = self.comet.ExistingExperiment if online else self.comet.ExistingOfflineExperiment
            self._experiment = cls(previous_experiment=self.key, **settings)
        else:
            cls = self.comet.Experiment if online else self.comet.OfflineExperiment
            self._experiment = cls(project_name=self.project, experiment_key=self.key, **settings)
            self._experiment.set_name(config.get("experiment", "ganzo"))
            self._experiment.log_parameters(config)

    def log(self, losses: dict[str, float]) -> None:
        if self._experiment is None:
            self.begin({})
        self.epoch = int(losses.get("epoch", self.epoch + 1))
        self._experiment.log_metrics(measured(losses), step=self.epoch, epoch=self.epoch)

    def state_dict(self) -> dict[str, Any]:
        return {"comet": self.key, "epoch": self.epoch}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.key, self.epoch = state["comet"], state["epoch"]

    def close(self) -> None:
        if self._experiment is not None:
            self._experiment.end()
            self._experiment = None
