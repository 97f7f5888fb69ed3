"""Where programs ask: how many at once and for how long is bounded, and what came of it is counted."""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import aclosing, contextmanager
from typing import TypeVar

from anyio import CapacityLimiter, to_thread

from rag.answering.answer import Answer
from rag.answering.events import Answered, Event
from rag.assistant import Assistant
from rag.errors import AnswerTimeout, ServiceBusy, StoreError
from rag.hardware import count_physical_cores
from rag.server.metrics import Metrics
from rag.types import Article, Document, Filter, Hit, Turn

logger = logging.getLogger(__name__)

PLACES = 32
"""Questions that are held at once; some minutes' work for two cores."""
SEARCHES = 256
"""Searches likewise."""
SECONDS = 180.0
"""For an answer, the time in line included."""
Result = TypeVar("Result")


class Service:
    """An assistant as a server asks it. For one event loop."""

    def __init__(self, assistant: Assistant, places: int = PLACES, seconds: float = SECONDS) -> None:
        self.assistant = assistant
        self._questions = Hall(places)
        self._searches = Hall(SEARCHES)
        self._seconds = seconds
        self._searchers = CapacityLimiter(assistant.config.threads or count_physical_cores())
        self._refreshing = asyncio.Lock()
        self.metrics = Metrics(lambda: self._questions.inside)

    async def follow(
        self, question: str, history: Sequence[Turn] = (), among: Filter | None = None
    ) -> AsyncGenerator[Event, None]:
        """The events up to the answer; leaving frees the place and stops the generator.

        Raises QuestionError, GenerationError; Overload when all places are taken, Overtime.
        """
        outcome = "left"
        try:
            with self._questions.enter():
                async with aclosing(self._ask(question, history, among)) as events:
                    async for event in events:
                        if isinstance(event, Answered):
                            outcome = self._note(event.answer)
                        yield event
        except ServiceBusy:
            outcome = "refused"
            raise
        except Exception:
            outcome = "failed"
            raise
        finally:
            self.metrics.questions.labels(outcome).inc()

    async def ask(self, question: str, history: Sequence[Turn] = (), among: Filter | None = None) -> Answer:
        """The answer, when it is whole. Raises like `follow`."""
        async with aclosing(self.follow(question, history, among)) as events:
            async for event in events:
                if isinstance(event, Answered):
                    return event.answer
        raise AssertionError("every stream ends with Answered")

    async def search(self, question: str, count: int | None = None, among: Filter | None = None) -> tuple[Hit, ...]:
        """The passages nearest to the question, best first. Raises QuestionError, Overload."""
        started = time.perf_counter()
        with self._searches.enter():
            found = await self._look(lambda: self.assistant.search(question, count, among))
        self.metrics.seconds.labels("search").observe(time.perf_counter() - started)
        return found

    async def list_articles(self) -> tuple[Article, ...]:
        """What is in the index. Raises Overload."""
        with self._searches.enter():
            return await self._look(self.assistant.list_articles)

    async def open_article(self, source: str) -> Document:
        """An article as it was when it was indexed. Raises ArticleMissing, Overload."""
        with self._searches.enter():
            return await self._look(lambda: self.assistant.open_article(source))

    async def _ask(self, question: str, history: Sequence[Turn], among: Filter | None) -> AsyncGenerator[Event, None]:
        deadline = asyncio.get_running_loop().time() + self._seconds
        await self._refresh()
        async with aclosing(self.assistant.aask(question, history, among)) as asking:
            events = aiter(asking)
            while True:
                try:
                    # Around each step alone: who goes over the events may do so in another task each time.
                    async with asyncio.timeout_at(deadline):
                        event = await anext(events)
                except StopAsyncIteration:
                    return
                except TimeoutError:
                    raise AnswerTimeout(
                        f"No answer came within {self._seconds:g} seconds. Ask again when fewer others do."
                    ) from None
                yield event

    async def _look(self, call: Callable[[], Result]) -> Result:
        await self._refresh()
        return await to_thread.run_sync(call, limiter=self._searchers)

    async def _refresh(self) -> None:
        """Go over to the generation of the index that is in use now; one who asks meanwhile does not wait for it."""
        if self._refreshing.locked():
            return
        async with self._refreshing:
            try:
                await to_thread.run_sync(self.assistant.refresh)
            except StoreError as error:
                logger.warning(
                    "the index in use cannot be opened; the old one is asked",
                    extra={"facts": {"error": type(error).__name__}},
                )

    def _note(self, answer: Answer) -> str:
        outcome = "abstained" if answer.abstained else "quoted" if answer.quoted else "answered"
        for phase, seconds in answer.timings.items():
            self.metrics.seconds.labels(phase).observe(seconds)
        facts = {"outcome": outcome, "language": answer.language, "phases": answer.timings}
        logger.info("question", extra={"facts": facts})
        return outcome


class Hall:
    """A bound on how many are inside; more are turned away. For one event loop."""

    def __init__(self, places: int) -> None:
        self.inside = 0
        self._places = places

    @contextmanager
    def enter(self) -> Iterator[None]:
        """Take a place while the context lasts. Raises Overload when there is none."""
        if self.inside >= self._places:
            raise ServiceBusy(f"Busy: {self.inside} others are ahead, and no more are held. Ask again in some seconds.")
        self.inside += 1
        try:
            yield
        finally:
            self.inside -= 1
