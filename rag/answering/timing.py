"""Measure how long an answer takes."""

import time
from collections.abc import Generator as Stream
from contextlib import closing
from typing import TypeVar, cast

from rag.answering.events import Event, Words

Result = TypeVar("Result")


class Clock:
    """Keeps the seconds from its creation to each named moment."""

    def __init__(self) -> None:
        self.times: dict[str, float] = {}
        self._start = time.perf_counter()

    def stamp(self, name: str) -> None:
        """Keep the time of a moment, unless it was reached before."""
        self.times.setdefault(name, round(time.perf_counter() - self._start, 3))

    def watch(self, stream: Stream[Event, None, Result]) -> Stream[Event, None, Result]:
        """Pass on the events of a stream and its result, and keep the time of the first word."""
        with closing(stream):
            while True:
                try:
                    event = next(stream)
                except StopIteration as end:
                    return cast(Result, end.value)
                if isinstance(event, Words):
                    self.stamp("first_word")
                yield event
