"""Source `folder`."""

import hashlib
import os
from pathlib import Path

from PIL import Image

from ganzo.data import Source
from ganzo.data.store import cores, in_order
from ganzo.registry import DataError, register

NOT_DECODED = {
    "BUFR",
    "EPS",
    "GRIB",
    "HDF5",
    "MPEG",
    "WMF",
}  # Pillow names these, but cannot read them by itself


@register("dataset", "folder", default=True)
class FolderSource(Source):
    """Pictures in a folder and its sub-folders, of any size, mode and format that Pillow reads.

    The first-level sub-folders that hold pictures are the classes, in alphabetical order. There are no classes where
    pictures lie in the folder itself, or in one sub-folder only. Hidden files and folders are not looked at, other
    files are passed over, links are followed.

    The fingerprint is made of each picture's relative name and its bytes: the folder may move, and a picture that
    differs makes another one, whatever its size and time say. Every file is read once for it.

    Args:
        data_dir: folder with the pictures; its sub-folders are the classes
    """

    def __init__(self, *, data_dir: str = "data"):
        Image.init()  # all formats, before threads ask for them
        self.folder = Path(data_dir).expanduser()
        self.name = str(self.folder)
        self._fingerprint: str | None = None
        self.files = self._find()
        first = [file.partition("/")[0] if "/" in file else "" for file in self.files]
        names = sorted(set(first))
        if "" not in names and len(names) > 1:
            numbers = {name: number for number, name in enumerate(names)}
            self.class_names = tuple(names)
            self.labels = [numbers[name] for name in first]

    def _find(self) -> list[str]:
        """The pictures' names relative to the folder, with `/`, sorted."""
        if not self.folder.exists():
            raise DataError(
                f"`--data-dir` must be a folder with pictures; there is no folder `{self.folder}`."
                " Name yours, or take the embedded digits by `--dataset digits`."
            )
        if not self.folder.is_dir():
            raise DataError(f"`--data-dir` must be a folder with pictures; `{self.folder}` is a file.")
        endings = {
            end
            for end, format in Image.registered_extensions().items()
            if format in Image.OPEN.keys() - NOT_DECODED
        }
        found, others, seen = [], 0, set()
        for place, folders, files in os.walk(self.folder, onerror=self._unreadable, followlinks=True):
            seen.add(os.path.realpath(place))
            visible = (f for f in folders if not f.startswith("."))
            folders[:] = sorted(
                f for f in visible if os.path.realpath(os.path.join(place, f)) not in seen
            )  # no circles
            start = Path(place).relative_to(self.folder).as_posix()
            for file in (f for f in files if not f.startswith(".")):
                if os.path.splitext(file)[1].lower() in endings:
                    found.append(file if start == "." else f"{start}/{file}")
                else:
                    others += 1
        if not found:
            raise DataError(
                f"There is no picture in `{self.folder}`: looked in it and its sub-folders for files that end in .png,"
                f" .jpg, .webp or another of Pillow's {len(endings)} endings, and found {others} other files;"
                " give another folder with `--data-dir`."
            )
        return sorted(found)

    def _unreadable(self, error: OSError) -> None:
        raise DataError(f"`--data-dir` must be readable; `{error.filename}` is not ({error.strerror}).")

    def __len__(self) -> int:
        return len(self.files)

    def image(self, index: int) -> Image.Image:
        return Image.open(self.folder / self.files[index])

    def item_name(self, index: int) -> str:
        return str(self.folder / self.files[index])

    def fingerprint(self) -> str:
        if self._fingerprint is None:
            digest = hashlib.sha256(f"folder {self.labels is not None}".encode())
            for file, content in zip(
                self.files, in_order(self._content, len(self.files), cores()), strict=True
            ):
                digest.update(f"\0{file}\0".encode("utf-8", "surrogateescape") + content)
            self._fingerprint = digest.hexdigest()
        return self._fingerprint

    def _content(self, index: int) -> bytes:
        """A hash of a picture's bytes."""
        try:
            with open(self.folder / self.files[index], "rb") as file:
                return hashlib.file_digest(file, "sha256").digest()
        except OSError:  # a link that leads nowhere: decoding names it
            return b""
