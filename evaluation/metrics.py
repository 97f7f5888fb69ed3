"""Measures of a ranking, pure: judgements in, numbers out. Relevance is binary.

`recall`, `ndcg` and `reciprocal_rank` are what TREC means by them; the tests compare them with ir-measures.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of one question."""

    relevant: tuple[bool, ...]
    """Is it relevant? For each thing that was found, best first."""
    total: int
    """Relevant things that there were to be found."""


Measure = Callable[[Judged], float]


def success(judged: Judged, k: int) -> float:
    """1 when anything relevant is among the first k, else 0."""
    return float(any(judged.relevant[:k]))


def recall(judged: Judged, k: int) -> float:
    """The share of what is relevant that is among the first k; 0 when nothing is relevant."""
    return sum(judged.relevant[:k]) / judged.total if judged.total else 0.0


def ndcg(judged: Judged, k: int) -> float:
    """Discounted gain of the first k, as a share of what the best order would give; 0 when nothing is relevant."""
    gain = sum(_discount(rank) for rank, relevant in enumerate(judged.relevant[:k], start=1) if relevant)
    best = sum(_discount(rank) for rank in range(1, min(judged.total, k) + 1))
    return gain / best if best else 0.0


def reciprocal_rank(judged: Judged) -> float:
    """1 / rank of the first relevant thing; 0 when none was found. Its mean over questions is the MRR."""
    rank = first_rank(judged)
    return 1 / rank if rank else 0.0


def first_rank(judged: Judged) -> int | None:
    """Rank of the first relevant thing, from 1, or None when none was found."""
    return next((rank for rank, relevant in enumerate(judged.relevant, start=1) if relevant), None)


def _discount(rank: int) -> float:
    return 1 / math.log2(rank + 1)
