"""Data out of the packed store: what single pictures and pairs share, with all their options."""

from typing import Any, Literal

import torch

from ganzo.data import Batch, Data, Source
from ganzo.data.batches import StoredData
from ganzo.data.pixels import Resize
from ganzo.data.selection import may_hold_out, subset_of, words_of
from ganzo.data.store import Packed, cache_folder, pack
from ganzo.data.vary import Vary, centred, larger
from ganzo.nn.side import sides, size_of
from ganzo.registry import Count, Fraction, ImageSize, Natural, Words


class PackedData(StoredData):
    """Examples of a source, decoded once into a store of 8-bit pixels that the next run finds again.

    Args:
        source: where the pictures come from
        image_size: side of square images in pixels, or `WxH`; all pictures are brought to it
        image_colors: 1 for grey, 3 for colour; pictures are converted
        resize: how pictures are brought to their size: `stretch` both sides, cover it and `crop` the middle, or fit
            inside and `pad` with black
        random_flip: whether each example is mirrored left to right, each time with a probability of one half
        random_crop: whether pictures are stored an eighth larger, and each time another window of them is taken
        image_class: classes that are kept, names or numbers separated by commas (none: all)
        subset: number of random examples that are kept (none: all)
        subset_seed: seed of the choice of that subset
        batch_size: examples in a batch of all processes together; the last incomplete batch of a pass is dropped
        loader_workers: threads that decode while packing (none: as many as there are cores; 0: no extra thread)
        max_bad_fraction: share of damaged pictures that is skipped before training is refused; one may be, but by 0
        cache_dir: folder of the packed stores (none: $GANZO_CACHE_DIR, or ~/.cache/ganzo)
        pin_memory: whether batches that travel to a CUDA device go through pinned memory (none: they do)
        device: where the players live; the store moves there when it fits
        seed: seed of the permutations and of the random changes
    """

    def __init__(
        self,
        source: Source,
        *,
        image_size: ImageSize = 64,
        image_colors: Literal[1, 3] = 3,
        resize: Resize = "stretch",
        random_flip: bool = False,
        random_crop: bool = False,
        image_class: Words | None = None,
        subset: Count | None = None,
        subset_seed: Natural = 0,
        batch_size: Count = 64,
        loader_workers: Natural | None = None,
        max_bad_fraction: Fraction = 0.01,
        cache_dir: str | None = None,
        pin_memory: bool | None = None,
        device: torch.device | str = "cpu",
        seed: int | None = None,
    ):
        source = self.examples_of(source)
        if image_class is not None:
            source = source.select(words_of(image_class, source))
        if subset is not None:
            source = subset_of(source, subset, subset_seed)
        keeps = may_hold_out(source)
        # a million names of files are let go when they have been read
        self.source = source if keeps else None
        self.device = device
        window = sides(image_size) if random_crop else None
        self.packing: dict[str, Any] = {
            "size": size_of(*map(larger, window)) if window else image_size,
            "colors": image_colors,
            "resize": resize,
            "folder": cache_folder(cache_dir),
            "workers": loader_workers,
            "max_bad_fraction": max_bad_fraction,
        }
        packed = pack(source, **self.packing)
        self.bad = packed.bad
        super().__init__(
            as_batch(packed, source),
            batch_size=batch_size,
            class_names=source.class_names,
            seed=seed,
            device=device,
            name=source.name,
            content=packed.content,
            vary=Vary(seed, flip=random_flip, window=window) if random_flip or random_crop else None,
            pin_memory=pin_memory,
        )

    def examples_of(self, source: Source) -> Source:
        """The examples that are made of a source's pictures: these themselves, where a class does not say."""
        return source

    def held_out(self) -> Data | None:
        source = None if self.source is None else self.source.held_out()
        if source is None:
            return None
        packed = pack(source, **self.packing)
        return StoredData(
            centred(as_batch(packed, source), self.window),
            batch_size=self.batch_size,
            class_names=source.class_names,
            device=self.device,
            shuffle=False,
            name=source.name,
            content=packed.content if self.window is None else None,
        )


def as_batch(packed: Packed, source: Source) -> Batch:
    """Packed pictures as one batch; of a pair the first is the input, the second the target."""
    image, *target = packed.images.chunk(source.pictures_each, dim=1)
    return Batch(image, packed.labels, *target)
