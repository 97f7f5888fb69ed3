"""A fair queue for something that serves one caller at a time, or a few."""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

UPDATE_SECONDS = 0.5
"""The longest time between two reports to a waiting caller."""


class FairQueue:
    """First come, first served, with up to `capacity` callers at a time. A caller may leave the queue at any time."""

    def __init__(self, capacity: int = 1) -> None:
        self._capacity = capacity
        self._tickets: deque[object] = deque()
        self._moved = threading.Condition()

    @property
    def length(self) -> int:
        """The number of callers in the queue, including those being served."""
        return len(self._tickets)

    @contextmanager
    def join(self) -> Iterator[Iterator[int]]:
        """Be in the queue while the context lasts.

        The context is an iterator over the number of callers ahead. It yields whenever a caller leaves and at least
        twice a second, so that a waiting caller can give up, and it ends when it is this caller's turn.
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
                    self._moved.wait(UPDATE_SECONDS)

    def _count_ahead(self, ticket: object) -> int:
        with self._moved:
            return max(0, self._tickets.index(ticket) + 1 - self._capacity)
