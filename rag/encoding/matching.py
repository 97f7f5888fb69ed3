"""Measure how well the tokens of a question match those of passages, in any languages."""

from collections.abc import Sequence

import numpy as np

from rag.encoding.projection import compare
from rag.types import Tokens, Vectors

CONTEXT = 0.8
"""Weight of a match in another sentence of the passage."""
FARTHEST = 4
"""The worst-matching tokens of a statement are averaged, one in this many. A mean of all would hide a wrong word."""


def match(
    question: Tokens, passages: Sequence[Tokens], rarity: float, expected: Sequence[Vectors] | None = None
) -> Vectors:
    """Return how well each passage matches the question, of shape `(passages,)`, in cosines.

    Each token of the question scores its best cosine among the tokens of the passage, less the cosine that is
    `expected` of any text in the language of the passage, so that no language has an advantage. The mean over the
    tokens is weighted by their rarity, raised to the power of `rarity`: like inverse document frequency for words, but
    in any language, a token that most of these passages have counts little.
    """
    cosines = np.stack([find_best(question, tokens) for tokens in passages])
    weights = np.maximum(1 - cosines.mean(axis=0), 1e-3) ** rarity
    merits = cosines - np.stack(expected) if expected else cosines
    return np.asarray(merits @ (weights / weights.sum()), dtype=np.float32)


def match_in_context(question: Tokens, sentences: Sequence[Tokens], rarity: float) -> Vectors:
    """Return how well each sentence of a passage matches the question, of shape `(sentences,)`, in cosines.

    A token of the question may also match the other sentences, at CONTEXT of its cosine: an article that names its
    subject once is about it in the sentences that follow too.
    """
    cosines = np.stack([find_best(question, tokens) for tokens in sentences])
    if len(cosines) > 1:
        others = np.stack([np.delete(cosines, row, axis=0).max(axis=0) for row in range(len(cosines))])
        cosines = np.maximum(cosines, CONTEXT * others)
    weights = np.maximum(1 - cosines.mean(axis=0), 1e-3) ** rarity
    return np.asarray(cosines @ (weights / weights.sum()), dtype=np.float32)


def find_best(question: Tokens, passage: Tokens) -> Vectors:
    """Return the best cosine of each token of a question among the tokens of a passage, of shape `(tokens,)`.

    This is late interaction (Khattab and Zaharia 2020, "ColBERT", SIGIR). It is averaged over the layers, each of
    which chooses its own best token, so that a name which only one layer recognises is not lost.
    """
    return np.asarray(compare(question, passage).max(axis=2, initial=-1).mean(axis=0), dtype=np.float32)


def measure_farthest(said: Tokens, sentences: Sequence[Tokens]) -> float:
    """Return the mean cosine of those tokens of a statement that match the sentences worst."""
    best = np.sort(find_best(said, np.concatenate(sentences)))
    return float(best[: max(1, len(best) // FARTHEST)].mean())
