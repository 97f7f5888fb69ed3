"""The sentences that are quoted, and the citations made of them."""

import numpy as np

from rag.answering.answer import Citation
from rag.encoding.matching import match
from rag.protocols import Encoder
from rag.text.language import detect
from rag.text.sentences import Span, split_sentences
from rag.types import Passage, Statement
from rag.verification.claims import parse
from rag.verification.sought import mark_sought
from rag.verification.verify import find_quote

BESIDE = 0.25
"""How much farther from the question, in token match and cosine together, a second sentence may be that is quoted; no
right quote of the development half is lost to it, and what is planted in an article is mostly farther."""
SOUGHT = 0.2
"""What a time or a number that is asked for is worth to a sentence, beside these; on the development half 0.1 to 0.3
are alike, and far more loses times that are told otherwise, as in “almost a year ago”."""


def find_answer(question: str, passage: Passage, encoder: Encoder) -> Span:
    """Offsets of the two neighbouring sentences of `passage` that answer `question` best; of one where the other is far
    from the question, or there is no other.

    Where a time or a number is asked for, sentences that have one are preferred.
    """
    spans = split_sentences(passage.text, passage.language)
    texts = [passage.text[start:end] for start, end in spans]
    asked = encoder.encode([question], "query")
    read = encoder.encode(texts, "passage")
    fits = mark_sought(parse(question, detect(question).code), texts, passage.language)
    alone = read.vectors @ asked.vectors[0] + SOUGHT * np.array(fits)
    pairs = [slice(first, first + 2) for first in range(max(len(spans) - 1, 1))]
    matched = match(asked.tokens[0], [np.concatenate(read.tokens[pair]) for pair in pairs])
    best = pairs[int((matched + [alone[pair].max() for pair in pairs]).argmax())]
    near = match(asked.tokens[0], read.tokens[best]) + alone[best]
    kept = [span for span, one in zip(spans[best], near, strict=True) if one > near.max() - BESIDE]
    return kept[0][0], kept[-1][1]


def cite(statement: Statement, question: str, number: int, encoder: Encoder) -> Citation:
    """Quote the sentence or two of the statement's passage that bear the statement."""
    passage = statement.hit.passage
    return quote(passage, find_quote(statement.text, passage, encoder, question), number)


def quote(passage: Passage, span: Span, number: int) -> Citation:
    """The citation of a stretch of a passage."""
    start, end = span
    return Citation(
        number=number,
        source=passage.source,
        language=passage.language,
        script=passage.script,
        date=passage.date,
        quote=passage.text[start:end],
        start=passage.start + start,
        end=passage.start + end,
    )
