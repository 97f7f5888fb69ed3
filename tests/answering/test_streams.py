"""Asking from asynchronous code: the same answer, and nothing that goes on when nobody waits for it."""

import asyncio
from contextlib import aclosing
from pathlib import Path

import pytest

from rag.answering.events import Answered, Evidence, Queued, Words
from rag.assistant import Assistant
from rag.errors import QuestionError
from rag.testing import ScriptedGenerator
from tests.served import make_assistant

QUESTION = "How many million has the harbour cost?"


@pytest.fixture
def assistant(tmp_path: Path) -> Assistant:
    return make_assistant(tmp_path, ScriptedGenerator("It cost nine million."))


def test_awaited_it_is_the_answer(assistant: Assistant) -> None:
    async def ask() -> str:
        return (await assistant.aask(QUESTION)).text

    assert asyncio.run(ask()) == assistant.answer(QUESTION).text == "It cost nine million. [1]"


def test_iterated_over_it_is_the_same_events(assistant: Assistant) -> None:
    async def ask() -> list[type]:
        return [type(event) async for event in assistant.aask(QUESTION)]

    kinds = asyncio.run(ask())
    assert kinds == [type(event) for event in assistant.ask(QUESTION)]
    assert (kinds[0], kinds[-1]) == (Evidence, Answered)


def test_what_is_wrong_is_raised_once_it_is_awaited(assistant: Assistant) -> None:
    async def ask() -> None:
        asking = assistant.aask("")
        with pytest.raises(QuestionError):
            await asking

    asyncio.run(ask())


@pytest.mark.parametrize("cancelled", [False, True])
def test_leaving_stops_the_generator(tmp_path: Path, cancelled: bool) -> None:
    generator = ScriptedGenerator("word " * 500, pause=0.02)
    assistant = make_assistant(tmp_path, generator)

    async def ask() -> None:
        if cancelled:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(_drain(assistant), 0.5)
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


def test_several_questions_wait_for_each_other_and_not_the_loop(assistant: Assistant) -> None:
    async def ask() -> list[list[type]]:
        return list(await asyncio.gather(*[_collect(assistant) for _ in range(3)]))

    kinds = asyncio.run(ask())
    assert [asked[-1] for asked in kinds] == [Answered] * 3
    assert Queued in kinds[1] + kinds[2] + kinds[0]


async def _collect(assistant: Assistant) -> list[type]:
    return [type(event) async for event in assistant.aask(QUESTION)]


async def _drain(assistant: Assistant) -> None:
    await assistant.aask(QUESTION)
