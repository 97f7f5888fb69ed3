"""Choose the sentences to quote, and cite them."""

import numpy as np

from rag.answering.answer import Citation
from rag.encoding.matching import match
from rag.encoding.query import Query
from rag.text.quoting import find_page
from rag.text.sentences import Span, split_sentences
from rag.types import Document, Hit, Passage
from rag.verification.claims import parse
from rag.verification.sought import mark_sought
from rag.verification.verify import find_quote


def find_answer(query: Query, passage: Passage) -> Span:
    """Return the offsets of the one or two neighbouring sentences of `passage` that answer the question best.

    The second is left out if it is far from the question. If the question asks for a time
    or a number, sentences that have one are preferred.
    """
    settings = query.encoder.settings
    spans = split_sentences(passage.text, passage.language)
    texts = [passage.text[start:end] for start, end in spans]
    read = query.encoder.encode(texts, "passage")
    fits = mark_sought(parse(query.text, query.language.code), texts, passage.language)
    alone = read.vectors @ query.vector + settings.sought * np.array(fits)
    pairs = [slice(first, first + 2) for first in range(max(len(spans) - 1, 1))]
    matched = match(query.tokens, [np.concatenate(read.tokens[pair]) for pair in pairs], settings.rarity)
    best = pairs[int((matched + [alone[pair].max() for pair in pairs]).argmax())]
    near = match(query.tokens, read.tokens[best], settings.rarity) + alone[best]
    kept = [span for span, one in zip(spans[best], near, strict=True) if one > near.max() - settings.beside]
    return kept[0][0], kept[-1][1]


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
        page=find_page(document.text, before + start),
    )
