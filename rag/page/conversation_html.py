"""The conversation as HTML. Whatever stands in questions, answers and articles is text in it.

A button that carries `data-open` opens an article: page.js hands its value, a JSON object, to layout.py.
"""

import json
import math
import re
from collections.abc import Sequence

from rag.answering.answer import Answer, Citation
from rag.answering.html import draw_card, draw_cards, escape, tag
from rag.page.conversation import Exchange
from rag.page.export import write_plain
from rag.page.highlights import find_shared
from rag.page.labels import Wording
from rag.types import Hit, Passage

MARKER = re.compile(r"\[(\d+)\]")
NEAREST = 3


def draw_conversation(exchanges: Sequence[Exchange], wording: Wording) -> str:
    """All of it."""
    return "".join(_draw_exchange(exchange, wording) for exchange in exchanges)


def draw_opener(origin: Citation | Passage, name: str, content: str, kind: str) -> str:
    """A button that opens an article at the words; `content` is HTML, `name` what the button is called."""
    place = json.dumps({"source": origin.source, "start": origin.start, "end": origin.end})
    return (
        f'<button type="button" class="{kind}" data-open="{escape(place)}" aria-label="{escape(name)}">'
        f"{content}</button>"
    )


def _draw_exchange(exchange: Exchange, wording: Wording) -> str:
    parts = [f'<h2 class="asked" dir="auto">{escape(exchange.question.strip())}</h2>']
    if exchange.renewed is not None:
        parts.append(f'<p class="notice">{escape(wording.label("in_use", articles=exchange.renewed))}</p>')
    if exchange.words:
        parts.append(f'<p class="said" dir="auto">{escape(exchange.words)}</p>')
    if exchange.busy:
        parts.append(f'<p class="doing">{escape(_say_doing(exchange, wording))}</p>')
        parts.append(_draw_evidence(exchange, wording))
    if exchange.answer:
        parts.append(_draw_answer(exchange, exchange.answer, wording))
    if notice := _say_notice(exchange, wording):
        parts.append(f'<p class="notice">{escape(notice)}</p>')
    # Nothing is read out before it is whole.
    return f'<article aria-busy="{"true" if exchange.busy else "false"}">{"".join(parts)}</article>'


def _say_doing(exchange: Exchange, wording: Wording) -> str:
    if exchange.reading:
        return wording.label("reading", source=exchange.reading.passage.source)
    if exchange.ahead:
        return wording.label("queued", place=exchange.ahead)
    return wording.label("judging" if exchange.hits else "searching")


def _say_notice(exchange: Exchange, wording: Wording) -> str | None:
    if exchange.surprise:
        return wording.label("unexpected", error=exchange.surprise)
    if exchange.error:
        return wording.explain(exchange.error)
    return wording.label("stopped") if exchange.stopped else None


def _draw_evidence(exchange: Exchange, wording: Wording) -> str:
    return _draw_passages("evidence", exchange.question, exchange.hits[:NEAREST], wording)


def _draw_answer(exchange: Exchange, answer: Answer, wording: Wording) -> str:
    state = _tell_state(answer)
    said = _draw_said(answer, wording)
    if answer.abstained:
        sources = _draw_passages("nearest", answer.question, answer.hits[:NEAREST], wording)
    else:
        cards = [_draw_card(cited, cited.quote, answer.question, wording) for cited in answer.citations]
        sources = f"<h3>{escape(wording.label('sources'))}</h3>{draw_cards(cards)}"
    leaned = answer.completed != answer.question
    completed = f'<p class="completed" dir="auto">{escape(answer.completed)}</p>' if leaned else ""
    return (
        f'{completed}<p class="state {state}">{escape(wording.label(state))}</p>'
        f'<p class="said" dir="auto" lang="{tag(answer.language, answer.script)}">{said}</p>'
        f"{sources}{_draw_steps(answer, wording)}{_draw_foot(exchange, answer, wording)}"
    )


def _tell_state(answer: Answer) -> str:
    if answer.abstained:
        return "abstained"
    if not answer.quoted:
        return "verified"
    # What is told of the collection was neither searched for nor said by the model.
    return "quoted" if answer.hits else "listed"


def _draw_said(answer: Answer, wording: Wording) -> str:
    """The answer's text, its markers as buttons that open their citations."""
    cited = {str(citation.number): citation for citation in answer.citations}
    parts = []
    for place, part in enumerate(MARKER.split(answer.text)):
        if place % 2 == 0:
            parts.append(escape(part))
        elif part in cited:
            name = wording.label("marker", number=part)
            parts.append(draw_opener(cited[part], name, f"[{part}]", "marker"))
        else:
            parts.append(escape(f"[{part}]"))
    return "".join(parts)


def _draw_passages(heading: str, question: str, hits: Sequence[Hit], wording: Wording) -> str:
    if not hits:
        return ""
    cards = [_draw_card(hit.passage, hit.passage.text, question, wording) for hit in hits]
    return f'<div class="passages"><h3>{escape(wording.label(heading))}</h3>{draw_cards(cards)}</div>'


def _draw_card(origin: Citation | Passage, words: str, question: str, wording: Wording) -> str:
    label = wording.label("open")
    foot = draw_opener(origin, f"{label}: {origin.source}", escape(label), "opener")
    return draw_card(origin, words, *wording.written, marked=find_shared(question, words), foot=foot)


def _draw_steps(answer: Answer, wording: Wording) -> str:
    """What was read and what came of it, one click away."""
    if not answer.hits:
        return ""
    rows = "".join(f"<li>{_draw_step(hit, answer, wording)}</li>" for hit in answer.hits)
    return f"<details><summary>{escape(wording.label('steps'))}</summary><ol>{rows}</ol></details>"


def _draw_step(hit: Hit, answer: Answer, wording: Wording) -> str:
    passage = hit.passage
    opener = draw_opener(passage, f"{wording.label('open')}: {passage.source}", escape(passage.source), "opener")
    facts = [wording.name(passage.language), passage.date, _say_odds(hit, wording)]
    parts = [opener, *(f"<span>{escape(fact)}</span>" for fact in facts if fact)]
    for rejection in answer.rejected:
        if rejection.statement.hit.passage == passage:
            if said := rejection.statement.text:
                parts.append(f'<p dir="auto">{escape(wording.label("said"))}: {escape(said)}</p>')
            reason = f'{escape(wording.label("rejected"))}: <span lang="en">{escape(rejection.reason)}</span>'
            parts.append(f'<p class="reason">{reason}</p>')
    return "".join(parts)


def _say_odds(hit: Hit, wording: Wording) -> str:
    if hit.odds is None:
        return wording.label("unjudged")
    return wording.label("likely", percent=round(50 * (1 + math.tanh(hit.odds / 2))))


def _draw_foot(exchange: Exchange, answer: Answer, wording: Wording) -> str:
    seconds = ""
    if total := answer.timings.get("total"):
        seconds = f"<span>{escape(wording.label('seconds', seconds=f'{total:.1f}'))}</span>"
    text, done = escape(write_plain(exchange)), escape(wording.label("copied"))
    copy = f'<button type="button" data-copy="{text}" data-done="{done}">{escape(wording.label("copy"))}</button>'
    return f'<p class="foot">{copy}{seconds}</p>'
