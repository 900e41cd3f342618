"""A command as one of several processes: meeting the others, parting from them, and who says what went wrong."""

import contextlib
import datetime
import signal
import threading
import time
from collections.abc import Iterator

from ganzo.errors import Followed, Parted
from ganzo.launch import Ranks
from ganzo.nn import ranks

GRACE = datetime.timedelta(seconds=3)  # that ranks wait to hear whether another says what they would say


@contextlib.contextmanager
def joined() -> Iterator[Ranks]:
    """Meet the processes that the launcher announced, and part from them at the end, whatever happens.

    All end together where all is well: a launcher that sees one process end may end the others.

    Raises:
        Followed: in place of an error that rank 0 ends with too, which rank 0 says
    """
    try:
        yield ranks.join()
        ranks.most(0)
    except Exception as error:
        if ranks.talking():
            end_by_yourself()
            if not isinstance(error, Parted) and rank_0_says(f"{type(error).__name__}: {error}"):
                raise Followed("rank 0 says why") from error
        raise
    finally:
        ranks.leave()


def end_by_yourself() -> None:
    """Heed no SIGTERM from now on: a launcher that sees another process end must not cut off what is to be said."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.SIG_IGN)


def rank_0_says(words: str) -> bool:
    """Whether this is not rank 0, and rank 0 ends with the same words; rank 0 waits a little until all know."""
    store, here = ranks.store(), ranks.ranks()
    try:
        if here.leads:
            store.set("ganzo/words", words)
            end = time.monotonic() + GRACE.total_seconds()
            while store.add("ganzo/heard", 0) < here.count - 1 and time.monotonic() < end:
                time.sleep(0.02)
            return False
        store.wait(["ganzo/words"], GRACE)
        same = store.get("ganzo/words").decode() == words
        store.add("ganzo/heard", 1)
        return same
    except (RuntimeError, ConnectionError):  # nobody came, or the place is gone with rank 0
        return False
