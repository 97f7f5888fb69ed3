"""Answers and passages as HTML. Whatever stands in them is text there, never markup."""

import html
from collections.abc import Sequence

from rag.answering.answer import Answer, Citation
from rag.text.invisible import drop_hidden
from rag.text.language import name_of
from rag.types import Passage

Span = tuple[int, int]


def draw_cited(answer: Answer) -> str:
    """The answer with its citations, which needs no words but theirs; above it a completed question."""
    language = tag(answer.language, answer.script)
    cards = [draw_card(cited, cited.quote, answer.language, answer.script) for cited in answer.citations]
    sources = draw_cards(cards) if cards else ""
    said = "<br>".join(map(escape, answer.text.splitlines()))
    drawn = f'<div lang="{language}"><p class="said" dir="auto">{said}</p>{sources}</div>'
    if answer.completed == answer.question:
        return drawn
    return f'<p class="completed" dir="auto">{escape(answer.completed)}</p>{drawn}'


def draw_cards(cards: Sequence[str]) -> str:
    """The list of them."""
    return f'<ul class="cards">{"".join(cards)}</ul>'


def draw_card(
    origin: Citation | Passage,
    words: str,
    language: str,
    script: str | None = None,
    marked: Sequence[Span] = (),
    foot: str = "",
) -> str:
    """Where the words stand, said in the given language, and the words themselves; `foot` is HTML to follow them."""
    facts = [name_of(origin.language, language, script), origin.date]
    badge = f'<b class="number">{origin.number}</b>' if isinstance(origin, Citation) else ""
    rest = "".join(f"<span>{escape(fact)}</span>" for fact in facts if fact)
    return (
        f'<li><figure><figcaption dir="auto">{badge}<cite>{escape(origin.source)}</cite>{rest}</figcaption>'
        f'<blockquote lang="{tag(origin.language, origin.script)}" dir="auto">{mark(words, marked)}</blockquote>'
        f"{foot}</figure></li>"
    )


def mark(text: str, spans: Sequence[Span]) -> str:
    """The text as HTML that shows it, with the stretches at `spans`, in order and apart, marked."""
    parts, end = [], 0
    for start, stop in spans:
        parts.append(f"{escape(text[end:start])}<mark>{escape(text[start:stop])}</mark>")
        end = stop
    return "".join(parts) + escape(text[end:])


def tag(language: str, script: str) -> str:
    """The value of the attribute `lang`."""
    return escape(f"{language}-{script}")


def escape(text: str) -> str:
    """The text as HTML that shows it, without what cannot be seen."""
    # Gradio fills a template of its own with the page, in which $, { and ` have a meaning too.
    return html.escape(drop_hidden(text)).translate({ord(sign): f"&#{ord(sign)};" for sign in "$`{}"})
