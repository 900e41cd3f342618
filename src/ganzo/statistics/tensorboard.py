"""Statistics `tensorboard`."""

from pathlib import Path
from typing import Any

from ganzo.nn.tensorboard import writer
from ganzo.registry import OptionError, register
from ganzo.statistics import Statistics


@register("statistics", "tensorboard")
class TensorBoardStatistics(Statistics):
    """Writes each number as a TensorBoard scalar of its own name, with the epoch as its step.

    Args:
        folder: the run's output folder; events lie in its `tensorboard`
    """

    def __init__(self, *, folder: str | Path = "."):
        self.folder = Path(folder) / "tensorboard"
        try:
            import torch.utils.tensorboard  # noqa: F401
        except (ImportError, RuntimeError) as error:
            raise OptionError(
                f'TensorBoard is not installed ({error}); run `pip install "ganzo[log]"`.'
            ) from error
        self.epoch = 0
        self.purge_step: int | None = None  # where a restored run goes on; what lies behind is hidden
        self._writer: Any = None

    @property
    def writer(self) -> Any:
        """The writer, opened when it is first needed: the run may delete what lies in its folder before."""
        if self._writer is None:
            self._writer = writer(self.folder, self.purge_step)
        return self._writer

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
        self.purge_step = self.epoch + 1
        self.close()

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None
