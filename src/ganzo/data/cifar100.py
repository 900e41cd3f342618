"""Source `cifar100`."""

from typing import Any, Literal

from ganzo.data import Source
from ganzo.data.cifar import CifarSource
from ganzo.data.download import File
from ganzo.data.idx import held_out
from ganzo.registry import register


@register("dataset", "cifar100")
class Cifar100Source(CifarSource):
    """CIFAR-100: 60,000 colour pictures of 32×32 pixels in 100 classes, 50,000 to train on and 10,000 to test.

    The files are `train`, `test` and `meta` in `cifar-100-python`, or the archive `cifar-100-python.tar.gz`. They are
    pickles, and are read so that nothing in them can run.

    Data: A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009,
    https://www.cs.toronto.edu/~kriz/cifar.html; 169 MB to fetch.

    Args:
        cifar100_labels: the 100 classes, or the 20 groups of five that they lie in
    """

    called = "cifar100"
    archive = File(
        "cifar-100-python.tar.gz",
        "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz",
        "eb9058c3a382ffc7106e4002c42a8d85",
    )
    inside = "cifar-100-python"
    batches = {"train": ["train"], "test": ["test"]}
    meta = "meta"

    def __init__(self, *, cifar100_labels: Literal["fine", "coarse"] = "fine", **named: Any):
        self.kind = cifar100_labels
        self.labels_in, self.names_in = f"{cifar100_labels}_labels", f"{cifar100_labels}_label_names"
        super().__init__(**named)

    def held_out(self) -> Source | None:
        return held_out(self, data_dir=self.data_dir, download=self.download, cifar100_labels=self.kind)
