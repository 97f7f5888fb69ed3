"""Choose the sentences of a passage to quote, and the words in them that answer the question."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rag.encoding.matching import match_in_context
from rag.encoding.query import Query
from rag.text.invisible import drop_hidden
from rag.text.sentences import Span, ends_sentence, split_sentences
from rag.text.structure import is_heading, is_item, is_question, is_row, show
from rag.types import AnswerSpan, Document, Hit, Passage, Vectors
from rag.verification.claims import parse
from rag.verification.sought import mark_sought

READING_WEIGHT = 1 / 30
"""What a unit of the reader's log-probability that a sentence holds the answer counts, in token match."""
DOUBT = 0.03
"""Added to this probability, since the reader misses answers: a sentence that it passes over is not impossible."""
MAX_LIST = 12
"""Maximum number of sentences that are quoted from a list."""
_BLANK_LINE = re.compile(r"\n\s*\n")


@dataclass(frozen=True, slots=True)
class Quote:
    """The part of a document to quote, in its offsets."""

    span: Span
    short: Span | None
    """The words that answer by themselves; None if no reader marked any in the quote."""


@dataclass(frozen=True, slots=True)
class Sentences:
    """The sentences of a passage, and how they are arranged."""

    text: str
    """The text of the passage."""
    spans: Sequence[Span]
    shown: Sequence[str]
    """Each as people read it; a row of a table with the names of its columns."""
    heads: Sequence[int]
    """For each sentence the number of the heading above it, or -1; for a heading, its own number."""

    @classmethod
    def split(cls, passage: Passage, document: Document) -> "Sentences":
        """Split a passage of a document."""
        spans = split_sentences(passage.text, passage.language)
        shown, heads = [], list[int]()
        for number, (start, end) in enumerate(spans):
            line = passage.text[start:end]
            place = (passage.start + start, passage.start + end)
            shown.append(show(document.text, place) if is_row(line) else drop_hidden(line))
            above = heads[-1] if heads else -1
            heads.append(number if is_heading(passage.text, spans, number) else above)
        return cls(passage.text, spans, shown, heads)

    def line(self, number: int) -> str:
        """Return a sentence as it is written."""
        start, end = self.spans[number]
        return self.text[start:end]

    def is_prose(self, number: int) -> bool:
        """Return whether a sentence may be quoted with a neighbour: it is no heading and no row of a table."""
        return self.heads[number] != number and not is_row(self.line(number))

    def list_beside(self, number: int) -> list[int]:
        """Return the numbers of the neighbours that may be quoted with a sentence."""
        beside = (one for one in (number - 1, number + 1) if 0 <= one < len(self.spans))
        return [one for one in beside if self.is_prose(number) and self.is_prose(one)]

    def needs_next(self, number: int) -> bool:
        """Return whether a sentence says nothing by itself: it is a question, or an unmarked heading."""
        if number + 1 == len(self.spans) or number + 1 not in self.list_beside(number):
            return False
        line, (_, end), (following, _) = self.line(number), *self.spans[number : number + 2]
        return is_question(line) or ("\n" in self.text[end:following] and not ends_sentence(line))

    def complete_list(self, chosen: Sequence[int]) -> list[int]:
        """Return the chosen sentences with the rest of their list, if they are in one or announce one by a colon."""
        first = chosen[0]
        announces = [number for number in chosen if self.line(number).endswith(":")]
        if not announces and not is_item(self.line(first)):
            return list(chosen)
        while not announces and first and is_item(self.line(first - 1)) and self.heads[first - 1] == self.heads[first]:
            first -= 1
        numbers = list(range(first, (announces[0] if announces else chosen[-1]) + 1))
        head = self.heads[numbers[0]]
        for number in range(numbers[-1] + 1, min(len(self.spans), numbers[0] + MAX_LIST)):
            apart = _BLANK_LINE.search(self.text[self.spans[number - 1][1] : self.spans[number][0]]) is not None
            begins = bool(announces) and number == announces[0] + 1
            if self.heads[number] != head or (apart and not begins and not is_item(self.line(number))):
                break
            numbers.append(number)
        return numbers


def choose_quote(query: Query, hit: Hit, document: Document) -> Quote:
    """Return the sentences of a passage that answer the question best: one, or two neighbours.

    A sentence answers well if the reader marked words in it, if its tokens match the question's, and, if the question
    asks for a time or a number, if it has one. The second is left out if it is much worse. A row of a table is compared
    with the names of its columns. A heading is never the answer: it counts for the sentences below it, and if the
    question is nearer to it than to them, a list there is quoted whole.
    """
    passage = hit.passage
    sentences = Sentences.split(passage, document)
    marked = hit.reading.spans if hit.reading else ()
    merits, alone = _weigh(query, passage, sentences, marked)
    chosen = _choose(sentences, merits, alone, query.encoder.settings.beside)
    start, end = sentences.spans[chosen[0]][0], sentences.spans[chosen[-1]][1]
    inside = ((one.start, one.end) for one in marked if start <= one.start and one.end <= end)
    short = next(inside, None)
    before = passage.start
    return Quote((before + start, before + end), (before + short[0], before + short[1]) if short else None)


def _choose(sentences: Sentences, merits: Vectors, alone: Vectors, beside: float) -> list[int]:
    """Return the numbers of the sentences to quote."""
    best = int(merits.argmax())
    head = sentences.heads[best]
    if head >= 0 and alone[head] > alone[best]:
        following = [one for one in sentences.list_beside(best) if one > best]
        return sentences.complete_list([best, *following])
    if sentences.needs_next(best):
        return [best, best + 1]
    other = max(sentences.list_beside(best), key=merits.__getitem__, default=best)
    return sorted({best, other if merits[other] > merits[best] - beside else best})


def _weigh(
    query: Query, passage: Passage, sentences: Sentences, marked: Sequence[AnswerSpan]
) -> tuple[Vectors, Vectors]:
    """Return how well each sentence answers, in the unit of token match, and its cosine with the question.

    Both are of shape `(sentences,)`. A heading does not answer, unless there is nothing else.
    """
    settings = query.encoder.settings
    embedded = query.encoder.encode(list(sentences.shown), "passage")
    matched = match_in_context(query.tokens, embedded.tokens, settings.rarity)
    fits = mark_sought(parse(query.text, query.language.code), sentences.shown, passage.language)
    read = np.zeros(len(sentences.spans))
    for one in marked:
        read += [start <= one.start < end for start, end in sentences.spans] / (1 + np.exp(-one.odds))
    merits = np.asarray(matched + settings.sought * np.array(fits) + READING_WEIGHT * np.log(read + DOUBT))
    answers = np.array([head != number for number, head in enumerate(sentences.heads)])
    return np.where(answers | ~answers.any(), merits, -np.inf), embedded.vectors @ query.vector
