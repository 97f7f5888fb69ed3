"""Question and hits to the same hits, ordered by the generator's own odds that each holds the answer.

A small model reads badly in a crowd and judges well: asked of each passage alone, whether it holds the answer, it puts
the right one first more often than the encoder can. Not every model does; `judges.py` tells which, and how.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import takewhile
from operator import itemgetter

from rag.protocols import Generator
from rag.reading.trust import Judge
from rag.text.prompts import Prompts
from rag.types import Hit, Passage

REPLIES = ("Yes", "No")
"""What prompts/judge.txt asks for."""
JUDGED = 4
"""How many of the first hits are judged; judging eight puts no more right ones first."""
MARGIN = 0.36
"""How far behind the first, by what retrieval's score is worth in odds, a hit is judged; evaluation/README.md has the
figures."""

SCORE, LEAD = 8.0, 39.0
"""What a unit of retrieval's score, and of its lead on all other hits, is worth in odds where nobody judges: a logistic
regression on the development half."""
ALONE = 3.85
"""The evidence from which on a passage is believed to hold the answer then: of the answerable questions of that half,
0.15 have less."""


def judge(
    question: str, hits: Sequence[Hit], generator: Generator, prompts: Prompts, rule: Judge, margin: float = MARGIN
) -> tuple[Hit, ...]:
    """The hits with their odds and evidence, the likeliest first; what was not judged follows in the order it had.

    Judged are the first hits, as far as retrieval does not put them behind the best by more than `margin`, in odds; the
    generator is not asked again of those that have odds. Raises GenerationError.
    """
    first = [*takewhile(lambda hit: rule.weight * (hits[0].score - hit.score) <= margin, hits[:JUDGED])]
    asked = [hit for hit in first if hit.odds is None]
    found = dict(zip(asked, weigh(question, [hit.passage for hit in asked], generator, prompts), strict=True))
    odds = [found.get(hit, hit.odds or 0.0) for hit in first]
    evidence = rule.weigh(odds, [hit.score for hit in first])
    likeliest = sorted(zip(evidence, odds, first, strict=True), key=itemgetter(0), reverse=True)
    judged = [replace(hit, odds=of_one, evidence=total) for total, of_one, hit in likeliest]
    return tuple(replace(hit, rank=rank) for rank, hit in enumerate([*judged, *hits[len(first) :]], start=1))


def trust_retrieval(hits: Sequence[Hit]) -> tuple[Hit, ...]:
    """The hits with what retrieval alone says for each, in odds, as for a generator that is no judge."""
    trusted = []
    for hit in hits:
        best = max((other.score for other in hits if other is not hit), default=0.0)
        trusted.append(replace(hit, evidence=SCORE * hit.score + LEAD * (hit.score - best)))
    return tuple(trusted)


def weigh(question: str, passages: Sequence[Passage], generator: Generator, prompts: Prompts) -> list[float]:
    """The logarithm of the odds, by the generator, that each passage holds the answer. Raises GenerationError."""
    excerpts = [prompts.fill("excerpt", passage=passage.text) for passage in passages]
    return generator.weigh(excerpts, prompts.fill("judge", question=question), REPLIES)
