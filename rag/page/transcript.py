"""The conversation as HTML. Questions, answers and articles are text in it, never markup."""

import math
import re
from collections.abc import Sequence

from rag.answering.answer import Answer, Citation
from rag.page.conversation import Exchange
from rag.page.export import write_plain
from rag.page.highlights import find_shared
from rag.page.labels import Wording
from rag.page.rendering import render
from rag.types import Hit

NEAREST = 3
"""The number of passages shown while an answer is prepared, or in place of one."""
_MARKER = re.compile(r"\[(\d+)\]")


def draw_conversation(exchanges: Sequence[Exchange], wording: Wording) -> str:
    """Return the HTML of all exchanges."""
    return render(
        "conversation.html",
        exchanges=exchanges,
        wording=wording,
        nearest=NEAREST,
        describe_failure=_describe_failure,
        describe_odds=_describe_odds,
        describe_progress=_describe_progress,
        find_shared=find_shared,
        find_state=_find_state,
        split_markers=_split_markers,
        write_plain=write_plain,
    )


def _describe_progress(exchange: Exchange, wording: Wording) -> str:
    if exchange.reading:
        return wording.label("reading", source=exchange.reading.passage.source)
    if exchange.ahead:
        return wording.label("queued", place=exchange.ahead)
    return wording.label("judging" if exchange.hits else "searching")


def _describe_failure(exchange: Exchange, wording: Wording) -> str | None:
    if exchange.unexpected:
        return wording.label("unexpected", error=exchange.unexpected)
    if exchange.error:
        return wording.explain(exchange.error)
    return wording.label("stopped") if exchange.stopped else None


def _describe_odds(hit: Hit, wording: Wording) -> str:
    if hit.odds is None:
        return wording.label("unjudged")
    return wording.label("likely", percent=round(50 * (1 + math.tanh(hit.odds / 2))))


def _find_state(answer: Answer) -> str | None:
    """Return the label that tells where an answer comes from, which is also its CSS class.

    A quote has none, because the answer says so itself. Small talk and counts have none, because they cite nothing.
    """
    if answer.abstained:
        return "abstained"
    if not answer.citations:
        return None
    if not answer.quoted:
        return "verified"
    # An answer about the collection comes from the index, without a search and without the model.
    return None if answer.hits else "listed"


def _split_markers(answer: Answer) -> list[tuple[str, Citation | None, bool]]:
    """Split the text of an answer into markers, each with its citation, and the text between them.

    The last item is true for the answering words of a quote.
    """
    cited = {str(citation.number): citation for citation in answer.citations}
    parts: list[tuple[str, Citation | None, bool]] = []
    for text, is_marked in answer.split_marked():
        for position, part in enumerate([text] if is_marked else _MARKER.split(text)):
            # Every second part is the number in a marker.
            parts.append((f"[{part}]", cited.get(part), False) if position % 2 else (part, None, is_marked))
    return parts
