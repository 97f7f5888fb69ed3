"""An answer and its citations."""

from dataclasses import asdict, dataclass
from typing import Any

from rag.answering.html import render
from rag.text.structure import tidy
from rag.types import Hit, Rejection


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

    def __post_init__(self) -> None:
        if not self.shown:
            object.__setattr__(self, "shown", tidy(self.quote))

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
    """True if the answer quotes the articles; False if it abstains, cites nothing, or is in the generator's words."""
    hits: tuple[Hit, ...]
    """The passages found, the likeliest to hold the answer first."""
    rejected: tuple[Rejection, ...]
    """Statements and passages that were not shown, with the reasons."""
    timings: dict[str, float]
    """Seconds from the question to `evidence`, `judged`, `first_word` and `total`, as far as they were reached."""
    models: dict[str, str]
    """Names of the `encoder` and the `generator`."""

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON with the same fields."""
        rejected = [
            {"text": one.statement.text, "source": one.statement.hit.passage.source, "reason": one.reason}
            for one in self.rejected
        ]
        return {**asdict(self), "hits": [hit.as_dict() for hit in self.hits], "rejected": rejected}

    def _repr_html_(self) -> str:
        """Return the answer and its citations as a notebook shows them."""
        return render("answer.html", answer=self)
