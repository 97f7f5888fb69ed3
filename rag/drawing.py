"""Answers and passages as HTML. Whatever stands in them is text there, never markup."""

import html
from collections.abc import Sequence

from rag.hidden import drop_hidden
from rag.language import name_of
from rag.prompts import Prompts
from rag.types import Answer, Citation, Passage

NEAREST = 3


def draw_answer(answer: Answer, prompts: Prompts) -> str:
    """The answer with its sources, or with the nearest passages where it abstained; above it a completed question."""
    written = (answer.language, answer.script)
    if answer.abstained:
        heading = prompts.say("nearest", *written)
        cards = [draw_card(hit.passage, hit.passage.text, *written) for hit in answer.hits[:NEAREST]]
    else:
        heading = prompts.say("sources", *written)
        cards = [draw_card(cited, cited.quote, *written) for cited in answer.citations]
    return _draw_said(answer, f'<h3 dir="auto">{escape(heading)}</h3>{draw_cards(cards)}' if cards else "")


def draw_cited(answer: Answer) -> str:
    """The answer with its citations alone, which needs no words but theirs."""
    cards = [draw_card(cited, cited.quote, answer.language, answer.script) for cited in answer.citations]
    return _draw_said(answer, draw_cards(cards) if cards else "")


def _draw_said(answer: Answer, sources: str) -> str:
    tag = _tag(answer.language, answer.script)
    said = f'<div lang="{tag}"><p class="said" dir="auto">{escape(answer.text)}</p>{sources}</div>'
    if answer.completed == answer.question:
        return said
    return f'<p class="completed" dir="auto">{escape(answer.completed)}</p>{said}'


def draw_cards(cards: Sequence[str]) -> str:
    """The list of them."""
    return f'<ul class="cards">{"".join(cards)}</ul>'


def draw_card(origin: Citation | Passage, words: str, language: str, script: str | None = None) -> str:
    """Where the words stand, said in the given language, and the words themselves."""
    facts = [name_of(origin.language, language, script), origin.date]
    badge = f'<b class="number">{origin.number}</b>' if isinstance(origin, Citation) else ""
    rest = "".join(f"<span>{escape(fact)}</span>" for fact in facts if fact)
    return (
        f'<li><figure><figcaption dir="auto">{badge}<cite>{escape(origin.source)}</cite>{rest}</figcaption>'
        f'<blockquote lang="{_tag(origin.language, origin.script)}" dir="auto">{escape(words)}</blockquote>'
        "</figure></li>"
    )


def _tag(language: str, script: str) -> str:
    return escape(f"{language}-{script}")


def escape(text: str) -> str:
    """The text as HTML that shows it, without what cannot be seen."""
    # Gradio fills a template of its own with the page, in which $, { and ` have a meaning too.
    return html.escape(drop_hidden(text)).translate({ord(sign): f"&#{ord(sign)};" for sign in "$`{}"})
