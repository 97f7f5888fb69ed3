"""An article beside the chat, opened at the words that were quoted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rag.answering.answer import Citation
from rag.answering.html import escape, mark, tag
from rag.assistant import Assistant
from rag.errors import ArticleMissing
from rag.page.conversation_html import draw_opener
from rag.page.labels import Wording
from rag.types import Document


@dataclass(frozen=True, slots=True)
class Place:
    """A stretch of an article; an empty one is the article as a whole."""

    source: str
    start: int = 0
    end: int = 0

    @classmethod
    def parse(cls, value: Mapping[str, Any]) -> "Place":
        """What a browser says is to be opened. Raises ArticleMissing when that is no place."""
        source, start, end = value.get("source"), value.get("start", 0), value.get("end", 0)
        if not (isinstance(source, str) and isinstance(start, int) and isinstance(end, int) and 0 <= start <= end):
            raise ArticleMissing("There is no such place in an article. Open one from the list.")
        return cls(source, start, end)


def open_article(assistant: Assistant, place: Place, citations: Sequence[Citation], wording: Wording) -> str:
    """The article as HTML, the words at the place marked, with the way to the citations before and after.

    Raises ArticleMissing.
    """
    document = assistant.open_article(place.source)
    cited = [number for number, citation in enumerate(citations) if _is_at(citation, place)]
    # The index may have come to hold another version since it was quoted.
    stale = bool(cited) and document.text[place.start : place.end] != citations[cited[0]].quote
    way = _draw_way(citations, cited[0], wording) if cited else ""
    spans = [(place.start, place.end)] if place.start < place.end and not stale else []
    notice = f'<p class="notice">{escape(wording.label("changed"))}</p>' if stale else ""
    return (
        f'<article role="region" aria-label="{escape(wording.label("article"))}" tabindex="-1">'
        f"{_draw_head(document, wording)}{way}{notice}"
        f'<div class="text" tabindex="0" lang="{tag(document.language, document.script)}" dir="auto">'
        f"{mark(document.text, spans)}</div></article>"
    )


def draw_missing(wording: Wording) -> str:
    """That an article is not there, to be closed as one is."""
    head = f"<header>{_draw_close(wording)}</header>"
    notice = f'<p class="notice">{escape(wording.label("gone"))}</p>'
    return (
        f'<article role="region" aria-label="{escape(wording.label("article"))}" tabindex="-1">{head}{notice}</article>'
    )


def _is_at(citation: Citation, place: Place) -> bool:
    return Place(citation.source, citation.start, citation.end) == place


def _draw_head(document: Document, wording: Wording) -> str:
    facts = [document.source if document.title else None, wording.name(document.language), document.date]
    told = "".join(f"<span>{escape(fact)}</span>" for fact in facts if fact)
    title = escape(document.title or document.source)
    return (
        f"<header>{_draw_close(wording)}"
        f'<h2 dir="auto" lang="{tag(document.language, document.script)}">{title}</h2>'
        f'<p class="facts">{told}</p></header>'
    )


def _draw_close(wording: Wording) -> str:
    return f'<button type="button" class="close" data-close aria-label="{escape(wording.label("close"))}">×</button>'


def _draw_way(citations: Sequence[Citation], number: int, wording: Wording) -> str:
    """To the citations before and after, across the whole conversation."""
    told = wording.label("citation", number=number + 1, all=len(citations))
    before = _draw_step(citations, number - 1, wording.label("previous"), "‹")
    after = _draw_step(citations, number + 1, wording.label("next"), "›")
    return f'<nav aria-label="{escape(told)}">{before}<span>{escape(told)}</span>{after}</nav>'


def _draw_step(citations: Sequence[Citation], number: int, name: str, sign: str) -> str:
    if 0 <= number < len(citations):
        return draw_opener(citations[number], name, sign, "step")
    return f'<button type="button" class="step" disabled aria-label="{escape(name)}">{sign}</button>'
