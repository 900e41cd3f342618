"""Snapshot `folder`."""

from pathlib import Path
from typing import Any

from PIL import Image
from torch import Tensor

from ganzo.registry import register
from ganzo.snapshot import Snapshot


@register("snapshot", "folder", default=True)
class FolderSnapshot(Snapshot):
    """Writes each snapshot as `samples/epoch_<n>.png`: a grid of images with gaps, small images enlarged smoothly.

    Args:
        folder: the run's output folder
    """

    def __init__(self, *, folder: str | Path = ".", **named: Any):
        super().__init__(**named)
        self.folder = Path(folder) / "samples"

    def write(self, picture: Tensor, number: int) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"epoch_{number}.png"
        temporary = path.with_suffix(".tmp")
        pixels = picture.permute(1, 2, 0).numpy()
        Image.fromarray(pixels.squeeze(-1) if pixels.shape[-1] == 1 else pixels).save(temporary, "png")
        temporary.replace(path)


FolderSnaphot = FolderSnapshot  # the older spelling
