"""OpenAI's chat completions: the assistant as a model that existing clients can use."""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator, Sequence
from contextlib import aclosing
from functools import partial
from typing import Any, TypeVar

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse
from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope, Send

from rag.answering.events import Answered, Event, Evidence, Queued
from rag.answering.markdown import write_answer
from rag.errors import QuestionError, RagError
from rag.server.error_replies import describe
from rag.server.schemas import (
    MODEL,
    ChatRequest,
    Choice,
    Chunk,
    ChunkChoice,
    Completion,
    Delta,
    Form,
    FoundPassage,
    Message,
    Models,
    Reply,
    Said,
    choose,
    name_completion,
)
from rag.server.service import Service
from rag.text.prompts import Prompts
from rag.types import Turn

logger = logging.getLogger(__name__)

LEFT = 499
"""The status, seen in the log alone, of a request whose client left."""
SPEAKER = Delta(role="assistant", content="")
Result = TypeVar("Result")


def build_chat(desk: Service) -> APIRouter:
    """The routes under /v1."""
    router = APIRouter(prefix="/v1", tags=["chat"])
    prompts = desk.assistant.prompts

    @router.get("/models")
    def list_models() -> Models:
        """The assistant is the only model."""
        return Models()

    @router.post(
        "/chat/completions",
        response_model=Completion,
        responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}},
    )
    async def complete_chat(asked: ChatRequest, request: Request) -> Completion | StreamingResponse:
        """Answer the last message from the articles, with citations; the earlier ones are its context."""
        if asked.model != MODEL:
            raise HTTPException(404, f"There is no model “{asked.model}”, only “{MODEL}”")
        question, history = read_messages(asked.messages, desk.assistant.config.max_question_chars)
        if not asked.stream:
            answer = await _stay(request, desk.ask(question, history, choose(asked.among)))
            reply = Reply(content=write_answer(answer, prompts))
            return Completion(choices=(Choice(message=reply),), answer=Said.of(answer))
        events = desk.follow(question, history, choose(asked.among))
        # What is wrong with the question, or that there is no place, shows before anything is sent.
        first = await anext(events)
        return EventStream(first, events, prompts)

    return router


def read_messages(messages: Sequence[Message], most: int) -> tuple[str, list[Turn]]:
    """The question that a conversation ends with, and what was asked and answered before.

    Raises QuestionError, also when an earlier question has more than `most` characters.
    """
    asked: str | None = None
    history: list[Turn] = []
    for message in messages[:-1]:
        if message.role == "user":
            asked = message.read()
            if len(asked) > most:
                raise QuestionError(f"An earlier question has more than {most} characters. Leave it out.")
        elif message.role == "assistant" and asked is not None:
            history.append(Turn(asked, message.read()))
            asked = None
    if messages[-1].role != "user":
        raise QuestionError("The last message is not the user's. Send the question last.")
    return messages[-1].read(), history


class EventStream(StreamingResponse):
    """Server-sent events made of the assistant's, which are closed when the client leaves or has them all."""

    media_type = "text/event-stream"

    def __init__(self, first: Event, rest: AsyncGenerator[Event, None], prompts: Prompts) -> None:
        super().__init__(_write_events(first, rest, prompts), headers={"Cache-Control": "no-store"})
        self._rest = rest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send them."""
        async with aclosing(self._rest):
            await super().__call__(scope, receive, send)


async def _write_events(first: Event, rest: AsyncGenerator[Event, None], prompts: Prompts) -> AsyncGenerator[str, None]:
    make = partial(Chunk, id=name_completion(), created=int(time.time()))
    try:
        if not isinstance(first, Evidence):
            # What is answered from the index comes without evidence, which else tells who speaks.
            yield _write(make(choices=(ChunkChoice(delta=SPEAKER),)))
        for chunk in _fill(make, first, prompts):
            yield _write(chunk)
        async for event in rest:
            for chunk in _fill(make, event, prompts):
                yield _write(chunk)
        yield "data: [DONE]\n\n"
    except Exception as error:
        if not isinstance(error, RagError):
            logger.exception("unexpected")
        yield _write(describe(error))


def _write(form: Form) -> str:
    return f"data: {form.model_dump_json()}\n\n"


def _fill(make: Callable[..., Chunk], event: Event, prompts: Prompts) -> Iterator[Chunk]:
    """The chunks that tell of an event; words that are not checked yet are not told."""
    match event:
        case Evidence(hits):
            yield make(choices=(ChunkChoice(delta=SPEAKER),), evidence=[FoundPassage.of(hit) for hit in hits])
        case Queued(place):
            yield make(choices=(ChunkChoice(delta=Delta()),), ahead=place)
        case Answered(answer):
            yield make(choices=(ChunkChoice(delta=Delta(content=write_answer(answer, prompts))),))
            yield make(choices=(ChunkChoice(delta=Delta(), finish_reason="stop"),), answer=Said.of(answer))


async def _stay(request: Request, work: Coroutine[Any, Any, Result]) -> Result:
    """What comes of the work, which is called off when the client leaves."""
    working = asyncio.ensure_future(work)
    leaving = asyncio.ensure_future(_wait_until_left(request))
    try:
        await asyncio.wait((working, leaving), return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            return working.result()
        raise HTTPException(LEFT, "The client left")
    finally:
        working.cancel()
        leaving.cancel()


async def _wait_until_left(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
