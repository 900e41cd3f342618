"""Source `kmnist`."""

from ganzo.data.idx import IdxSource
from ganzo.registry import register


@register("dataset", "kmnist")
class KmnistSource(IdxSource):
    """Kuzushiji-MNIST: 70,000 cursive hiragana of ten classes, 28×28 grey pixels, 60,000 to train on, 10,000 to test.

    Data: T. Clanuwat, M. Bober-Irizar, A. Kitamoto, A. Lamb, K. Yamamoto and D. Ha, "Deep Learning for Classical
    Japanese Literature", 2018, https://arxiv.org/abs/1812.01718; 21 MB to fetch, CC BY-SA 4.0.
    """

    called = "kmnist"
    class_names = ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo")
    url = "http://codh.rois.ac.jp/kmnist/dataset/kmnist/"
    inside = ("KMNIST/raw", "kmnist")
    sums = (
        "bdb82020997e1d708af4cf47b453dcf7",
        "e144d726b3acfaa3e44228e80efcd344",
        "5c965bf0a639b31b8f53240b1b52f4d7",
        "7320c461ea6c1c855c0b718fb2a4b134",
    )
