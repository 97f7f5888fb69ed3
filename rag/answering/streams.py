"""Step through the events of an answer, and collect the answer at the end, with and without blocking."""

import asyncio
from collections.abc import AsyncGenerator, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, closing
from typing import Any, TypeVar

from rag.answering.answer import Answer
from rag.answering.events import Answered, Event

Step = TypeVar("Step")
UNFINISHED = "the stream of events ended without Answered"


def drain(events: Generator[Event, None, None]) -> Answer:
    """Return the answer that a stream of events ends with, and close the stream."""
    with closing(events):
        for event in events:
            if isinstance(event, Answered):
                return event.answer
    raise AssertionError(UNFINISHED)


async def adrain(events: AsyncGenerator[Event, None]) -> Answer:
    """Return the answer that an asynchronous stream of events ends with, and close the stream."""
    async with aclosing(events):
        async for event in events:
            if isinstance(event, Answered):
                return event.answer
    raise AssertionError(UNFINISHED)


async def step_in_thread(steps: Generator[Step, None, None]) -> AsyncGenerator[Step, None]:
    """Yield the steps of a generator, running each in a worker thread so that the event loop never blocks.

    No step may be None. Closing or cancelling returns at once: a step that is under way finishes in its thread, no
    further one begins, and the generator is closed there.
    """
    # A pool of one queues the close behind a step that was abandoned. anyio's shared threads could not, and a step
    # that waits for the generator would occupy one of them.
    thread = ThreadPoolExecutor(max_workers=1)
    loop = asyncio.get_running_loop()
    try:
        while (step := await loop.run_in_executor(thread, next, steps, None)) is not None:
            yield step
    finally:
        thread.submit(steps.close)
        thread.shutdown(wait=False)


class PendingAnswer:
    """A question in progress. Await it for the Answer, or iterate over its events with `async for`.

    It can be consumed once, in one of the two ways, and does nothing until then. Cancelling or closing it stops the
    generator.
    """

    def __init__(self, events: Generator[Event, None, None]) -> None:
        self._events = step_in_thread(events)

    def __aiter__(self) -> AsyncGenerator[Event, None]:
        return self._events

    def __await__(self) -> Generator[Any, None, Answer]:
        return adrain(self._events).__await__()

    async def aclose(self) -> None:
        """Stop before the answer is complete. `contextlib.aclosing` calls this."""
        await self._events.aclose()
