"""Data `single-image`."""

from typing import Any, Literal

import torch

from ganzo.data import Batch, Data, Source
from ganzo.data.batches import StoredData
from ganzo.data.store import cache_folder, pack
from ganzo.registry import Count, Fraction, Natural, register


@register("data", "single-image", default=True)
class SingleImageData(StoredData):
    """One picture per example, with its class where the source knows classes.

    The pictures are decoded once, into a packed store of 8-bit pixels that the next run finds again.

    Args:
        source: where the pictures come from
        image_size: side of the square that pictures are stretched to, in pixels
        image_colors: 1 for grey, 3 for colour; pictures are converted
        batch_size: examples in a batch; the last incomplete batch of a pass is dropped
        loader_workers: threads that decode while packing (none: as many as there are cores; 0: no extra thread)
        max_bad_fraction: share of damaged pictures that is skipped before training is refused; one is always allowed
        cache_dir: folder of the packed stores (none: $GANZO_CACHE_DIR, or ~/.cache/ganzo)
        device: where the players live; the store moves there when it fits
        seed: seed of the permutations

    Shape: image uint8 B×C×H×W in 0 to 255, label int64 B.
    """

    def __init__(
        self,
        source: Source,
        *,
        image_size: Count = 64,
        image_colors: Literal[1, 3] = 3,
        batch_size: Count = 64,
        loader_workers: Natural | None = None,
        max_bad_fraction: Fraction = 0.01,
        cache_dir: str | None = None,
        device: torch.device | str = "cpu",
        seed: int | None = None,
    ):
        self.source, self.device = source, device
        self.packing: dict[str, Any] = {
            "size": image_size,
            "colors": image_colors,
            "folder": cache_folder(cache_dir),
            "workers": loader_workers,
            "max_bad_fraction": max_bad_fraction,
        }
        images, labels, self.bad, content = pack(source, **self.packing)
        super().__init__(
            Batch(images, labels),
            batch_size=batch_size,
            class_names=source.class_names,
            seed=seed,
            device=device,
            name=source.name,
            content=content,
        )

    def held_out(self) -> Data | None:
        source = self.source.held_out()
        if source is None:
            return None
        images, labels, _, content = pack(source, **self.packing)
        return StoredData(
            Batch(images, labels),
            batch_size=self.batch_size,
            class_names=source.class_names,
            device=self.device,
            shuffle=False,
            name=source.name,
            content=content,
        )
