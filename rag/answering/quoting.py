"""Choose the sentences of a passage to quote, and the words in them that answer the question."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rag.encoding.matching import match_in_context
from rag.encoding.query import Query
from rag.text.sentences import Span, ends_sentence, is_question, split_sentences
from rag.types import AnswerSpan, Hit, Passage, Vectors
from rag.verification.claims import parse
from rag.verification.sought import mark_sought

READING_WEIGHT = 1 / 30
"""What a unit of the reader's log-probability that a sentence holds the answer counts, in token match."""
DOUBT = 0.03
"""Added to this probability, since the reader misses answers: a sentence that it passes over is not impossible."""


@dataclass(frozen=True, slots=True)
class Quote:
    """The part of a passage to quote, in offsets of the passage."""

    span: Span
    short: Span | None
    """The words that answer by themselves; None if no reader marked any in the quote."""


def choose_quote(query: Query, hit: Hit) -> Quote:
    """Return the one or two neighbouring sentences of a passage that answer the question best.

    A sentence answers well if the reader marked words in it, if its tokens match the question's, and, if the question
    asks for a time or a number, if it has one. The second sentence is left out if it is much worse. A heading or a
    question of the text is quoted only with the sentence after it.
    """
    passage = hit.passage
    sentences = split_sentences(passage.text, passage.language)
    marked = hit.reading.spans if hit.reading else ()
    merits = _weigh(query, passage, sentences, marked)
    best = int(merits.argmax())
    if best + 1 < len(sentences) and _needs_next(passage, sentences[best], sentences[best + 1]):
        chosen = [best, best + 1]
    else:
        beside = [place for place in (best - 1, best + 1) if 0 <= place < len(sentences)]
        other = max(beside, key=merits.__getitem__, default=best)
        near = other == best or merits[other] > merits[best] - query.encoder.settings.beside
        chosen = sorted({best, other if near else best})
    span = sentences[chosen[0]][0], sentences[chosen[-1]][1]
    inside = ((one.start, one.end) for one in marked if span[0] <= one.start and one.end <= span[1])
    return Quote(span, next(inside, None))


def _weigh(query: Query, passage: Passage, sentences: Sequence[Span], marked: Sequence[AnswerSpan]) -> Vectors:
    """Return how well each sentence answers, of shape `(sentences,)`, in the unit of token match."""
    settings = query.encoder.settings
    texts = [passage.text[start:end] for start, end in sentences]
    matched = match_in_context(query.tokens, query.encoder.encode(texts, "passage").tokens, settings.rarity)
    fits = mark_sought(parse(query.text, query.language.code), texts, passage.language)
    read = np.zeros(len(sentences))
    for one in marked:
        read += [start <= one.start < end for start, end in sentences] / (1 + np.exp(-one.odds))
    return np.asarray(matched + settings.sought * np.array(fits) + READING_WEIGHT * np.log(read + DOUBT))


def _needs_next(passage: Passage, sentence: Span, following: Span) -> bool:
    """Return whether a sentence says nothing by itself: it is a question, or a heading on a line of its own."""
    text = passage.text[slice(*sentence)]
    is_heading = "\n" in passage.text[sentence[1] : following[0]] and not ends_sentence(text)
    return is_heading or is_question(text, passage.language)
