"""The schemas of requests and replies, as they appear in the OpenAPI description."""

import time
from typing import Annotated, Literal, Self, TypeVar
from uuid import uuid4

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from rag.answering.answer import Answer, Citation, Short
from rag.types import Document, Filter, Hit, PassageReading

ErrorType = Literal["invalid_request_error", "authentication_error", "server_error"]
MODEL = "rag"
"""The name under which the assistant is offered as a model."""
Value = TypeVar("Value")
Omittable = Annotated[Value | None, Field(exclude_if=lambda value: value is None)]
"""A field that is left out of the reply when it is None."""
Text = Annotated[str, AfterValidator(lambda given: given.encode("utf-8", "ignore").decode())]
"""Text without lone surrogates. Clients send these when they cut a text inside a character, but UTF-8 has none."""
Date = Annotated[str, AfterValidator(lambda given: given.encode("utf-8", "replace").decode())]
"""A date whose lone surrogates are replaced by question marks, so that it is refused like any other invalid date."""
QuestionText = Annotated[
    Text, Field(description="At most RAG_MAX_QUESTION_CHARS characters; a longer question is refused.")
]


def make_completion_id() -> str:
    """Return a new id for a completion."""
    return f"chatcmpl-{uuid4().hex}"


class Schema(BaseModel):
    """The base of all schemas. The docstring below a field becomes its description."""

    model_config = ConfigDict(use_attribute_docstrings=True)


class ContentPart(Schema):
    """A part of a message. Only text is supported."""

    type: Literal["text"]
    text: str


class Message(Schema):
    """A message of a conversation. Only messages of the user and the assistant are used; others are ignored."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[ContentPart] | None = None

    def read(self) -> str:
        """Return the text of all parts."""
        parts = [self.content] if isinstance(self.content, str) else [part.text for part in self.content or ()]
        return "\n".join(parts).encode("utf-8", "ignore").decode()


class Selection(Schema):
    """Restricts the passages that are searched. An empty field restricts nothing."""

    model_config = ConfigDict(extra="forbid")

    languages: tuple[Text, ...] = ()
    """Languages of the passages, ISO 639-1."""
    sources: tuple[Text, ...] = ()
    """Sources of the articles, or patterns with `*` and `?`, such as `2024/*`."""
    since: Date | None = None
    """The earliest date of an article, such as 2023, 2023-10 or 2023-10-18. Excludes articles without a date."""
    until: Date | None = None
    """The latest date of an article, in the same form. Excludes articles without a date."""


def make_filter(among: Selection | None) -> Filter | None:
    """Return the Filter for a selection, or None without one."""
    return Filter(**among.model_dump()) if among else None


class ChatRequest(Schema):
    """A conversation that ends with the user's question.

    Other fields of OpenAI's schema, such as `temperature` or `max_tokens`, are accepted and ignored.
    """

    model: Text
    """A model that `/v1/models` lists."""
    messages: Annotated[list[Message], Field(min_length=1)]
    stream: bool | None = False
    """Send chunks as server-sent events. The first ones give the passages found and the number of questions ahead.
    The text follows in one piece, once it is verified."""
    among: Selection | None = None
    """The articles to answer from; all by default."""


class SearchRequest(Schema):
    """A question to find passages for."""

    question: QuestionText
    count: Annotated[int, Field(ge=1, le=100)] | None = None
    """The number of passages; RAG_HITS by default."""
    among: Selection | None = None
    """The articles to search; all by default."""


class FoundPassage(Schema):
    """A passage found for a question."""

    rank: int
    """1 is the best."""
    score: float
    """How well the passage matches the question, at most 1. Comparable only within one question."""
    odds: float | None
    """Log odds that the passage contains the answer; null if the generator was not asked."""
    evidence: float | None
    """All evidence that the passage contains the answer, in log odds; null if it was not judged."""
    reading: PassageReading | None
    """The odds and the likeliest answers that the reader found; null if the passage was not read."""
    source: str
    text: str
    start: int
    """Offset of `text` in the text of the article, in characters."""
    end: int
    language: str
    """ISO 639-1."""
    script: str
    """ISO 15924."""
    date: str | None
    """ISO 8601, to the year, month or day."""
    title: str | None
    also: tuple[str, ...]
    """Other sources that contain these words."""

    @classmethod
    def of(cls, hit: Hit) -> Self:
        """Return the schema of a hit."""
        return cls(**hit.as_dict())


class SearchResponse(Schema):
    """The passages found for a question, best first."""

    question: str
    hits: list[FoundPassage]


class OpenedArticle(Schema):
    """An article as it was when it was indexed."""

    article: Document


class CitedAnswer(Schema):
    """An answer with its citations."""

    text: str
    """The answer, with a marker such as `[1]` for each citation."""
    citations: tuple[Citation, ...]
    """Each quote is verbatim in the article at the offsets given."""
    short: Short | None
    """The words of the first quote that answer the question by themselves; null if none were marked."""
    language: str
    """The language of the question, ISO 639-1."""
    abstained: bool
    """True if the articles do not answer the question; `text` says so."""
    quoted: bool
    """True if `text` quotes the article because there is no verified answer in the model's words."""

    @classmethod
    def of(cls, answer: Answer) -> Self:
        """Return the schema of an answer."""
        return cls(
            text=answer.text,
            citations=answer.citations,
            short=answer.short,
            language=answer.language,
            abstained=answer.abstained,
            quoted=answer.quoted,
        )


class AssistantMessage(Schema):
    """The assistant's message: the answer, followed by the sources that its markers refer to."""

    role: Literal["assistant"] = "assistant"
    content: str


class Choice(Schema):
    """The only choice of a completion."""

    index: Literal[0] = 0
    message: AssistantMessage
    finish_reason: Literal["stop"] = "stop"


class Completion(Schema):
    """OpenAI's chat completion, with the additional field `answer`."""

    id: str = Field(default_factory=make_completion_id)
    object: Literal["chat.completion"] = "chat.completion"
    created: int = Field(default_factory=lambda: int(time.time()))
    model: str = MODEL
    choices: tuple[Choice]
    answer: CitedAnswer


class Delta(Schema):
    """The part that a chunk adds to the message."""

    role: Omittable[Literal["assistant"]] = None
    content: Omittable[str] = None


class DeltaChoice(Schema):
    """The only choice of a chunk."""

    index: Literal[0] = 0
    delta: Delta
    finish_reason: Literal["stop"] | None = None


class CompletionChunk(Schema):
    """OpenAI's chunk of a chat completion, with the additional fields `evidence`, `ahead` and `answer`."""

    id: str
    object: Literal["chat.completion.chunk"] = "chat.completion.chunk"
    created: int
    model: str = MODEL
    choices: tuple[DeltaChoice]
    evidence: Omittable[list[FoundPassage]] = None
    """The passages found, before any is read. In the first chunk."""
    ahead: Omittable[int] = None
    """The number of questions ahead of this one. In chunks sent while it waits."""
    answer: Omittable[CitedAnswer] = None
    """The answer. In the last chunk."""


class ModelCard(Schema):
    """The assistant as a model."""

    id: str = MODEL
    object: Literal["model"] = "model"
    created: int = 0
    owned_by: str = "rag-assistant"


class ModelList(Schema):
    """The list of models. The assistant is the only one."""

    object: Literal["list"] = "list"
    data: tuple[ModelCard] = (ModelCard(),)


class Health(Schema):
    """The server is running."""

    status: Literal["ok"] = "ok"


class ErrorDetail(Schema):
    """An error, described for the client."""

    message: str
    """One or two sentences that say what happened and what to do about it."""
    type: ErrorType
    param: None = None
    code: str
    """The kind of error, such as `QuestionError`."""


class ErrorResponse(Schema):
    """An error, in OpenAI's format."""

    error: ErrorDetail
