"""Source `mnist`."""

from ganzo.data.idx import IdxSource
from ganzo.registry import register


@register("dataset", "mnist")
class MnistSource(IdxSource):
    """MNIST: 70,000 handwritten digits of 28×28 grey pixels, 60,000 to train on and 10,000 to test.

    Data: Y. LeCun, L. Bottou, Y. Bengio and P. Haffner, "Gradient-based learning applied to document recognition",
    Proceedings of the IEEE 86(11), 1998, https://doi.org/10.1109/5.726791; 11.6 MB to fetch, CC BY-SA 3.0.
    """

    called = "mnist"
    class_names = tuple("0123456789")
    url = "https://ossci-datasets.s3.amazonaws.com/mnist/"
    inside = ("MNIST/raw", "mnist")
    sums = (
        "f68b3c2dcbeaaa9fbdd348bbdeb94873",
        "d53e105ee54ea40749a09fcbcd1e9432",
        "9fb629c4189551a2d022fa330f9573f3",
        "ec29112dd5afa0611ce80d1b7f02629c",
    )
