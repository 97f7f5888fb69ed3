"""Question and hits to the same hits, ordered by the generator's own odds that each holds the answer.

A small model reads badly in a crowd and judges well: asked of each passage alone, whether it holds the answer, it puts
the right one first more often than the encoder can. Not every model does; `judges.toml` tells which, and how.
"""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from rag.prompts import Prompts
from rag.types import Generator, Hit

JUDGES = Path(__file__).with_name("judges.toml")
REPLIES = ("Yes", "No")
"""What prompts/judge.txt asks for."""
JUDGED = 4
"""How many of the first hits are judged; judging eight puts no more right ones first."""
AGREEMENT = 2.0
"""What it is worth, in odds, that retrieval put the same passage first: the two err on different questions."""


@dataclass(frozen=True, slots=True)
class Judge:
    """How far a generator is to be believed; evaluation/README.md has the figures."""

    weight: float
    """What a unit of retrieval's score is worth in odds."""
    least: float
    """The evidence from which on a passage is believed to hold the answer."""
    speaks: tuple[str, ...]
    """Languages, by ISO 639-1, in which it says more right than wrong; in others the article itself is quoted."""

    def weigh(self, hit: Hit) -> float:
        """What the odds and the score of a judged hit say together, by which judged hits are ordered."""
        return (hit.odds or 0.0) + self.weight * hit.score


def find_judge(generator: str) -> Judge | None:
    """How a generator is used as a judge; None for one that is no better than retrieval alone, or not known."""
    return _load().get(generator)


def judge(question: str, hits: Sequence[Hit], generator: Generator, prompts: Prompts, rule: Judge) -> tuple[Hit, ...]:
    """The hits with their odds and evidence, the likeliest first; what was not judged follows in the order it had.

    Raises GenerationError.
    """
    first = hits[:JUDGED]
    excerpts = [prompts.fill("excerpt", passage=hit.passage.text) for hit in first]
    odds = generator.weigh(excerpts, prompts.fill("judge", question=question), REPLIES)
    judged = [replace(hit, odds=of_one) for hit, of_one in zip(first, odds, strict=True)]
    best = max(judged, key=rule.weigh, default=None)
    agreed = AGREEMENT if best and best.rank == 1 else 0.0
    weighed = [replace(hit, evidence=rule.weigh(hit) + (agreed if hit is best else 0.0)) for hit in judged]
    ordered = [*sorted(weighed, key=rule.weigh, reverse=True), *hits[JUDGED:]]
    return tuple(replace(hit, rank=rank) for rank, hit in enumerate(ordered, start=1))


@cache
def _load() -> dict[str, Judge]:
    known = tomllib.loads(JUDGES.read_text(encoding="utf-8"))
    return {name: Judge(rule["weight"], rule["least"], tuple(rule["speaks"])) for name, rule in known.items()}
