"""Source `folder`."""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from PIL import Image

from ganzo.data import Source
from ganzo.data.progress import tell
from ganzo.data.store import cores, in_order
from ganzo.registry import DataError, OptionError, nearest, register

# Pillow names these, but cannot read them by itself
NOT_DECODED = {
    "BUFR",
    "EPS",
    "GRIB",
    "HDF5",
    "MPEG",
    "WMF",
}
COMMON = ("png", "jpg", "jpeg", "webp", "bmp", "gif", "tif", "tiff", "ppm")  # what messages name


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
        formats: endings of the files that count as pictures, as in `png,jpg` (none: all that Pillow reads)
    """

    flag: ClassVar[str] = "--data-dir"  # what messages ask for another folder by
    otherwise: ClassVar[str] = ", or take the embedded digits by `--dataset digits`"

    def __init__(self, *, data_dir: str = "data", formats: list[str] | None = None):
        Image.init()  # all formats, before threads ask for them
        self.folder = Path(data_dir).expanduser()
        self.name = str(self.folder)
        self.formats = formats
        self._fingerprint: str | None = None
        self.files = self._find(endings_of(formats))
        first = [file.partition("/")[0] if "/" in file else "" for file in self.files]
        names = sorted(set(first))
        if "" not in names and len(names) > 1:
            numbers = {name: number for number, name in enumerate(names)}
            self.class_names = tuple(names)
            self.labels = [numbers[name] for name in first]
        elif len(names) > 1:
            tell(
                f"there are no classes in {self.name}, since pictures lie beside its sub-folders; to have classes, put"
                " those into a sub-folder too"
            )

    def _find(self, endings: set[str]) -> list[str]:
        """The pictures' names relative to the folder, with `/`, sorted."""
        if not self.folder.exists():
            raise DataError(
                f"`{self.flag}` must be a folder with pictures; there is no folder `{self.folder}`."
                f" Name yours{self.otherwise}."
            )
        if not self.folder.is_dir():
            raise DataError(f"`{self.flag}` must be a folder with pictures; `{self.folder}` is a file.")
        found, others, seen = [], 0, set()
        for place, folders, files in os.walk(self.folder, onerror=self._unreadable, followlinks=True):
            seen.add(os.path.realpath(place))
            visible = (f for f in folders if not f.startswith("."))
            # no circles
            folders[:] = sorted(f for f in visible if os.path.realpath(os.path.join(place, f)) not in seen)
            start = Path(place).relative_to(self.folder).as_posix()
            for file in (f for f in files if not f.startswith(".")):
                if os.path.splitext(file)[1].lower() in endings:
                    found.append(file if start == "." else f"{start}/{file}")
                else:
                    others += 1
        if not found:
            raise DataError(
                f"There is no picture in `{self.folder}`: looked in it and its sub-folders for files that end in"
                f" {self._looked_for(endings)}, and found {others} other files; give another folder with"
                f" `{self.flag}`{'' if self.formats is None else ', or other `--formats`'}."
            )
        return sorted(found)

    def _looked_for(self, endings: set[str]) -> str:
        if self.formats is None:
            return f".png, .jpg, .webp or another of Pillow's {len(endings)} endings"
        return " or ".join(sorted(endings))

    def _unreadable(self, error: OSError) -> None:
        raise DataError(f"`{self.flag}` must be readable; `{error.filename}` is not ({error.strerror}).")

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


def endings_of(formats: Sequence[str] | None) -> set[str]:
    """The endings of files that count as pictures, with their dots; OptionError for one that Pillow cannot read."""
    known = {
        end
        for end, format in Image.registered_extensions().items()
        if format in Image.OPEN.keys() - NOT_DECODED
    }
    if formats is None:
        return known
    wanted = {f".{name.strip().lower().removeprefix('.')}" for name in formats}
    unknown = sorted(wanted - known)
    if unknown or not wanted:
        got = unknown[0][1:] if unknown else ""
        raise OptionError(
            f"`--formats` must name endings of pictures, such as {', '.join(COMMON)} ({len(known)} in all); got"
            f" `{got}`. Name those, or leave it out.{nearest(got, (end[1:] for end in known))}"
        )
    return wanted
