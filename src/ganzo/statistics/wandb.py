"""Statistics `wandb`."""

import netrc
import os
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ganzo.registry import register
from ganzo.statistics import Statistics, measured, optional


@register("statistics", "wandb")
class WandbStatistics(Statistics):
    """Writes each number to Weights & Biases, with the epoch as its step; offline where there is no key.

    The variable WANDB_MODE (`online`, `offline`) decides where it is set. A restored run goes on under the same id.

    Args:
        wandb_project: the project that the run belongs to
        folder: the run's output folder; what is written lies in its `wandb`
    """

    def __init__(self, *, wandb_project: str = "ganzo", folder: str | Path = "."):
        self.wandb = optional("wandb", "Weights & Biases", "wandb")
        self.project, self.folder = wandb_project, Path(folder)
        self.id: str | None = None
        self.epoch = 0
        self._run: Any = None

    @property
    def mode(self) -> str:
        """Whether numbers are sent while the run trains."""
        return os.environ.get("WANDB_MODE") or ("online" if has_key() else "offline")

    def begin(self, config: dict[str, Any]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        known, self.id = self.id, self.id or secrets.token_hex(4)
        self._run = self.wandb.init(
            project=self.project,
            name=config.get("experiment"),
            id=self.id,
            resume="allow" if known and self.mode == "online" else None,
            dir=self.folder.absolute(),  # a process of its own writes there
            config=config,
            mode=self.mode,
            reinit="create_new",  # several runs may train in one process
            settings=self.wandb.Settings(
                silent=True, console="off", save_code=False, disable_git=True, x_disable_stats=True
            ),
        )

    def log(self, losses: dict[str, float]) -> None:
        if self._run is None:
            self.begin({})
        self.epoch = int(losses.get("epoch", self.epoch + 1))
        self._run.log(measured(losses), step=self.epoch)

    def state_dict(self) -> dict[str, Any]:
        return {"wandb": self.id, "epoch": self.epoch}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.id, self.epoch = state["wandb"], state["epoch"]

    def close(self) -> None:
        if self._run is not None:
            self._run.finish()
            self._run = None


def has_key() -> bool:
    """Whether a key is there, in a variable or where `wandb login` keeps it."""
    if os.environ.get("WANDB_API_KEY"):
        return True
    host = urlsplit(os.environ.get("WANDB_BASE_URL") or "https://api.wandb.ai").hostname or ""
    try:
        return netrc.netrc(os.environ.get("NETRC")).authenticators(host) is not None
    except (OSError, netrc.NetrcParseError):
        return False
