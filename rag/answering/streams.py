"""A question asked from code that must not wait: every step in a thread of its own."""

import asyncio
from collections.abc import AsyncGenerator
from collections.abc import Generator as Stream
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from typing import Any, TypeVar

from rag.answering.answer import Answer
from rag.answering.events import Answered, Event

Step = TypeVar("Step")


class Asking:
    """A question on its way: awaited, it is its Answer; iterated over, the events up to it.

    Either can be had once. Nothing happens before; cancelling or closing stops the generator.
    """

    def __init__(self, events: Stream[Event, None, None]) -> None:
        self._events = run_in_thread(events)

    def __aiter__(self) -> AsyncGenerator[Event, None]:
        return self._events

    def __await__(self) -> Stream[Any, None, Answer]:
        return self._drain().__await__()

    async def aclose(self) -> None:
        """Leave before the answer is there; `contextlib.aclosing` calls it."""
        await self._events.aclose()

    async def _drain(self) -> Answer:
        async with aclosing(self._events) as events:
            async for event in events:
                if isinstance(event, Answered):
                    return event.answer
        raise AssertionError("every stream ends with Answered")


async def run_in_thread(steps: Stream[Step, None, None]) -> AsyncGenerator[Step, None]:
    """The steps, none of them None, each waited for in a thread, which closes them when nobody listens any more.

    Leaving never waits: a step that is under way ends by itself, and no further one begins.
    """
    thread = ThreadPoolExecutor(max_workers=1)
    loop = asyncio.get_running_loop()
    try:
        while (step := await loop.run_in_executor(thread, next, steps, None)) is not None:
            yield step
    finally:
        thread.submit(steps.close)
        thread.shutdown(wait=False)
