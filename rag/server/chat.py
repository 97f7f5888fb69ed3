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
    AssistantMessage,
    ChatRequest,
    Choice,
    CitedAnswer,
    Completion,
    CompletionChunk,
    Delta,
    DeltaChoice,
    FoundPassage,
    Message,
    ModelList,
    Schema,
    make_completion_id,
    make_filter,
)
from rag.server.service import Service
from rag.text.prompts import Prompts
from rag.types import Turn

logger = logging.getLogger(__name__)

CLIENT_LEFT = 499
"""The status logged for a request whose client disconnected; nobody receives it."""
OPENING = Delta(role="assistant", content="")
Result = TypeVar("Result")


def build_chat(service: Service) -> APIRouter:
    """Return the routes under /v1."""
    router = APIRouter(prefix="/v1", tags=["chat"])
    prompts = service.assistant.prompts

    @router.get("/models")
    def list_models() -> ModelList:
        """List the models. The assistant is the only one."""
        return ModelList()

    @router.post(
        "/chat/completions",
        response_model=Completion,
        responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}},
    )
    async def complete_chat(body: ChatRequest, request: Request) -> Completion | StreamingResponse:
        """Answer the last message from the articles, with citations. Earlier messages are its context."""
        if body.model != MODEL:
            raise HTTPException(404, f"There is no model “{body.model}”, only “{MODEL}”")
        question, history = read_messages(body.messages, service.assistant.config.max_question_chars)
        if not body.stream:
            answer = await _while_connected(request, service.ask(question, history, make_filter(body.among)))
            message = AssistantMessage(content=write_answer(answer, prompts))
            return Completion(choices=(Choice(message=message),), answer=CitedAnswer.of(answer))
        events = service.follow(question, history, make_filter(body.among))
        # Waiting for the first event lets a bad question or a busy server be reported by status.
        first = await anext(events)
        return EventStream(first, events, prompts)

    return router


def read_messages(messages: Sequence[Message], max_chars: int) -> tuple[str, list[Turn]]:
    """Return the question that the conversation ends with, and the turns before it.

    Raises QuestionError if the last message is not the user's, or an earlier question has more than `max_chars`
    characters.
    """
    asked: str | None = None
    history: list[Turn] = []
    for message in messages[:-1]:
        if message.role == "user":
            asked = message.read()
            if len(asked) > max_chars:
                raise QuestionError(f"An earlier question has more than {max_chars} characters. Leave it out.")
        elif message.role == "assistant" and asked is not None:
            history.append(Turn(asked, message.read()))
            asked = None
    if messages[-1].role != "user":
        raise QuestionError("The last message is not from the user. Put the question last.")
    return messages[-1].read(), history


class EventStream(StreamingResponse):
    """Server-sent events. The assistant's events are closed once the client has them all or leaves."""

    media_type = "text/event-stream"

    def __init__(self, first: Event, rest: AsyncGenerator[Event, None], prompts: Prompts) -> None:
        super().__init__(_write_events(first, rest, prompts), headers={"Cache-Control": "no-store"})
        self._rest = rest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the events."""
        async with aclosing(self._rest):
            await super().__call__(scope, receive, send)


async def _write_events(first: Event, rest: AsyncGenerator[Event, None], prompts: Prompts) -> AsyncGenerator[str, None]:
    make = partial(CompletionChunk, id=make_completion_id(), created=int(time.time()))
    try:
        if not isinstance(first, Evidence):
            # Normally the chunk with the evidence opens the message, but not every answer has evidence.
            yield _write(make(choices=(DeltaChoice(delta=OPENING),)))
        for chunk in _make_chunks(make, first, prompts):
            yield _write(chunk)
        async for event in rest:
            for chunk in _make_chunks(make, event, prompts):
                yield _write(chunk)
        yield "data: [DONE]\n\n"
    except Exception as error:
        if not isinstance(error, RagError):
            logger.exception("unexpected error")
        yield _write(describe(error))


def _write(schema: Schema) -> str:
    return f"data: {schema.model_dump_json()}\n\n"


def _make_chunks(make: Callable[..., CompletionChunk], event: Event, prompts: Prompts) -> Iterator[CompletionChunk]:
    """Yield the chunks for an event. Words that have not been verified yet are not sent."""
    match event:
        case Evidence(hits):
            yield make(choices=(DeltaChoice(delta=OPENING),), evidence=[FoundPassage.of(hit) for hit in hits])
        case Queued(place):
            yield make(choices=(DeltaChoice(delta=Delta()),), ahead=place)
        case Answered(answer):
            yield make(choices=(DeltaChoice(delta=Delta(content=write_answer(answer, prompts))),))
            yield make(choices=(DeltaChoice(delta=Delta(), finish_reason="stop"),), answer=CitedAnswer.of(answer))


async def _while_connected(request: Request, work: Coroutine[Any, Any, Result]) -> Result:
    """Return the result of the work, or cancel it when the client disconnects."""
    working = asyncio.ensure_future(work)
    leaving = asyncio.ensure_future(_wait_for_disconnect(request))
    try:
        await asyncio.wait((working, leaving), return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            return working.result()
        raise HTTPException(CLIENT_LEFT, "The client disconnected")
    finally:
        working.cancel()
        leaving.cancel()


async def _wait_for_disconnect(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
