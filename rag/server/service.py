"""The assistant as a server uses it: limited in requests and time, and counted."""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import aclosing, contextmanager
from typing import TypeVar

from anyio import CapacityLimiter, WouldBlock, to_thread

from rag.answering.answer import Answer
from rag.answering.events import Answered, Event
from rag.answering.streams import adrain
from rag.assistant import Assistant
from rag.errors import AnswerTimeout, ServiceBusy, StoreError
from rag.hardware import count_physical_cores
from rag.server.metrics import Metrics
from rag.types import Article, Document, Filter, Hit, Turn

logger = logging.getLogger(__name__)

MAX_QUESTIONS = 32
"""Questions in progress or queued at a time; a few minutes' work for two cores."""
MAX_SEARCHES = 256
"""Searches, lists and articles in progress or waiting for a thread at a time."""
ANSWER_SECONDS = 180.0
"""Timeout of an answer, including the time in the queue."""
Result = TypeVar("Result")


class Service:
    """An assistant behind capacity limits and a timeout, with metrics. For one event loop.

    Every method raises ServiceBusy at once when its limit is reached.
    """

    def __init__(
        self, assistant: Assistant, max_questions: int = MAX_QUESTIONS, seconds: float = ANSWER_SECONDS
    ) -> None:
        self.assistant = assistant
        self._questions = CapacityLimiter(max_questions)
        self._searches = CapacityLimiter(MAX_SEARCHES)
        self._seconds = seconds
        self._threads = CapacityLimiter(assistant.config.threads or count_physical_cores())
        self._refreshing = asyncio.Lock()
        self.metrics = Metrics(lambda: self._questions.statistics().borrowed_tokens)

    async def follow(
        self, question: str, history: Sequence[Turn] = (), among: Filter | None = None
    ) -> AsyncGenerator[Event, None]:
        """Yield the events up to the answer. Closing the stream stops the generator and frees the capacity.

        Raises QuestionError, GenerationError, ServiceBusy, and AnswerTimeout when the answer takes too long.
        """
        outcome = "left"
        try:
            with _borrow(self._questions):
                async with aclosing(self._follow_in_time(question, history, among)) as events:
                    async for event in events:
                        if isinstance(event, Answered):
                            outcome = self._record(event.answer)
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
        """Return the complete answer. Raises the errors of `follow`."""
        return await adrain(self.follow(question, history, among))

    async def search(self, question: str, count: int | None = None, among: Filter | None = None) -> tuple[Hit, ...]:
        """Return the passages closest in meaning to the question, best first. Raises QuestionError, ServiceBusy."""
        started = time.perf_counter()
        found = await self._look_up(lambda: self.assistant.search(question, count, among))
        self.metrics.seconds.labels("search").observe(time.perf_counter() - started)
        return found

    async def list_articles(self) -> tuple[Article, ...]:
        """Return the articles in the index, ordered by source. Raises ServiceBusy."""
        return await self._look_up(self.assistant.list_articles)

    async def open_article(self, source: str) -> Document:
        """Return an article as it was when it was indexed. Raises ArticleMissing, ServiceBusy."""
        return await self._look_up(lambda: self.assistant.open_article(source))

    async def _follow_in_time(
        self, question: str, history: Sequence[Turn], among: Filter | None
    ) -> AsyncGenerator[Event, None]:
        deadline = asyncio.get_running_loop().time() + self._seconds
        await self._refresh()
        async with aclosing(self.assistant.aask(question, history, among)) as asking:
            events = aiter(asking)
            while True:
                try:
                    # One timeout for each step: consumers may resume the stream in a different task each time.
                    async with asyncio.timeout_at(deadline):
                        event = await anext(events)
                except StopAsyncIteration:
                    return
                except TimeoutError:
                    raise AnswerTimeout(
                        f"No answer was ready within {self._seconds:g} seconds. Ask again when the server is less busy."
                    ) from None
                yield event

    async def _look_up(self, call: Callable[[], Result]) -> Result:
        """Return the result of a call that runs in a thread, on the current generation of the index."""
        with _borrow(self._searches):
            await self._refresh()
            return await to_thread.run_sync(call, limiter=self._threads)

    async def _refresh(self) -> None:
        """Switch to the current generation of the index. A request that comes meanwhile uses the old one."""
        if self._refreshing.locked():
            return
        async with self._refreshing:
            try:
                await to_thread.run_sync(self.assistant.refresh)
            except StoreError as error:
                logger.warning(
                    "the new generation of the index cannot be opened; the old one stays in use",
                    extra={"facts": {"error": type(error).__name__}},
                )

    def _record(self, answer: Answer) -> str:
        """Count and log an answer, and return its outcome."""
        outcome = "abstained" if answer.abstained else "quoted" if answer.quoted else "answered"
        for phase, seconds in answer.timings.items():
            self.metrics.seconds.labels(phase).observe(seconds)
        facts = {"outcome": outcome, "language": answer.language, "phases": answer.timings}
        logger.info("question", extra={"facts": facts})
        return outcome


@contextmanager
def _borrow(limiter: CapacityLimiter) -> Iterator[None]:
    """Hold one token of the limiter inside the context. Raises ServiceBusy at once if none is free."""
    # Not the current task, which is the limiter's default: a stream may end in another task than it began in.
    borrower = object()
    try:
        limiter.acquire_on_behalf_of_nowait(borrower)
    except WouldBlock:
        raise ServiceBusy(
            f"The server is busy: its limit of {limiter.total_tokens:g} open requests is reached. "
            "Try again in a few seconds."
        ) from None
    try:
        yield
    finally:
        limiter.release_on_behalf_of(borrower)
