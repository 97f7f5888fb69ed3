"""Question to hits: the nearest passages by their vectors, ordered by how their tokens match the question's."""

from collections.abc import Sequence

import numpy as np

from rag.index import Index
from rag.projection import SCALE
from rag.types import Encoder, Hit, Tokens, Vectors

CANDIDATES = 32
"""Passages whose tokens are matched; evaluation/README.md has the figures."""
RARITY = 4
"""How much more a token of the question counts that few of the candidates have."""


def retrieve(question: str, index: Index, encoder: Encoder, count: int) -> tuple[Hit, ...]:
    """The `count` passages nearest in meaning to the question, best first, whatever their language."""
    asked = encoder.encode([question], "query")
    rows = index.search(asked.vectors[0], max(count, CANDIDATES))
    scores = match(asked.tokens[0], [index.read_tokens(row) for row in rows])
    best = sorted(zip(scores, rows, strict=True), key=lambda scored: -scored[0])[:count]
    return tuple(Hit(rank, float(score), index.read_passage(row)) for rank, (score, row) in enumerate(best, start=1))


def match(question: Tokens, passages: Sequence[Tokens]) -> Vectors:
    """How well each passage answers the question's tokens, from -1 to 1, of shape `(passages,)`.

    Late interaction (Khattab and Zaharia 2020, "ColBERT", SIGIR): each token of the question is worth its best
    cosine among the passage's tokens. The tokens are averaged by their rarity: one that most of these passages
    have tells little of which one is meant, in any language, as inverse document frequency does for words.
    """
    if not passages:
        return np.empty(0, dtype=np.float32)
    asked = question.astype(np.float32) / SCALE
    cosines = np.stack([(asked @ (tokens.astype(np.float32).T / SCALE)).max(axis=1, initial=-1) for tokens in passages])
    rarity = np.maximum(1 - cosines.mean(axis=0), 1e-3) ** RARITY
    # In whole bytes a token's cosine with itself can come out a little above one.
    return np.asarray((cosines @ (rarity / rarity.sum())).clip(-1, 1), dtype=np.float32)
