"""Pure measures of a ranking, from binary judgements.

`recall`, `ndcg` and `reciprocal_rank` are defined as by TREC; the tests compare them with ir-measures.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Judged:
    """The judged hits of one question."""

    relevant: tuple[bool, ...]
    """The relevance of each hit, best first."""
    total: int
    """The number of relevant items in the corpus."""


Measure = Callable[[Judged], float]


def success(judged: Judged, k: int) -> float:
    """Return 1 if a relevant hit is among the first k, else 0."""
    return float(any(judged.relevant[:k]))


def recall(judged: Judged, k: int) -> float:
    """Return the share of the relevant items that is among the first k hits; 0 if nothing is relevant."""
    return sum(judged.relevant[:k]) / judged.total if judged.total else 0.0


def ndcg(judged: Judged, k: int) -> float:
    """Return the normalised discounted cumulative gain of the first k hits; 0 if nothing is relevant."""
    gain = sum(_discount(rank) for rank, relevant in enumerate(judged.relevant[:k], start=1) if relevant)
    best = sum(_discount(rank) for rank in range(1, min(judged.total, k) + 1))
    return gain / best if best else 0.0


def reciprocal_rank(judged: Judged) -> float:
    """Return 1 / rank of the first relevant hit, or 0 if there is none. Its mean over questions is the MRR."""
    rank = first_rank(judged)
    return 1 / rank if rank else 0.0


def first_rank(judged: Judged) -> int | None:
    """Return the rank of the first relevant hit, from 1, or None."""
    return next((rank for rank, relevant in enumerate(judged.relevant, start=1) if relevant), None)


def _discount(rank: int) -> float:
    return 1 / math.log2(rank + 1)
