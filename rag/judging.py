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
GROUP = 4
"""Passages that are judged together; the next ones only when none of these is likely."""


@dataclass(frozen=True, slots=True)
class Judge:
    """How far a generator's odds are to be believed; evaluation/README.md has the figures."""

    weight: float
    """What a unit of retrieval's score is worth in odds."""
    likely: float
    """From this evidence on, no further passage is judged."""

    def weigh(self, hit: Hit) -> float:
        """The evidence that a judged hit holds the answer."""
        return (hit.odds or 0.0) + self.weight * hit.score


def find_judge(generator: str) -> Judge | None:
    """How a generator is used as a judge; None for one that is no better than retrieval alone, or not known."""
    known = _load()
    return Judge(**known[generator]) if generator in known else None


def judge(
    question: str, hits: Sequence[Hit], generator: Generator, prompts: Prompts, rule: Judge
) -> tuple[Hit, ...]:
    """The hits with their odds, the likeliest first; those that were not judged follow in the order they had.

    Raises GenerationError.
    """
    judged: list[Hit] = []
    asked = prompts.fill("judge", question=question)
    for start in range(0, len(hits), GROUP):
        group = hits[start : start + GROUP]
        odds = generator.weigh([prompts.fill("excerpt", passage=hit.passage.text) for hit in group], asked, REPLIES)
        judged += [replace(hit, odds=of_one) for hit, of_one in zip(group, odds, strict=True)]
        if max(map(rule.weigh, judged)) >= rule.likely:
            break
    ordered = [*sorted(judged, key=rule.weigh, reverse=True), *hits[len(judged) :]]
    return tuple(replace(hit, rank=rank) for rank, hit in enumerate(ordered, start=1))


@cache
def _load() -> dict[str, dict[str, float]]:
    return tomllib.loads(JUDGES.read_text(encoding="utf-8"))
