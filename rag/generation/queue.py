"""A fair line in front of something that serves one caller at a time, or a few."""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

PATIENCE = 0.5
"""Seconds after which whoever waits is told anew, and can leave."""


class FairQueue:
    """First come, first served, `counters` at a time. Whoever leaves, served or not, lets the others move up."""

    def __init__(self, counters: int = 1) -> None:
        self._counters = counters
        self._tickets: deque[object] = deque()
        self._moved = threading.Condition()

    @property
    def length(self) -> int:
        """How many stand in it, those being served included."""
        return len(self._tickets)

    @contextmanager
    def join(self) -> Iterator[Iterator[int]]:
        """Stand in line while the context lasts.

        Gives an iterator over how many are ahead, whenever somebody leaves and at least twice a second, so that
        nobody is held who wants to leave; it ends when it is our turn.
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
        while ahead := self._count_ahead(ticket):
            yield ahead
            with self._moved:
                if self._count_ahead(ticket) == ahead:
                    self._moved.wait(PATIENCE)

    def _count_ahead(self, ticket: object) -> int:
        with self._moved:
            return max(0, self._tickets.index(ticket) + 1 - self._counters)
