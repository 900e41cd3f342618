"""Snapshot `tensorboard`."""

from pathlib import Path
from typing import Any

from torch import Tensor

from ganzo.nn.tensorboard import writer
from ganzo.registry import register
from ganzo.snapshot import Snapshot


@register("snapshot", "tensorboard")
class TensorBoardSnapshot(Snapshot):
    """Writes each snapshot to TensorBoard under the tag `images`.

    Args:
        folder: the run's output folder; events lie in its `tensorboard`
    """

    def __init__(self, *, folder: str | Path = ".", **named: Any):
        super().__init__(**named)
        self.writer = writer(Path(folder) / "tensorboard")

    def write(self, picture: Tensor, number: int) -> None:
        self.writer.add_image("images", picture, number)
        self.writer.flush()

    def close(self) -> None:
        self.writer.close()
