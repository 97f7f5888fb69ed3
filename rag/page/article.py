"""The article beside the chat, opened at the words that are quoted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rag.answering.answer import Citation
from rag.assistant import Assistant
from rag.errors import ArticleMissing
from rag.page.labels import Wording
from rag.page.rendering import render


@dataclass(frozen=True, slots=True)
class ArticleSpan:
    """A span of an article; an empty span stands for the whole article."""

    source: str
    start: int = 0
    end: int = 0

    @classmethod
    def parse(cls, value: Mapping[str, Any]) -> "ArticleSpan":
        """Return the span that a browser asks for, or raise ArticleMissing if `value` is not a span."""
        source, start, end = value.get("source"), value.get("start", 0), value.get("end", 0)
        if not (isinstance(source, str) and isinstance(start, int) and isinstance(end, int) and 0 <= start <= end):
            raise ArticleMissing("The request is not for a valid span of an article. Open an article from the list.")
        return cls(source, start, end)


def draw_article(assistant: Assistant, span: ArticleSpan, citations: Sequence[Citation], wording: Wording) -> str:
    """Return an article as HTML with a span of it marked, or raise ArticleMissing if the index does not hold it.

    `citations` are all citations of the conversation. If the span is one of them, buttons lead to the previous and the
    next citation.
    """
    document = assistant.open_article(span.source)
    cited = [number for number, one in enumerate(citations) if ArticleSpan(one.source, one.start, one.end) == span]
    # The index may hold another version of the article than the one that was quoted.
    stale = bool(cited) and document.text[span.start : span.end] != citations[cited[0]].quote
    return render(
        "article.html",
        document=document,
        spans=[(span.start, span.end)] if span.start < span.end and not stale else [],
        citations=citations,
        number=cited[0] if cited else None,
        notice="changed" if stale else None,
        wording=wording,
    )


def draw_missing(wording: Wording) -> str:
    """Return the notice shown in place of an article that the index does not hold."""
    return render("article.html", document=None, number=None, notice="gone", wording=wording)
