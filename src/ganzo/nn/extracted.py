"""The extractors of features: what they see in images, and what of it is kept on disk."""

import contextlib
from collections.abc import Callable, Collection
from pathlib import Path

import torch
from torch import nn

from ganzo.errors import OptionError
from ganzo.nn.cache import checksum_of, key_of, read_tensors, write_tensors
from ganzo.nn.collected import Collected, Seen, as_seen
from ganzo.nn.fakes import Portions
from ganzo.nn.ranks import gathered
from ganzo.nn.references import Pictures, References

FORMAT = 1  # of what is kept


class Extractors:
    """Networks that look at images, each with what metrics need of what it sees.

    Args:
        networks: from images B×C×H×W in [-1, 1] to features B×F, or to features and logits
        needs: of each, what `Collected` gathers, and how many features it keeps
        folder: where it is kept

    Attributes:
        image: size and channels of the images that were seen last, as `32x32x3`
    """

    def __init__(
        self,
        networks: dict[str, nn.Module],
        needs: dict[str, tuple[frozenset[str], int | None]],
        folder: Path,
    ):
        for name, network in networks.items():
            if "logits" in needs[name][0] and not getattr(network, "gives_logits", True):
                raise OptionError(
                    f"`--metrics is` and `classes` need features that read classes, and `{name}` reads none; choose"
                    " `--metrics-features classifier` (data with labels), or `inception`."
                )
        self.networks, self.needs, self.folder = networks, needs, folder
        self.image = ""
        self.checksums: dict[str, str] = {}

    def prepare(self, references: References) -> None:
        """Let those learn from real examples that must."""
        for name, network in self.networks.items():
            getattr(network, "learn", lambda *_: None)(references, self.folder)
            network.requires_grad_(False)
            self.checksums[name] = checksum_of(network)

    def to(self, device: torch.device) -> None:
        """Move all to a device."""
        for network in self.networks.values():
            network.to(device).eval()

    def collect(
        self, pictures: Pictures | Portions, names: Collection[str] | None = None
    ) -> dict[str, Collected]:
        """What is needed of images, by extractor; the images are seen once.

        Where pictures come in portions, each rank looks at its own, and has in the end what all have seen.
        """
        found = {n: Collected(*self.needs[n]) for n in (self.networks if names is None else names)}
        with contextlib.closing(pictures):  # type: ignore[type-var]
            for images, labels, *count in pictures:
                with torch.no_grad():
                    for name, collected in found.items():
                        seen = as_seen(self.networks[name](images))
                        collected.add(whole(seen, *count) if count else seen, labels)
                self.image = "x".join(map(str, (images.shape[3], images.shape[2], images.shape[1])))
        return found

    def remembered(
        self, pictures: Callable[[], Pictures], key: tuple[object, ...] | None, names: Collection[str]
    ) -> dict[str, Collected]:
        """The same, from disk where it was kept there under a key of the images; without a key it is not kept."""
        found, paths = {}, {}
        for name in names if key is not None else ():
            needs, keep = self.needs[name]
            facts = (FORMAT, key, name, self.checksums[name], sorted(needs), keep)
            paths[name] = self.folder / f"{key_of(*facts)}.safetensors"
            state = read_tensors(paths[name])
            if state is not None:
                found[name] = Collected.of(state, needs, keep)
        missing = [name for name in names if name not in found]
        made = self.collect(pictures(), missing) if missing else {}
        for name, collected in made.items():
            if key is not None and collected.count:
                write_tensors(paths[name], collected.state())
        return found | made


def whole(seen: Seen, count: int) -> Seen:
    """What all ranks have seen in so many images, in order, of what each has seen in its portion."""
    return Seen(*(None if rows is None else gathered(rows)[:count] for rows in seen))  # type: ignore[arg-type]


def real_examples(
    extractors: Extractors, references: References, names: Collection[str]
) -> dict[str, Collected]:
    """What extractors see in the real examples that scores are measured against."""
    return extractors.remembered(references.pictures, keyed("real", references.content, references), names)


def real_pair(
    extractors: Extractors, references: References, real: dict[str, Collected], names: list[str], count: int
) -> tuple[dict[str, Collected], dict[str, Collected], str] | None:
    """Two sets of real examples with as many as there are of both kinds, and what they are.

    Where a part is held out: that, and as many random training examples as there are fakes. Else two disjoint random
    halves of the training examples, the second no larger than the fakes. None where examples cannot be taken by number.

    Args:
        extractors: what looks at them
        references: the real examples
        real: what was seen of those that scores are measured against
        names: of extractors
        count: how many fakes there are
    """
    taken = references.against(count)
    if taken is None:
        return None
    one, other = taken
    if one is None:
        real = real | real_examples(extractors, references, [name for name in names if name not in real])
        key = keyed("other", references.training_content, references, count)
        return (
            real,
            extractors.remembered(lambda: references.training(other), key, names),
            "training against held out",
        )
    key = keyed("half", references.content, references)
    half = extractors.remembered(lambda: references.pictures(one), key, names)
    key = keyed("other half", references.content, references, count)
    return half, extractors.remembered(lambda: references.pictures(other), key, names), "halves of training"


def keyed(what: str, content: str | None, references: References, *more: object) -> tuple[object, ...] | None:
    """All that a set of real examples depends on; None where its content is not known."""
    size = getattr(references.data, "image_size", None)
    return None if content is None else (what, content, size, references.translates, *more)
