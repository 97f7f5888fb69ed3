"""Choose the sentences to quote, and cite them."""

import re
from collections.abc import Sequence

import numpy as np

from rag.answering.answer import Citation
from rag.encoding.matching import match
from rag.encoding.query import Query
from rag.text.invisible import drop_hidden
from rag.text.sentences import Span, split_sentences
from rag.text.structure import find_page, is_heading, is_item, is_row, show
from rag.types import Document, Hit, Passage
from rag.verification.claims import parse
from rag.verification.sought import mark_sought
from rag.verification.verify import find_quote

MAX_LIST = 12
"""Maximum number of sentences that are quoted from a list."""
_BLANK_LINE = re.compile(r"\n\s*\n")


def find_answer(query: Query, passage: Passage, document: Document) -> Span:
    """Return the offsets of the sentences of `passage` that answer the question best: one, or two neighbours.

    The second is left out if it is far from the question. If the question asks for a time or a number, sentences that
    have one are preferred. A row of a table is compared with the names of its columns, which are in the document.
    A heading is never the answer: it counts for the sentences below it, and if the question is nearer to it than to
    them, a list there is given whole.
    """
    settings = query.encoder.settings
    spans = split_sentences(passage.text, passage.language)
    lines = [passage.text[start:end] for start, end in spans]
    heads = _find_heads(passage.text, spans)
    texts = [
        show(document.text, (passage.start + start, passage.start + end)) if is_row(line) else drop_hidden(line)
        for line, (start, end) in zip(lines, spans, strict=True)
    ]
    read = query.encoder.encode(texts, "passage")
    fits = mark_sought(parse(query.text, query.language.code), texts, passage.language)
    alone = read.vectors @ query.vector + settings.sought * np.array(fits)
    units = _list_units(lines, heads)
    compared = [[heads[unit[0]], *unit] if heads[unit[0]] >= 0 else unit for unit in units]
    tokens = [np.concatenate([read.tokens[number] for number in unit]) for unit in compared]
    matched = match(query.tokens, tokens, settings.rarity)
    number = int((matched + [alone[unit].max() for unit in compared]).argmax())
    best = list(units[number])
    if alone[compared[number]].max() > alone[best].max():
        best = _complete_list(passage.text, spans, heads, best)
    else:
        near = match(query.tokens, [read.tokens[one] for one in best], settings.rarity) + alone[best]
        best = [one for one, nearness in zip(best, near, strict=True) if nearness > near.max() - settings.beside]
    return spans[best[0]][0], spans[best[-1]][1]


def _find_heads(text: str, spans: Sequence[Span]) -> list[int]:
    """Return for each sentence the number of the heading above it, or -1; for a heading, its own number."""
    heads: list[int] = []
    for number in range(len(spans)):
        above = heads[-1] if heads else -1
        heads.append(number if is_heading(text, spans, number) else above)
    return heads


def _list_units(lines: Sequence[str], heads: Sequence[int]) -> list[list[int]]:
    """Return the numbers of the sentences that may be quoted together: neighbours, but no headings and no rows."""
    plain = [head != number and not is_row(line) for number, (head, line) in enumerate(zip(heads, lines, strict=True))]
    units = []
    for number, head in enumerate(heads):
        if head == number:
            continue
        paired = number + 1 < len(lines) and plain[number] and plain[number + 1]
        is_second = number > 0 and plain[number] and plain[number - 1]
        if paired or not is_second:
            units.append([number, number + 1] if paired else [number])
    return units or [[number] for number in range(len(lines))]


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


def cite_statement(statement: str, hit: Hit, query: Query, number: int, document: Document) -> Citation:
    """Cite the one or two sentences of the hit's passage in the document that support a statement."""
    return cite(hit.passage, find_quote(statement, hit.passage, query.encoder, query.text), number, document)


def cite(origin: Document | Passage, span: Span, number: int, document: Document) -> Citation:
    """Cite the words of a document, or of a passage of it, at the offsets `span`."""
    start, end = span
    before = origin.start if isinstance(origin, Passage) else 0
    return Citation(
        number=number,
        source=origin.source,
        language=origin.language,
        script=origin.script,
        date=origin.date,
        quote=origin.text[start:end],
        start=before + start,
        end=before + end,
        shown=show(document.text, (before + start, before + end)),
        page=find_page(document.text, before + start),
    )
