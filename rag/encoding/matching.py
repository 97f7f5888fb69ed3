"""How the tokens of a question match those of passages, whatever languages they are in."""

from collections.abc import Sequence

import numpy as np

from rag.encoding.projection import compare
from rag.types import Tokens, Vectors

RARITY = 4
"""How much more a token of the question counts that few of the passages have; evaluation/README.md has the figures."""
FARTHEST = 4
"""One in so many tokens of a statement is looked at: a single wrong word hides in the mean of all."""


def match(question: Tokens, passages: Sequence[Tokens], expected: Sequence[Vectors] | None = None) -> Vectors:
    """How well each passage answers the question's tokens, of shape `(passages,)`, in cosines.

    Each token of the question is worth its best cosine among the passage's tokens, less what is `expected` of any text
    in the passage's language: so no language has an advantage. The tokens are averaged by their rarity: one that most
    of these passages have tells little of which one is meant, in any language, as inverse document frequency does for
    words.
    """
    cosines = np.stack([find_best(question, tokens) for tokens in passages])
    rarity = np.maximum(1 - cosines.mean(axis=0), 1e-3) ** RARITY
    merits = cosines - np.stack(expected) if expected else cosines
    return np.asarray(merits @ (rarity / rarity.sum()), dtype=np.float32)


def find_best(question: Tokens, passage: Tokens) -> Vectors:
    """The best cosine of each token of a question among a passage's tokens, of shape `(tokens,)`.

    Late interaction (Khattab and Zaharia 2020, "ColBERT", SIGIR), the mean over the layers: each finds its own best
    token, so a name that one of them knows is not lost in the others.
    """
    return np.asarray(compare(question, passage).max(axis=2, initial=-1).mean(axis=0), dtype=np.float32)


def measure_farthest(said: Tokens, sentences: Sequence[Tokens]) -> float:
    """How well the tokens match that match worst."""
    best = np.sort(find_best(said, np.concatenate(sentences)))
    return float(best[: max(1, len(best) // FARTHEST)].mean())
