"""Find the passages nearest to a question by their vectors, and order them by how their tokens match the question's."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from rag.encoding.matching import match
from rag.encoding.projection import expect
from rag.encoding.query import Query
from rag.index.index import Index
from rag.retrieval.periods import Period
from rag.text.dates import PartialDate
from rag.types import Filter, Hit, Passage, Projection, Tokens, Vectors

WORD = re.compile(r"\w+")


@dataclass(slots=True)
class _Candidate:
    """A passage near enough to have its tokens matched."""

    row: int
    cosine: float
    passage: Passage
    also: list[str] = field(default_factory=list)
    """Sources of further passages with the same words."""


def retrieve(
    query: Query, index: Index, count: int, among: Filter | None = None, period: Period | None = None
) -> tuple[Hit, ...]:
    """Return the `count` passages nearest in meaning to the question, best first, whatever their language.

    Only passages that `among` lets through are considered. Documents of the `period` are preferred. Passages with the
    same words make one hit.
    """
    settings = query.encoder.settings
    candidates = _find_candidates(query.vector, index, max(count, settings.candidates), among)
    cosines = np.array([candidate.cosine for candidate in candidates], dtype=np.float32)
    passages = [candidate.passage for candidate in candidates]
    tokens = [index.read_tokens(candidate.row) for candidate in candidates]
    scores = score(query.tokens, cosines, passages, tokens, index.projection, settings.rarity)
    if period:
        for row, candidate in enumerate(candidates):
            date = candidate.passage.date
            scores[row] += settings.preference if date and period.covers(PartialDate.parse(date)) else 0
    best = np.argsort(-scores, kind="stable")[:count]
    return tuple(
        Hit(rank, min(float(scores[row]), 1.0), candidates[row].passage, also=tuple(candidates[row].also))
        for rank, row in enumerate(best, start=1)
    )


def score(
    question: Tokens,
    cosines: Vectors,
    passages: Sequence[Passage],
    tokens: Sequence[Tokens],
    projection: Projection,
    rarity: float,
) -> Vectors:
    """Return how well passages match a question, of shape `(passages,)`: the mean of vector cosine and token match.

    `cosines`, of the same shape, are those between the vectors of the passages and of the question.
    """
    if not len(question) or not passages:
        return cosines
    languages = [(passage.language, passage.script) for passage in passages]
    expected = {language: expect(question, *language, projection) for language in set(languages)}
    matched = match(question, tokens, rarity, [expected[language] for language in languages])
    return np.asarray((cosines + matched) / 2, dtype=np.float32)


def _find_candidates(vector: Vectors, index: Index, count: int, among: Filter | None) -> list[_Candidate]:
    """Return the nearest passages, those with the same words as one; reports of one event in other words stay apart."""
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
