"""Choose the sentences of a passage to quote, and the words in them that answer the question."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rag.encoding.matching import match, match_in_context
from rag.encoding.query import Query
from rag.text.invisible import drop_hidden
from rag.text.sentences import Span, ends_sentence, split_sentences
from rag.text.structure import is_heading, is_item, is_row, show
from rag.types import Document, Hit, Passage, Vectors
from rag.verification.claims import parse
from rag.verification.sought import mark_sought

READING_WEIGHT = 1 / 30
"""Weight of the reader's log-probability that a sentence holds the answer, in units of token match."""
DOUBT = 0.03
"""Added to the reader's probability, since it misses answers: a sentence that it passes over is not impossible."""
MAX_LIST = 12
"""Maximum number of sentences that are quoted from a list."""
_BLANK_LINE = re.compile(r"\n\s*\n")


@dataclass(frozen=True, slots=True)
class Quote:
    """The part of a passage to quote, in offsets of the passage."""

    span: Span
    short: Span | None
    """The words that answer by themselves; None if no reader marked any in the quote."""


def choose_quote(query: Query, hit: Hit, document: Document) -> Quote:
    """Return the one or two neighbouring sentences of a hit that answer the question best.

    A sentence answers well if the reader marked words in it, if its tokens match the question's, and, if the question
    asks for a time or a number, if it has one. The second sentence is left out if it is much worse. A row of a table is
    compared with the names of its columns, which are in the document. A heading is never the answer, and if the
    question matches it better than the sentences below it, a list there is given whole.
    """
    passage = hit.passage
    spans = split_sentences(passage.text, passage.language)
    lines = [passage.text[start:end] for start, end in spans]
    heads = _find_heads(passage.text, spans)
    matched, alone = _match(query, passage, document, spans)
    merits = matched + READING_WEIGHT * np.log(_find_read(hit, spans) + DOUBT)
    body = [number for number, head in enumerate(heads) if head != number] or list(range(len(spans)))
    best = max(body, key=merits.__getitem__)
    # Without a reader, only a sentence that matches by itself is quoted beside another: any would match in its context.
    near = merits if hit.reading else alone
    chosen = [best, *_find_beside(best, lines, heads, near, query.encoder.settings.beside)]
    if heads[best] >= 0 and matched[heads[best]] > matched[best]:
        first = heads[best] + 1
        begins_list = is_item(lines[first]) or lines[first].endswith(":")
        chosen = _complete_list(passage.text, spans, heads, [first] if begins_list else sorted(chosen))
    span = spans[min(chosen)][0], spans[max(chosen)][1]
    marked = hit.reading.spans if hit.reading else ()
    inside = ((one.start, one.end) for one in marked if span[0] <= one.start and one.end <= span[1])
    return Quote(span, next(inside, None))


def _match(query: Query, passage: Passage, document: Document, spans: Sequence[Span]) -> tuple[Vectors, Vectors]:
    """Return how well each sentence matches the question, in its passage and alone, both of shape `(sentences,)`."""
    settings = query.encoder.settings
    lines = [passage.text[start:end] for start, end in spans]
    texts = [
        show(document.text, (passage.start + start, passage.start + end)) if is_row(line) else drop_hidden(line)
        for line, (start, end) in zip(lines, spans, strict=True)
    ]
    tokens = query.encoder.encode(texts, "passage").tokens
    fits = mark_sought(parse(query.text, query.language.code), texts, passage.language)
    bonus = (settings.sought * np.array(fits)).astype(np.float32)
    in_context = match_in_context(query.tokens, tokens, settings.rarity)
    return in_context + bonus, match(query.tokens, tokens, settings.rarity) + bonus


def _find_read(hit: Hit, spans: Sequence[Span]) -> Vectors:
    """Return the probability, by the reader, that each sentence holds the answer; all alike without a reader."""
    read = np.zeros(len(spans), dtype=np.float32)
    for one in hit.reading.spans if hit.reading else ():
        read += np.array([start <= one.start < end for start, end in spans]) / (1 + np.exp(-one.odds))
    return read


def _find_beside(best: int, lines: Sequence[str], heads: Sequence[int], merits: Vectors, most: float) -> list[int]:
    """Return the better neighbour of a sentence if it is at most `most` worse. Headings and rows are no neighbours."""
    beside = [
        number
        for number in (best - 1, best + 1)
        if 0 <= number < len(lines) and heads[number] != number and not is_row(lines[number])
    ]
    if is_row(lines[best]) or not beside:
        return []
    other = max(beside, key=merits.__getitem__)
    return [other] if merits[other] > merits[best] - most else []


def _find_heads(text: str, spans: Sequence[Span]) -> list[int]:
    """Return for each sentence the number of the heading above it, or -1; for a heading, its own number."""
    heads: list[int] = []
    for number in range(len(spans)):
        above = heads[-1] if heads else -1
        heads.append(number if is_heading(text, spans, number) or _is_title(text, spans, number) else above)
    return heads


def _is_title(text: str, spans: Sequence[Span], number: int) -> bool:
    """Return whether a sentence is the first of a text, ends unlike a sentence, and stands before a blank line."""
    start, end = spans[number]
    after = text[end : spans[number + 1][0]] if number + 1 < len(spans) else ""
    stands_alone = not text[:start].strip() and "\n" not in text[start:end] and _BLANK_LINE.search(after)
    return bool(stands_alone) and not ends_sentence(text[start:end]) and not is_item(text[start:end])


def _complete_list(text: str, spans: Sequence[Span], heads: Sequence[int], chosen: Sequence[int]) -> list[int]:
    """Return the sentences with the rest of their list, if they are in one or announce one by a colon."""
    lines = [text[start:end] for start, end in spans]
    numbers = list(chosen)
    announces = [number for number in numbers if lines[number].endswith(":")]
    if announces:
        numbers = list(range(numbers[0], announces[0] + 1))
    elif not is_item(lines[numbers[0]]):
        return numbers
    for number in range(numbers[-1] + 1, min(len(lines), numbers[0] + MAX_LIST)):
        apart = _BLANK_LINE.search(text[spans[number - 1][1] : spans[number][0]]) is not None
        begins = bool(announces) and number == announces[0] + 1
        if heads[number] != heads[numbers[0]] or (apart and not begins and not is_item(lines[number])):
            break
        numbers.append(number)
    return numbers
