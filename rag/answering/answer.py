"""An answer and its citations."""

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from rag.answering.html import render
from rag.text.markup import split_spans
from rag.text.sentences import Span
from rag.text.structure import tidy
from rag.types import Hit, Rejection


@dataclass(frozen=True, slots=True)
class Short:
    """The words of a quote that answer the question by themselves: `document.text[start:end] == text`."""

    text: str
    start: int
    end: int
    said: str | None = None
    """A time, a number or a country among these words, written without a model in the language and script of the
    question. None for other words, and where it would only repeat `text`."""


@dataclass(frozen=True, slots=True)
class Citation:
    """Exact words of an article that support the answer: `document.text[start:end] == quote`."""

    number: int
    """The `n` of the marker `[n]` in the answer's text."""
    source: str
    language: str
    script: str
    date: str | None
    quote: str
    start: int
    end: int
    shown: str = ""
    """The quote as people read it: without invisible characters and superfluous spaces."""
    page: int | None = None
    """The number of the page of a PDF on which the quote begins."""
    short: Short | None = None
    """The answering words within the quote; None if no reader marked any."""

    def __post_init__(self) -> None:
        if not self.shown:
            object.__setattr__(self, "shown", tidy(self.quote))

    def find_short(self) -> Span | None:
        """Return the offsets in `shown` of the answering words, or None if there are none or they are not in it."""
        if self.short is None:
            return None
        words = tidy(self.short.text)
        before = len(tidy(self.quote[: self.short.start - self.start]))
        places = [found.start() for found in re.finditer(re.escape(words), self.shown)]
        if not words or not places:
            return None
        # The same words may stand there several times, and offsets are not quite those of the quote.
        start = min(places, key=lambda place: abs(place - before))
        return start, start + len(words)

    def _repr_html_(self) -> str:
        """Return the citation as a notebook shows it."""
        return render("citation.html", citation=self)


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to a question."""

    question: str
    completed: str
    """The question preceded by the earlier ones that it depends on; equal to `question` if it stands alone."""
    text: str
    """The answer with markers such as `[1]`, one for each citation."""
    citations: tuple[Citation, ...]
    language: str
    """Language of the question and of `text`, ISO 639-1."""
    script: str
    """Script of that language, ISO 15924."""
    abstained: bool
    """True if the articles do not answer the question; `text` then says so and there are no citations."""
    quoted: bool
    """True if the answer quotes the articles; False if it is in the generator's words, or abstains."""
    hits: tuple[Hit, ...]
    """The passages found, the likeliest to hold the answer first."""
    rejected: tuple[Rejection, ...]
    """Statements and passages that were not shown, with the reasons."""
    timings: dict[str, float]
    """Seconds from the question to `evidence`, `judged`, `first_word` and `total`, as far as they were reached."""
    models: dict[str, str]
    """Names of the `encoder` and the `generator`."""

    @property
    def short(self) -> Short | None:
        """The answering words within the quote of the first citation, or None if no reader marked any."""
        return self.citations[0].short if self.citations else None

    @property
    def marked(self) -> tuple[Span, ...]:
        """The offsets in `text` of the answering words, in their order."""
        return tuple(self._find_marked()) if self.quoted else ()

    def _find_marked(self) -> Iterator[Span]:
        after = 0
        if self.short and self.short.said and self.text.startswith(f"{self.short.said}\n"):
            after = len(self.short.said)
            yield 0, after
        for citation in self.citations:
            at = self.text.find(citation.shown, after)
            if at >= 0 and (span := citation.find_short()):
                yield at + span[0], at + span[1]
                after = at + len(citation.shown)

    def split_marked(self) -> list[tuple[str, bool]]:
        """Return the parts of `text`, each with True if it is one of the answering words."""
        return split_spans(self.text, self.marked)

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON with the same fields, and `short`."""
        rejected = [
            {"text": one.statement.text, "source": one.statement.hit.passage.source, "reason": one.reason}
            for one in self.rejected
        ]
        short = asdict(self.short) if self.short else None
        return {**asdict(self), "short": short, "hits": [hit.as_dict() for hit in self.hits], "rejected": rejected}

    def _repr_html_(self) -> str:
        """Return the answer and its citations as a notebook shows them."""
        return render("answer.html", answer=self)
