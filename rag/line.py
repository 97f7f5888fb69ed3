"""A fair line in front of something that serves one caller at a time."""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager


class Line:
    """First come, first served. Whoever leaves, served or not, lets the others move up."""

    def __init__(self) -> None:
        self._tickets: deque[object] = deque()
        self._moved = threading.Condition()

    @property
    def length(self) -> int:
        """How many stand in it, the one being served included."""
        return len(self._tickets)

    @contextmanager
    def join(self) -> Iterator[Iterator[int]]:
        """Stand in line while the context lasts.

        Gives an iterator over how many are ahead, each time that number changes; it ends when it is our turn.
        """
        ticket = object()
        with self._moved:
            self._tickets.append(ticket)
        try:
            yield self._wait(ticket)
        finally:
            with self._moved:
                self._tickets.remove(ticket)
                self._moved.notify_all()

    def _wait(self, ticket: object) -> Iterator[int]:
        ahead = self._count_ahead(ticket)
        while ahead:
            yield ahead
            told = ahead
            with self._moved:
                while (ahead := self._count_ahead(ticket)) == told:
                    self._moved.wait()

    def _count_ahead(self, ticket: object) -> int:
        with self._moved:
            return self._tickets.index(ticket)
