"""Snapshot `folder`."""

from pathlib import Path
from typing import Any

from torch import Tensor

from ganzo.nn.grid import to_picture
from ganzo.registry import register
from ganzo.snapshot import Snapshot


@register("snapshot", "folder", default=True)
class FolderSnapshot(Snapshot):
    """Writes each snapshot as `samples/epoch_<n>.png`, and real examples as `real.png`.

    A picture is a grid of images with gaps, small images enlarged smoothly.

    Args:
        folder: the run's output folder
    """

    def __init__(self, *, folder: str | Path = ".", **named: Any):
        super().__init__(**named)
        self.folder = Path(folder) / "samples"

    def write(self, picture: Tensor, number: int) -> None:
        self._write(picture, self.folder / f"epoch_{number}.png")

    def write_real(self, picture: Tensor) -> None:
        self._write(picture, self.folder.with_name("real.png"))

    def _write(self, picture: Tensor, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(".tmp")
        to_picture(picture).save(temporary, "png")
        temporary.replace(path)


FolderSnaphot = FolderSnapshot  # the older spelling
