"""What parts say beside the results."""

import functools
import sys

from ganzo.launch import announced


@functools.cache
def tell(text: str) -> None:
    """Say something once: the parts of a run are built again for each trial, and by each of several processes."""
    if announced().leads:
        print(f"ganzo: {text}", file=sys.stderr, flush=True)
