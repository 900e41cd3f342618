"""Source `fashion-mnist`."""

from ganzo.data.idx import IdxSource
from ganzo.registry import register


@register("dataset", "fashion-mnist")
class FashionMnistSource(IdxSource):
    """Fashion-MNIST: 70,000 articles of clothing, 28×28 grey pixels, 60,000 to train on and 10,000 to test.

    Data: H. Xiao, K. Rasul and R. Vollgraf, "Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning
    Algorithms", 2017, https://arxiv.org/abs/1708.07747; 30.9 MB to fetch, MIT licence.
    """

    called = "fashion-mnist"
    class_names = (
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    )
    url = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"
    inside = ("FashionMNIST/raw", "fashion-mnist")
    sums = (
        "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
        "25c81989df183df01b3e8a0aad5dffbe",
        "bef4ecab320f06d8554ea6380940ec79",
        "bb300cfdad3c16e7a12a480ee83cd310",
    )
