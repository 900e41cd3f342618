"""Source `lsun`."""

import bisect
import hashlib
import io
import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from PIL import Image

from ganzo.data import Source
from ganzo.data.download import MissingFiles
from ganzo.data.lmdb_file import database
from ganzo.data.progress import tell
from ganzo.registry import OptionError, Words, nearest, register

ENDINGS = {"train": "_train_lmdb", "test": "_val_lmdb"}
PAGES = "https://www.yf.io/p/lsun or by https://github.com/fyu/lsun"


@register("dataset", "lsun")
class LsunSource(Source):
    """LSUN: scenes and objects, 126,227 to 3,033,042 pictures for each of ten scenes; needs `lmdb`.

    Each category is an LMDB folder `<category>_train_lmdb`, with key → encoded picture, its shorter side 256 pixels;
    300 pictures of it for validation, `<category>_val_lmdb`, are its test part. Several categories are classes, one
    has none. Nothing is fetched: https://www.yf.io/p/lsun and https://github.com/fyu/lsun have zip files to unpack.

    The fingerprint does not read tens of gigabytes. It is made of the categories and of each database's number of
    pictures, of its pages and of the transactions that wrote it, and of keys and bytes of 256 pictures spread over it
    (of all, where there are at most 1,000). The folder may move. The keys are listed when a picture is first asked
    for, so not where the pictures lie packed already.

    Data: F. Yu, A. Seff, Y. Zhang, S. Song, T. Funkhouser and J. Xiao, "LSUN: Construction of a Large-scale Image
    Dataset using Deep Learning with Humans in the Loop", 2015, https://arxiv.org/abs/1506.03365.

    Args:
        data_dir: folder with the folders `<category>_train_lmdb`, or with a sub-folder `lsun` of them
        dataset_part: which part to train on; with `train`, the part `test` is held out; `all` joins both
        image_class: the categories, such as bedroom, or their numbers among those that are there (none: all of these)
    """

    def __init__(
        self,
        *,
        data_dir: str = "data",
        dataset_part: Literal["train", "test", "all"] = "train",
        image_class: Words | None = None,
    ):
        try:
            import lmdb  # noqa: F401
        except ImportError as error:
            raise OptionError(
                f"`--dataset lsun` reads LMDB, which is not installed ({error}); run"
                ' `pip install "ganzo[data]"`.'
            ) from error
        Image.init()  # all formats, before threads ask for them
        self.data_dir, self.part = data_dir, dataset_part
        self.categories = self._categories(image_class)
        self.name = f"lsun-{dataset_part}"
        parts = [part for part in ENDINGS if dataset_part in (part, "all")]
        folders = [
            (number, self._folder(c, part)) for number, c in enumerate(self.categories) for part in parts
        ]
        self.folders = [folder for _, folder in folders]
        counts = [len(database(folder)) for folder in self.folders]
        self.ends = list(itertools.accumulate(counts))  # the number behind each folder's last picture
        if len(self.categories) > 1:
            self.class_names = self.categories
            self.labels = [
                number for (number, _), count in zip(folders, counts, strict=True) for _ in range(count)
            ]

    def _categories(self, image_class: str | None) -> tuple[str, ...]:
        """The categories that are asked for, or all that have a folder."""
        words = [word.strip() for word in (image_class or "").split(",")]
        if image_class is None or all(word.isdecimal() for word in words):
            ending = ENDINGS["test" if self.part == "test" else "train"]
            found = {
                path.name.removesuffix(ending)
                for place in self._places()
                for path in place.glob(f"*{ending}")
            }
            if not found:
                raise self._missing(f"<category>{ending}")
            names = sorted(found)
            if image_class is None:
                return tuple(names)
            if max(map(int, words)) >= len(names):
                raise OptionError(
                    f"`--image-class` must name categories of `lsun`, or number those that are there, which are"
                    f" {', '.join(names)}, from 0; got `{image_class}`."
                )
            return tuple(names[number] for number in sorted(set(map(int, words))))
        named = [name for name in words if name]
        for name in named:
            other = {"train": "test", "test": "train"}.get(self.part)
            if other is not None and name.removesuffix("_lmdb").endswith(
                ENDINGS[other].removesuffix("_lmdb")
            ):
                raise OptionError(
                    f"`--image-class {name}` is not in the part `{self.part}` of `lsun`; give the category alone,"
                    f" `{category(name)}`, and choose `--dataset-part {other}`."
                )
        if not named:
            raise OptionError("`--image-class` must name categories of `lsun`, such as bedroom; got none.")
        return tuple(sorted(set(map(category, named))))

    def _places(self) -> list[Path]:
        folder = Path(self.data_dir).expanduser()
        return [folder, folder / "lsun"]

    def _folder(self, category: str, part: str) -> str:
        name = category + ENDINGS[part]
        folder = next((place / name for place in self._places() if (place / name).is_dir()), None)
        if folder is None:
            raise self._missing(name, category)
        return str(folder)

    def _missing(self, name: str, wanted: str = "") -> MissingFiles:
        there = [category(path.name) for place in self._places() for path in place.glob("*_lmdb")]
        return MissingFiles(
            f"The data set `lsun` needs the folder `{name}`, and there is none in `{self._places()[0]}`."
            f"{nearest(wanted, there)} Fetch its zip from {PAGES} and unpack it there, or name the folder that holds it"
            " with `--data-dir`."
        )

    def __len__(self) -> int:
        return self.ends[-1]

    def _at(self, index: int) -> tuple[str, int]:
        """The folder that holds a picture, and its number there."""
        which = bisect.bisect_right(self.ends, index)
        return self.folders[which], index - ([0, *self.ends][which])

    def image(self, index: int) -> Image.Image:
        folder, number = self._at(index)
        return Image.open(io.BytesIO(database(folder).value(number)))

    def item_name(self, index: int) -> str:
        folder, number = self._at(index)
        return f"{folder}[{database(folder).keys[number].decode(errors='replace')}]"

    def fingerprint(self) -> str:
        digest = hashlib.sha256(f"lsun {self.class_names}".encode())
        for folder in self.folders:
            digest.update(database(folder).fingerprint())
        return digest.hexdigest()

    def select(self, wanted: Sequence[str]) -> Source:
        """Some of the categories, or itself where the constructor has chosen these already."""
        chosen = [category(word) for word in wanted]
        return self if set(chosen) == set(self.categories) else super().select(chosen)

    def held_out(self) -> Source | None:
        if self.part != "train":
            return None
        try:
            names = ",".join(self.categories)
            return LsunSource(data_dir=self.data_dir, dataset_part="test", image_class=names)
        except MissingFiles as error:
            tell(f"nothing is held out from {self.name}: {error}")
            return None


def category(name: str) -> str:
    """The category that a folder, or a part of one, is called after: `bedroom` of `bedroom_train_lmdb`."""
    return name.removesuffix("_lmdb").removesuffix("_train").removesuffix("_val")
