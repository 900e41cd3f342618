"""Statistics `tensorboard`."""

from pathlib import Path
from typing import Any

from ganzo.nn.tensorboard import writer
from ganzo.registry import register
from ganzo.statistics import Statistics


@register("statistics", "tensorboard")
class TensorBoardStatistics(Statistics):
    """Writes each number as a TensorBoard scalar of its own name, with the epoch as its step.

    Args:
        folder: the run's output folder; events lie in its `tensorboard`
    """

    def __init__(self, *, folder: str | Path = "."):
        self.folder = Path(folder) / "tensorboard"
        self.writer = writer(self.folder)
        self.epoch = 0

    def log(self, losses: dict[str, float]) -> None:
        self.epoch = int(losses.get("epoch", self.epoch + 1))
        for name, value in losses.items():
            if name != "epoch":
                self.writer.add_scalar(name, value, self.epoch)
        self.writer.flush()

    def state_dict(self) -> dict[str, Any]:
        return {"epoch": self.epoch}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.epoch = state["epoch"]
        self.writer.close()
        self.writer = writer(self.folder, purge_step=self.epoch + 1)

    def close(self) -> None:
        self.writer.close()
