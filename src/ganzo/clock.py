"""How late a run is, and which signal it heard: the same on all its processes, so that they decide alike."""

import signal
import threading
import time
from typing import Any

from ganzo.nn.ranks import everyone, talking

LOOK = 0.25  # seconds of turns between two looks of several processes
MOST = 1000  # turns between them
EVERY = 30.0  # seconds between checkpoints, if nobody asks for another number
SPARED = 60  # times as long as saving took: as much training lies between checkpoints then, at least


class Clock:
    """Tells a run how late it is, and listens to SIGINT and SIGTERM.

    In a single process, time and signals are always as they are. Several go by what they saw together when they last
    looked: the time of rank 0, and any rank's signal. They look between rounds, and inside of them after as many turns
    as rank 0 plays in about a quarter second.

    Args:
        every: seconds of turns between two looks

    Attributes:
        stop: the name of the signal that asked the run to end
    """

    def __init__(self, every: float = LOOK):
        self.every = every
        self.stop: str | None = None
        self._heard: str | None = None
        self._several = talking()
        self._seen = time.monotonic()  # at the last look
        self._from: tuple[int, float] | None = None  # turn and time of the last look at turns
        self._next = 0  # turn of the next one
        self._handlers: dict[int, Any] = {}

    def listen(self) -> None:
        """Listen to signals from now on."""
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._handlers[number] = signal.signal(number, self._hear)

    def close(self) -> None:
        """Leave signals to whom they belonged before."""
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        self._handlers = {}

    def _hear(self, number: int, frame: Any) -> None:
        if self._heard is not None:  # asked twice: leave at once
            raise KeyboardInterrupt
        self._heard = signal.Signals(number).name
        if not self._several:
            self.stop = self._heard

    @property
    def now(self) -> float:
        """The time in seconds, from some moment on."""
        return self._seen if self._several else time.monotonic()

    def look(self) -> None:
        """Let all processes see the time of rank 0, and the signals that any has heard."""
        if self._several:
            told = everyone((self._heard, time.monotonic()))
            self.stop = self.stop or next((heard for heard, _ in told if heard is not None), None)
            self._seen = told[0][1]

    def looks(self, turn: int) -> bool:
        """Whether it is time to look, after a turn: always in a single process; several look then."""
        if not self._several:
            return True
        if self._from is not None and turn < self._next:
            return False
        self.look()
        turns = 1
        if self._from is not None and self._seen > self._from[1]:
            rate = (turn - self._from[0]) / (self._seen - self._from[1])
            turns = min(max(1, int(rate * self.every)), MOST)
        self._from, self._next = (turn, self._seen), turn + turns
        return True


def between(asked: float | None, took: float) -> float:
    """Seconds between checkpoints: those that were asked for, or else so many that saving takes little of them.

    Args:
        asked: what the user wants, if anything
        took: seconds that the last one took
    """
    return max(EVERY, SPARED * took) if asked is None else asked
