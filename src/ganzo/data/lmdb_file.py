"""LMDB folders, key → encoded picture: opened once in a process, for reading alone, without locks."""

import hashlib
import os
import threading
from functools import cached_property
from typing import Any

from ganzo.data.progress import tell
from ganzo.registry import DataError

WHOLE = 1000  # so many pictures are hashed one and all
MANY = 100_000  # listing more keys than these takes a while: LMDB reads each picture on the way

_open: dict[tuple[int, ...], "Database"] = {}  # LMDB refuses to open a folder twice in a process
_opening = threading.Lock()


def database(folder: str) -> "Database":
    """The database in a folder: the one that is open, or, where its file was replaced, a fresh one."""
    now = stamp(folder)
    with _opening:
        if now not in _open:
            place = os.path.realpath(folder)
            for old in [one for one in _open.values() if one.place == place or one.stamp[:2] == now[:2]]:
                old.environment.close()
                del _open[old.stamp]
            _open[now] = Database(folder)
        return _open[now]


def stamp(folder: str) -> tuple[int, ...]:
    """Which file it is, wherever the folder has moved, and what changes when it is written."""
    try:
        found = os.stat(os.path.join(folder, "data.mdb"))
    except OSError as error:
        raise damaged(folder, f"there is no `data.mdb` in it ({error.strerror})") from error
    return found.st_dev, found.st_ino, found.st_mtime_ns, found.st_size


class Database:
    """The pictures in one folder, in the order of their keys. Any number of threads may read.

    Args:
        folder: the folder, which holds `data.mdb`
    """

    def __init__(self, folder: str):
        import lmdb

        self.folder, self.place, self.error = folder, os.path.realpath(folder), lmdb.Error
        self.stamp = stamp(folder)
        self.listing = threading.Lock()
        try:
            self.environment: Any = lmdb.open(
                folder, readonly=True, lock=False, readahead=False, create=False
            )
            self.info, self.stat = self.environment.info(), self.environment.stat()
        except lmdb.Error as error:
            raise damaged(folder, str(error)) from error
        stat = self.stat
        used = 2 + stat["branch_pages"] + stat["leaf_pages"] + stat["overflow_pages"]
        there = self.stamp[-1] // self.stat["psize"]
        if there < used:  # a file may end before its last pages, where these are free ones
            self.environment.close()  # reading what a mapping does not have would kill the process
            raise damaged(folder, f"`data.mdb` has {there} pages, and its pictures take {used}")
        if not len(self):
            self.environment.close()
            raise damaged(folder, "it holds nothing")

    def __len__(self) -> int:
        return self.stat["entries"]

    @cached_property
    def keys(self) -> list[bytes]:
        """All keys, in their order."""
        if len(self) > MANY:
            tell(f"listing {len(self):,} pictures of {self.folder}")
        try:
            with self.environment.begin() as transaction:
                return list(transaction.cursor().iternext(keys=True, values=False))
        except self.error as error:
            raise damaged(self.folder, str(error)) from error

    def value(self, number: int) -> bytes:
        """The bytes of one picture; each call has a transaction of its own, as each thread needs one."""
        with self.listing:  # once, also where several threads are the first
            key = self.keys[number]
        try:
            with self.environment.begin() as transaction:
                value = transaction.get(key)
        except self.error as error:
            raise OSError(str(error)) from error
        if value is None:
            raise OSError("its key is not there any more")
        return value

    def fingerprint(self) -> bytes:
        """A hash of how the database was written, and of pictures spread over it."""
        facts = (len(self), self.info["last_pgno"], self.info["last_txnid"])
        digest = hashlib.sha256(repr(facts).encode())
        try:
            with self.environment.begin() as transaction:
                cursor = transaction.cursor()
                if len(self) <= WHOLE:
                    pairs = list(cursor)
                else:  # keys of LSUN are hexadecimal
                    pairs = [cursor.item() for start in range(256) if cursor.set_range(b"%02x" % start)]
        except self.error as error:
            raise damaged(self.folder, str(error)) from error
        for key, value in pairs:
            digest.update(b"%d %d " % (len(key), len(value)) + key + value)
        return digest.digest()


def damaged(folder: str, why: str) -> DataError:
    """What is said of a folder that LMDB cannot read, or not as a whole."""
    return DataError(f"`{folder}` must be a whole LMDB folder of `lsun`: {why}. Unpack its zip anew.")
