"""Source `svhn`."""

from pathlib import Path
from typing import Literal

import numpy as np

from ganzo.data import Source
from ganzo.data.download import File, fetched
from ganzo.data.idx import held_out
from ganzo.data.kept import PixelSource
from ganzo.registry import DataError, OptionError, register

URL = "http://ufldl.stanford.edu/housenumbers/"
SUMS = {
    "train": "e26dedcc434d2e4c54c9b2d4a06d8373",
    "test": "eb5a983be6a315427106f1b164d9cef3",
    "extra": "a93ce644f1a588dc4d68dda5feec44a7",
}
SIDE = 32  # pixels


@register("dataset", "svhn")
class SvhnSource(PixelSource):
    """SVHN: digits from photographs of house numbers, 32×32 colour pixels; needs SciPy.

    73,257 to train on (`train_32x32.mat`), 26,032 to test (`test_32x32.mat`), and 531,131 that are easier
    (`extra_32x32.mat`). What the files call class 10 is the digit 0.

    Data: Y. Netzer, T. Wang, A. Coates, A. Bissacco, B. Wu and A. Y. Ng, "Reading Digits in Natural Images with
    Unsupervised Feature Learning", 2011, http://ufldl.stanford.edu/housenumbers/; 182, 64 and 1,330 MB to fetch, for
    non-commercial use.

    Args:
        data_dir: folder with the files, or with a sub-folder `svhn` of them; what is missing is fetched into it
        dataset_part: which part to train on; with `train`, the part `test` is held out; `all` joins these two
        download: whether files that are missing are fetched
    """

    def __init__(
        self,
        *,
        data_dir: str = "data",
        dataset_part: Literal["train", "test", "extra", "all"] = "train",
        download: bool = True,
    ):
        try:
            import scipy.io  # noqa: F401
        except ImportError as error:
            raise OptionError(
                f"`--dataset svhn` reads MATLAB files by SciPy, which is not installed ({error}); run"
                ' `pip install "ganzo[data]"`.'
            ) from error
        self.data_dir, self.part, self.download = data_dir, dataset_part, download
        names = ("train", "test") if dataset_part == "all" else (dataset_part,)
        files = [File(f"{n}_32x32.mat", f"{URL}{n}_32x32.mat", SUMS[n]) for n in names]
        parts = [
            read_mat(path)
            for path in fetched(Path(data_dir).expanduser(), files, "svhn", (".", "svhn"), download)
        ]
        values, labels = (np.concatenate(column) for column in zip(*parts, strict=True))
        super().__init__(f"svhn-{dataset_part}", values, labels, "0123456789")

    def held_out(self) -> Source | None:
        return held_out(self, data_dir=self.data_dir, download=self.download)


def read_mat(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Pictures N×32×32×3 and labels N of one file."""
    from scipy.io import loadmat

    try:
        content = loadmat(path, variable_names=["X", "y"])
    except Exception as error:  # damaged bytes may make SciPy raise anything
        raise damaged(
            path, f"it cannot be read ({' '.join(str(error).split()) or type(error).__name__})"
        ) from error
    pictures, numbers = (np.asarray(content.get(name, ())) for name in ("X", "y"))
    if pictures.dtype != np.uint8 or pictures.ndim != 4 or pictures.shape[:3] != (SIDE, SIDE, 3):
        raise damaged(path, f"its `X` must be 32×32×3×N of uint8, and is {shape(pictures)}")
    if numbers.dtype.kind not in "iu" or numbers.size != pictures.shape[3]:
        raise damaged(path, f"its `y` must be {pictures.shape[3]} whole numbers, and is {shape(numbers)}")
    labels = numbers.reshape(-1).astype(np.int64)
    if labels.size and not 1 <= labels.min() <= labels.max() <= 10:
        raise damaged(path, f"its `y` must lie from 1 to 10, and lies from {labels.min()} to {labels.max()}")
    return np.ascontiguousarray(pictures.transpose(3, 0, 1, 2)), labels % 10


def shape(values: np.ndarray) -> str:
    """An array's shape and type, in words."""
    return f"{'×'.join(map(str, values.shape)) or 'one'} of {values.dtype}"


def damaged(path: Path, why: str) -> DataError:
    """What is said of a file that is not one of SVHN's, or not a whole one."""
    return DataError(f"`{path}` is no sound file of SVHN, {why}. Delete it, so that it is fetched anew.")
