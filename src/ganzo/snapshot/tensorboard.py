"""Snapshot `tensorboard`."""

from pathlib import Path
from typing import Any

from torch import Tensor

from ganzo.nn.tensorboard import writer
from ganzo.registry import OptionError, register
from ganzo.snapshot import Snapshot


@register("snapshot", "tensorboard")
class TensorBoardSnapshot(Snapshot):
    """Writes each snapshot to TensorBoard under the tag `images`, and real examples under `real`.

    Args:
        folder: the run's output folder; events lie in its `tensorboard`
    """

    def __init__(self, *, folder: str | Path = ".", **named: Any):
        super().__init__(**named)
        try:
            import torch.utils.tensorboard  # noqa: F401
        except (ImportError, RuntimeError) as error:
            raise OptionError(
                f'TensorBoard is not installed ({error}); run `pip install "ganzo[log]"`.'
            ) from error
        self.folder = Path(folder) / "tensorboard"
        self._writer: Any = None

    @property
    def writer(self) -> Any:
        """The writer, opened when it is first needed: the run may delete what lies in its folder before."""
        if self._writer is None:
            self._writer = writer(self.folder)
        return self._writer

    def write(self, picture: Tensor, number: int) -> None:
        self.writer.add_image("images", picture, number)
        self.writer.flush()

    def write_real(self, picture: Tensor) -> None:
        self.writer.add_image("real", picture, 0)
        self.writer.flush()

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None


TensorBoardSnaphot = TensorBoardSnapshot  # the older spelling
