"""What a reader gets: the answer and its citations."""

from dataclasses import asdict, dataclass
from typing import Any

from rag.types import Hit, Rejection


@dataclass(frozen=True, slots=True)
class Citation:
    """Where a statement stands: `document.text[start:end] == quote`."""

    number: int
    """The `n` of the marker `[n]` in the answer's text."""
    source: str
    language: str
    script: str
    date: str | None
    quote: str
    start: int
    end: int

    def _repr_html_(self) -> str:
        """As a notebook shows it."""
        from rag.answering.html import draw_citation

        return draw_citation(self)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a question."""

    question: str
    completed: str
    """The question after those before it that it leans on; the same where it stands by itself."""
    text: str
    """The answer with markers such as `[1]`, one for each citation."""
    citations: tuple[Citation, ...]
    language: str
    """Language of the question, ISO 639-1, in which `text` is meant to be."""
    script: str
    """Its script, ISO 15924."""
    abstained: bool
    """True when the articles do not answer; `text` then says so and there are no citations."""
    quoted: bool
    """True when `text` is the article's own words, as the generator's did not stand up to them."""
    hits: tuple[Hit, ...]
    """What was found, in the order in which it was thought to hold the answer."""
    rejected: tuple[Rejection, ...]
    timings: dict[str, float]
    """Seconds since the question came: `evidence`, `judged`, `first_word`, `total`; those that were reached."""
    models: dict[str, str]
    """Names of the `encoder` and the `generator`."""

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON with the same fields."""
        rejected = [
            {"text": one.statement.text, "source": one.statement.hit.passage.source, "reason": one.reason}
            for one in self.rejected
        ]
        return {**asdict(self), "hits": [hit.as_dict() for hit in self.hits], "rejected": rejected}

    def _repr_html_(self) -> str:
        """With its citations, as a notebook shows it."""
        from rag.answering.html import draw_cited

        return draw_cited(self)
