"""Source `celeba`."""

import functools
import hashlib
import io
import os
import threading
import zipfile
import zlib
from pathlib import Path
from typing import Literal

from PIL import Image

from ganzo.data import Source
from ganzo.data.download import MissingFiles
from ganzo.data.progress import tell
from ganzo.data.store import cores, in_order
from ganzo.registry import DataError, OptionError, nearest, register

FOLDER = "img_align_celeba"
PARTITION, ATTRIBUTES = "list_eval_partition.txt", "list_attr_celeba.txt"
PARTS = ("train", "valid", "test")  # as the partition numbers them
PAGE = "https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html"


@register("dataset", "celeba")
class CelebASource(Source):
    """CelebA: 202,599 aligned faces, JPEGs of 178×218 pixels; `--resize crop` makes squares without squeezing them.

    The pictures lie in the folder `img_align_celeba`, or in `img_align_celeba.zip`, which is read as it is. Beside it
    lie `list_eval_partition.txt`, which says what is for training, validation and test (without it all is for
    training), and `list_attr_celeba.txt`, with 40 attributes of each face. Nothing is fetched: the files are on
    https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html, for non-commercial research.

    Data: Z. Liu, P. Luo, X. Wang and X. Tang, "Deep Learning Face Attributes in the Wild", ICCV 2015,
    https://arxiv.org/abs/1411.7766.

    Args:
        data_dir: folder with the files, or with a sub-folder `celeba` of them
        dataset_part: which part to train on; with `train`, the part `test` is held out
        celeba_attribute: the attribute that makes two classes, such as Smiling; none for no classes
    """

    def __init__(
        self,
        *,
        data_dir: str = "data",
        dataset_part: Literal["train", "valid", "test", "all"] = "train",
        celeba_attribute: str | None = None,
    ):
        Image.init()  # all formats, before threads ask for them
        self.data_dir, self.part, self.attribute = data_dir, dataset_part, celeba_attribute
        self.name = f"celeba-{dataset_part}"
        self.folder = self._place(Path(data_dir).expanduser())
        self.zip = None if (self.folder / FOLDER).is_dir() else self.folder / f"{FOLDER}.zip"
        self.files = self._chosen(self._found())
        self._fingerprint: str | None = None
        if celeba_attribute is not None:
            self.class_names = (f"not {celeba_attribute}", celeba_attribute)
            self.labels = self._labels(celeba_attribute)

    def _place(self, folder: Path) -> Path:
        for place in (folder, folder / "celeba"):
            if (place / FOLDER).is_dir() or (place / f"{FOLDER}.zip").is_file():
                return place
        raise MissingFiles(
            f"The data set `celeba` needs `{FOLDER}`, a folder, or `{FOLDER}.zip`, and neither is in `{folder}`. Fetch"
            f" {FOLDER}.zip, {PARTITION} and {ATTRIBUTES} from {PAGE} and put them there, or name the folder that holds"
            " them with `--data-dir`."
        )

    def _found(self) -> dict[str, str]:
        """Each picture's name in the lists, with where it lies in the folder or the archive."""
        if self.zip is None:
            files = [path.name for path in (self.folder / FOLDER).iterdir()]
        else:
            files = [name for name in archive(self.zip)[0].namelist() if not name.startswith("__MACOSX")]
        return {file.rpartition("/")[2]: file for file in sorted(files) if file.lower().endswith(".jpg")}

    def _chosen(self, found: dict[str, str]) -> dict[str, str]:
        """The pictures of the part."""
        lists = self.folder / PARTITION
        if self.part != "all" and not (lists.is_file() or self.part == "train"):
            raise MissingFiles(
                f"The part `{self.part}` of `celeba` is listed in `{PARTITION}`, and there is none in `{self.folder}`."
                f" Fetch it from {PAGE} and put it there."
            )
        if self.part != "all" and lists.is_file():
            number = str(PARTS.index(self.part))
            listed = {row[0] for row in rows(lists) if row[1:] == [number]}
            found = {name: file for name, file in found.items() if name in listed}
        if not found:
            raise DataError(
                f"A data set must hold pictures; the part `{self.part}` of `celeba` holds none in `{self.folder}`."
                f" Unpack `{FOLDER}.zip` anew, or choose another `--dataset-part`."
            )
        return found

    def _labels(self, attribute: str) -> list[int]:
        """1 where a face has the attribute, else 0."""
        lists = self.folder / ATTRIBUTES
        if not lists.is_file():
            raise MissingFiles(
                f"`--celeba-attribute` needs `{ATTRIBUTES}`, and there is none in `{self.folder}`. Fetch it from"
                f" {PAGE} and put it there."
            )
        lines = [*rows(lists), [], []]  # the first counts the faces
        names, faces = lines[1], lines[2:]
        if attribute not in names:
            raise OptionError(
                f"`--celeba-attribute` must be an attribute that `{lists}` names; got {attribute!r}."
                f"{nearest(attribute, names)} There are {', '.join(names)}."
            )
        column = names.index(attribute) + 1
        values = {row[0]: int(row[column] == "1") for row in faces if len(row) == len(names) + 1}
        if missing := [name for name in self.files if name not in values]:
            raise DataError(
                f"`{lists}` must have a line of {len(names)} values for each face; {len(missing)} have none, the first"
                f" is {missing[0]}. Fetch the file anew from {PAGE}."
            )
        return [values[name] for name in self.files]

    def __len__(self) -> int:
        return len(self.files)

    @functools.cached_property
    def places(self) -> list[str]:
        """Where each picture lies in the folder or the archive."""
        return list(self.files.values())

    def content(self, index: int) -> bytes:
        """The bytes of one picture."""
        if self.zip is None:
            return (self.folder / FOLDER / self.places[index]).read_bytes()
        file, lock = archive(self.zip)
        try:
            with lock:
                return file.read(self.places[index])
        except (zipfile.BadZipFile, zlib.error, EOFError) as error:
            raise OSError(f"damaged in the archive: {error}") from error

    def image(self, index: int) -> Image.Image:
        return Image.open(io.BytesIO(self.content(index)))

    def item_name(self, index: int) -> str:
        return f"{self.zip or self.folder / FOLDER}/{self.places[index]}"

    def fingerprint(self) -> str:
        """Of each picture's name, its bytes (in an archive: their stored size and checksum), and its label."""
        if self._fingerprint is None:
            digest = hashlib.sha256(f"celeba {self.attribute} {self.labels}".encode())
            for name, key in zip(self.files, in_order(self._key, len(self), cores()), strict=True):
                digest.update(f"\0{name}\0".encode() + key)
            self._fingerprint = digest.hexdigest()
        return self._fingerprint

    def _key(self, index: int) -> bytes:
        if self.zip is not None:
            member = archive(self.zip)[0].getinfo(self.places[index])
            return f"{member.file_size} {member.CRC}".encode()
        try:
            return hashlib.sha256(self.content(index)).digest()
        except OSError:  # decoding names it
            return b""

    def held_out(self) -> Source | None:
        if self.part != "train":
            return None
        try:
            return CelebASource(data_dir=self.data_dir, dataset_part="test", celeba_attribute=self.attribute)
        except DataError as error:  # also where only pictures for training are there
            tell(f"nothing is held out from {self.name}: {error}")
            return None


def rows(path: Path) -> list[list[str]]:
    """The lines of a list, each as its words."""
    try:
        return [line.split() for line in path.read_text(encoding="utf-8", errors="replace").splitlines()]
    except OSError as error:
        raise DataError(
            f"The lists of `celeba` must be readable; `{path}` is not ({error.strerror})."
        ) from error


def archive(path: Path) -> tuple[zipfile.ZipFile, threading.Lock]:
    """An archive that all threads share, and the lock under which they read; here, so that a source can be copied."""
    try:
        return opened(os.path.realpath(path), path.stat().st_mtime_ns)
    except (OSError, zipfile.BadZipFile) as error:
        raise DataError(
            f"`{path}` must be a whole zip archive: {error}. Fetch it anew from {PAGE}."
        ) from error


@functools.cache
def opened(path: str, changed: int) -> tuple[zipfile.ZipFile, threading.Lock]:
    """An archive, opened once for as long as it is not changed."""
    return zipfile.ZipFile(path), threading.Lock()
