"""Asking from asynchronous code gives the same answer, and leaving stops the work."""

import asyncio
import threading
from collections.abc import Generator
from contextlib import aclosing
from pathlib import Path

import pytest

from rag.answering.events import Answered, Evidence, Queued, Words
from rag.answering.streams import step_in_thread
from rag.assistant import Assistant
from rag.errors import QuestionError
from rag.testing import ScriptedGenerator
from tests.served import make_assistant

QUESTION = "How many million has the harbour cost?"


@pytest.fixture
def assistant(tmp_path: Path) -> Assistant:
    return make_assistant(tmp_path, ScriptedGenerator("It cost nine million."))


def test_awaiting_gives_the_answer(assistant: Assistant) -> None:
    async def ask() -> str:
        return (await assistant.aask(QUESTION)).text

    assert asyncio.run(ask()) == assistant.answer(QUESTION).text == "It cost nine million. [1]"


def test_iterating_gives_the_same_events(assistant: Assistant) -> None:
    async def ask() -> list[type]:
        return [type(event) async for event in assistant.aask(QUESTION)]

    kinds = asyncio.run(ask())
    assert kinds == [type(event) for event in assistant.ask(QUESTION)]
    assert (kinds[0], kinds[-1]) == (Evidence, Answered)


def test_errors_are_raised_once_it_is_awaited(assistant: Assistant) -> None:
    async def ask() -> None:
        pending = assistant.aask("")
        with pytest.raises(QuestionError):
            await pending

    asyncio.run(ask())


@pytest.mark.parametrize("cancelled", [False, True])
def test_leaving_stops_the_generator(tmp_path: Path, cancelled: bool) -> None:
    generator = ScriptedGenerator("word " * 500, pause=0.02)
    assistant = make_assistant(tmp_path, generator)

    async def ask() -> None:
        if cancelled:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(_answer(assistant), 0.5)
        else:
            async with aclosing(assistant.aask(QUESTION)) as events:
                async for event in events:
                    if isinstance(event, Words):
                        break
        async with asyncio.timeout(1):
            while generator.running:
                await asyncio.sleep(0.01)

    asyncio.run(ask())
    assert generator.prompts


def test_several_questions_queue_without_blocking_the_loop(assistant: Assistant) -> None:
    async def ask() -> list[list[type]]:
        return list(await asyncio.gather(*[_collect(assistant) for _ in range(3)]))

    kinds = asyncio.run(ask())
    assert [asked[-1] for asked in kinds] == [Answered] * 3
    assert Queued in kinds[1] + kinds[2] + kinds[0]


def test_closing_does_not_wait_for_the_step_under_way() -> None:
    closed, release = threading.Event(), threading.Event()

    def count() -> Generator[int, None, None]:
        try:
            yield 1
            release.wait()
            yield 2
        finally:
            closed.set()

    async def step() -> None:
        steps = step_in_thread(count())
        assert await anext(steps) == 1
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(steps), 0.1)
        assert not closed.is_set()

    asyncio.run(step())
    release.set()
    assert closed.wait(5)


async def _collect(assistant: Assistant) -> list[type]:
    return [type(event) async for event in assistant.aask(QUESTION)]


async def _answer(assistant: Assistant) -> None:
    await assistant.aask(QUESTION)
