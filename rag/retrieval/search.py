"""Question to hits: the nearest passages by their vectors, ordered by how their tokens match the question's."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from rag.encoding.matching import match
from rag.encoding.projection import expect
from rag.index.index import Index
from rag.protocols import Encoder
from rag.retrieval.periods import Period
from rag.text.dates import PartialDate
from rag.types import Filter, Hit, Passage, Projection, Tokens, Vectors

CANDIDATES = 32
"""Passages whose tokens are matched; evaluation/README.md has the figures of this and what follows."""
PREFERENCE = 0.05
"""What a passage gains when its document is of the period that the question names."""
WORD = re.compile(r"\w+")


@dataclass(slots=True)
class _Candidate:
    """A passage that is near enough to be looked at closely."""

    row: int
    cosine: float
    passage: Passage
    also: list[str] = field(default_factory=list)
    """Sources of further passages with the same words."""


def retrieve(
    question: str, index: Index, encoder: Encoder, count: int, among: Filter | None = None, period: Period | None = None
) -> tuple[Hit, ...]:
    """The `count` passages nearest in meaning to the question, best first, whatever their language.

    Only those that `among` lets through; those whose documents are of the `period` come sooner. Passages with the
    same words take one place together.
    """
    asked = encoder.encode([question], "query")
    candidates = _find_candidates(asked.vectors[0], index, max(count, CANDIDATES), among)
    cosines = np.array([candidate.cosine for candidate in candidates], dtype=np.float32)
    passages = [candidate.passage for candidate in candidates]
    tokens = [index.read_tokens(candidate.row) for candidate in candidates]
    scores = score(asked.tokens[0], cosines, passages, tokens, index.projection)
    if period:
        for row, candidate in enumerate(candidates):
            date = candidate.passage.date
            scores[row] += PREFERENCE if date and period.covers(PartialDate.parse(date)) else 0
    best = np.argsort(-scores, kind="stable")[:count]
    return tuple(
        Hit(rank, min(float(scores[row]), 1.0), candidates[row].passage, also=tuple(candidates[row].also))
        for rank, row in enumerate(best, start=1)
    )


def _find_candidates(vector: Vectors, index: Index, count: int, among: Filter | None) -> list[_Candidate]:
    """The nearest passages that say different things; reports of one event in other words do."""
    size = count
    while True:
        nearest = index.search(vector, size, among)
        found: dict[str, _Candidate] = {}
        for row, cosine in nearest:
            passage = index.read_passage(row)
            words = " ".join(WORD.findall(passage.text.casefold()))
            first = found.setdefault(words, _Candidate(row, cosine, passage))
            if passage.source not in (first.passage.source, *first.also):
                first.also.append(passage.source)
        if len(found) >= count or len(nearest) < size:
            return list(found.values())
        size *= 4


def score(
    question: Tokens, cosines: Vectors, passages: Sequence[Passage], tokens: Sequence[Tokens], projection: Projection
) -> Vectors:
    """How well passages match, of shape `(passages,)`: the mean of what vectors and tokens say, in cosines.

    `cosines` are those of the passages' vectors with the question's, of the same shape.
    """
    if not len(question) or not passages:
        return cosines
    languages = [(passage.language, passage.script) for passage in passages]
    expected = {language: expect(question, *language, projection) for language in set(languages)}
    matched = match(question, tokens, [expected[language] for language in languages])
    return np.asarray((cosines + matched) / 2, dtype=np.float32)
