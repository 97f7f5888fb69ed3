"""The forms of requests and replies, as the OpenAPI description tells them."""

import time
from typing import Annotated, Literal, Self, TypeVar
from uuid import uuid4

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from rag.answering.answer import Answer, Citation
from rag.types import Document, Filter, Hit

Kind = Literal["invalid_request_error", "authentication_error", "server_error"]
MODEL = "rag"
"""The name under which the assistant is offered as a model."""
Given = TypeVar("Given")
Told = Annotated[Given | None, Field(exclude_if=lambda value: value is None)]
"""A field that is left out where there is nothing to tell."""
Text = Annotated[str, AfterValidator(lambda given: given.encode("utf-8", "ignore").decode())]
"""Without halves of characters, as clients that cut text may send; they can be neither stored nor sent back."""
Date = Annotated[str, AfterValidator(lambda given: given.encode("utf-8", "replace").decode())]
"""With a sign in place of these, so that it is refused."""
Words = Annotated[Text, Field(description="At most RAG_MAX_QUESTION_CHARS characters are read; more are refused.")]


def name_completion() -> str:
    """A new id."""
    return f"chatcmpl-{uuid4().hex}"


class Form(BaseModel):
    """What fields mean is told by the strings below them."""

    model_config = ConfigDict(use_attribute_docstrings=True)


class ContentPart(Form):
    """A part of a message; others than text cannot be read."""

    type: Literal["text"]
    text: str


class Message(Form):
    """One of a conversation. Only those of the user and the assistant are read; no other has any effect."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[ContentPart] | None = None

    def read(self) -> str:
        """All its text."""
        parts = [self.content] if isinstance(self.content, str) else [part.text for part in self.content or ()]
        return "\n".join(parts).encode("utf-8", "ignore").decode()


class Selection(Form):
    """Which passages are looked at; what is empty lets all through."""

    model_config = ConfigDict(extra="forbid")

    languages: tuple[Text, ...] = ()
    """ISO 639-1, of the passage."""
    sources: tuple[Text, ...] = ()
    """Sources, or patterns of them with `*` and `?`, such as `2024/*`."""
    since: Date | None = None
    """The earliest date of an article, such as 2023, 2023-10 or 2023-10-18; those without a date are left out then."""
    until: Date | None = None
    """The latest date, likewise."""


def choose(among: Selection | None) -> Filter | None:
    """The filter that a selection stands for."""
    return Filter(**among.model_dump()) if among else None


class ChatRequest(Form):
    """A conversation that ends with the user's question.

    Further fields of OpenAI's form, such as `temperature` or `max_tokens`, are accepted and have no effect.
    """

    model: Text
    """One that `/v1/models` lists."""
    messages: Annotated[list[Message], Field(min_length=1)]
    stream: bool | None = False
    """Send chunks as server-sent events. The text comes when it has been checked, all at once; before, what was
    found and how many are ahead."""
    among: Selection | None = None
    """Which articles may be read."""


class SearchRequest(Form):
    """A question to find passages for."""

    question: Words
    count: Annotated[int, Field(ge=1, le=100)] | None = None
    """How many passages; RAG_HITS by default."""
    among: Selection | None = None
    """Which articles are looked into."""


class FoundPassage(Form):
    """A passage that was found, best first."""

    rank: int
    """1 is the best."""
    score: float
    """How well it matches the question, at most 1; to be compared within one question alone."""
    odds: float | None
    """Logarithm of the odds that it holds the answer; null where the generator was not asked."""
    evidence: float | None
    """All that speaks for it, in the same unit; null likewise."""
    source: str
    text: str
    start: int
    """Offset of `text` in the article's, in characters."""
    end: int
    language: str
    """ISO 639-1."""
    script: str
    """ISO 15924."""
    date: str | None
    """ISO 8601, to the precision known."""
    title: str | None
    also: tuple[str, ...]
    """Further sources with the same words."""

    @classmethod
    def of(cls, hit: Hit) -> Self:
        """The form of a hit."""
        return cls(**hit.as_dict())


class Found(Form):
    """What a search found."""

    question: str
    hits: list[FoundPassage]


class Opened(Form):
    """An article as it was when it was indexed."""

    article: Document


class Said(Form):
    """An answer with its citations."""

    text: str
    """The answer with markers such as `[1]`, one for each citation."""
    citations: tuple[Citation, ...]
    """Each quote is verbatim in the article, at the offsets given."""
    language: str
    """Of the question, ISO 639-1."""
    abstained: bool
    """The articles do not answer; `text` says so."""
    quoted: bool
    """The article's own words stand in `text`, as the model's could not be shown."""

    @classmethod
    def of(cls, answer: Answer) -> Self:
        """The form of an answer."""
        return cls(
            text=answer.text,
            citations=answer.citations,
            language=answer.language,
            abstained=answer.abstained,
            quoted=answer.quoted,
        )


class Reply(Form):
    """The assistant's message: the answer, and below it the sources that its markers name."""

    role: Literal["assistant"] = "assistant"
    content: str


class Choice(Form):
    """The only one."""

    index: Literal[0] = 0
    message: Reply
    finish_reason: Literal["stop"] = "stop"


class Completion(Form):
    """OpenAI's chat completion, with the answer as it is in the additional field `answer`."""

    id: str = Field(default_factory=name_completion)
    object: Literal["chat.completion"] = "chat.completion"
    created: int = Field(default_factory=lambda: int(time.time()))
    model: str = MODEL
    choices: tuple[Choice]
    answer: Said


class Delta(Form):
    """What comes on top of the message so far."""

    role: Told[Literal["assistant"]] = None
    content: Told[str] = None


class ChunkChoice(Form):
    """The only one."""

    index: Literal[0] = 0
    delta: Delta
    finish_reason: Literal["stop"] | None = None


class Chunk(Form):
    """OpenAI's chunk of a chat completion. Each of the additional fields stands in those chunks that tell it."""

    id: str
    object: Literal["chat.completion.chunk"] = "chat.completion.chunk"
    created: int
    model: str = MODEL
    choices: tuple[ChunkChoice]
    evidence: Told[list[FoundPassage]] = None
    """What was found, before anything was read: in the first chunk."""
    ahead: Told[int] = None
    """Questions ahead of this one, while it waits."""
    answer: Told[Said] = None
    """In the last chunk."""


class ModelCard(Form):
    """The assistant, as a model."""

    id: str = MODEL
    object: Literal["model"] = "model"
    created: int = 0
    owned_by: str = "rag-assistant"


class Models(Form):
    """The only one."""

    object: Literal["list"] = "list"
    data: tuple[ModelCard] = (ModelCard(),)


class Health(Form):
    """The server answers."""

    status: Literal["ok"] = "ok"


class Failure(Form):
    """What went wrong."""

    message: str
    """One or two sentences: what happened, and what to do about it."""
    type: Kind
    param: None = None
    code: str
    """The kind of error, such as `QuestionError`."""


class FailureReply(Form):
    """Every error, in OpenAI's form."""

    error: Failure
