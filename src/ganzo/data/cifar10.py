"""Source `cifar10`."""

from ganzo.data.cifar import CifarSource
from ganzo.data.download import File
from ganzo.registry import register


@register("dataset", "cifar10")
class Cifar10Source(CifarSource):
    """CIFAR-10: 60,000 colour pictures of 32×32 pixels in ten classes, 50,000 to train on and 10,000 to test.

    The files are `data_batch_1` to `data_batch_5`, `test_batch` and `batches.meta` in `cifar-10-batches-py`, or the
    archive `cifar-10-python.tar.gz`. They are pickles, and are read so that nothing in them can run.

    Data: A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009,
    https://www.cs.toronto.edu/~kriz/cifar.html; 170 MB to fetch.
    """

    called = "cifar10"
    archive = File(
        "cifar-10-python.tar.gz",
        "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
        "c58f30108f718f92721af3b95e74349a",
    )
    inside = "cifar-10-batches-py"
    batches = {"train": [f"data_batch_{number}" for number in range(1, 6)], "test": ["test_batch"]}
    meta = "batches.meta"
    known = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
