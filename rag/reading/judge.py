"""Order hits by the evidence that each of them holds the answer.

A small model is confused by many passages at once but judges well one at a time: asked of each passage alone whether it
holds the answer, it puts the right passage first more often than the encoder does. Not every model does so;
`known_judges.py` finds out which do. Without such a model, the evidence is the score of retrieval alone.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from operator import itemgetter

from rag.protocols import Generator
from rag.text.language import name_of
from rag.text.prompts import Prompts
from rag.types import EncoderSettings, Hit, Passage, PassageReading

REPLIES = ("Yes", "No")
"""The two replies that prompts/judge.txt asks for."""

Ask = Callable[[str, Sequence[Passage]], list[float]]
"""Takes a question and passages; returns for each passage the log-odds that it holds the answer."""


@dataclass(frozen=True, slots=True)
class Judge:
    """The weights and thresholds for a generator's judgements; `rag/models/tables/` holds those that were measured."""

    weight: float
    """Log-odds per unit of retrieval score."""
    least: float
    """Least evidence for a passage to be taken as holding the answer."""
    speaks: tuple[str, ...]
    """ISO 639-1 codes of the languages in which the generator's own words may be shown. In all others the article is
    quoted."""
    judged: int = 4
    """The maximum number of hits that are judged."""
    margin: float = 0.36
    """How far behind the first hit a judged hit may be, by its weighted score of retrieval, in log-odds."""
    agreement: float = 2.0
    """Log-odds added to the best passage if retrieval put it first as well: the two err on different questions."""
    reading: float = 0.0
    """Weight of the log-odds of the reader. With 0, only passages that are quoted are read."""
    unread: float = 0.0
    """The reader's log-odds that a passage counts as having if no reader read it."""

    def weigh(
        self, odds: Sequence[float], scores: Sequence[float], readings: Sequence[PassageReading | None] = ()
    ) -> list[float]:
        """Return the evidence that each passage holds the answer, in log-odds. Needs at least one passage."""
        evidence = [of_one + self.weight * score for of_one, score in zip(odds, scores, strict=True)]
        for row, read in enumerate(readings):
            evidence[row] += self.reading * (read.odds - self.unread) if read else 0.0
        best = evidence.index(max(evidence))
        if scores[best] == max(scores):
            evidence[best] += self.agreement
        return evidence

    def __str__(self) -> str:
        languages = ", ".join(name_of(language, "en") for language in self.speaks)
        return f"judges passages; its own words are shown {f'only in {languages}' if languages else 'in no language'}"


def ask_generator(generator: Generator, prompts: Prompts, question: str, passages: Sequence[Passage]) -> list[float]:
    """Return the generator's log-odds that each passage holds the answer.

    With its first two arguments bound, it is an `Ask`. Raises GenerationError.
    """
    excerpts = [prompts.fill("excerpt", passage=passage.text) for passage in passages]
    return generator.weigh(excerpts, prompts.fill("judge", question=question), REPLIES)


def rank_by_judge(
    question: str, hits: Sequence[Hit], judge: Judge, ask: Ask, margin: float | None = None
) -> tuple[Hit, ...]:
    """Return the hits with odds and evidence, most likely first, followed by those not judged in their old order.

    A hit is judged if retrieval puts it at most `margin` behind the best, in log-odds; the default is the margin of the
    judge. The generator is not asked again about hits that already have odds. Raises GenerationError.
    """
    reach = judge.margin if margin is None else margin
    near = [*takewhile(lambda hit: judge.weight * (hits[0].score - hit.score) <= reach, hits[: judge.judged])]
    asked = [hit for hit in near if hit.odds is None]
    found = dict(zip(asked, ask(question, [hit.passage for hit in asked]), strict=True))
    odds = [found.get(hit, hit.odds or 0.0) for hit in near]
    evidence = judge.weigh(odds, [hit.score for hit in near], [hit.reading for hit in near])
    ordered = sorted(zip(evidence, odds, near, strict=True), key=itemgetter(0), reverse=True)
    judged = [replace(hit, odds=of_one, evidence=total) for total, of_one, hit in ordered]
    return tuple(replace(hit, rank=rank) for rank, hit in enumerate([*judged, *hits[len(near) :]], start=1))


def rank_by_retrieval(hits: Sequence[Hit], settings: EncoderSettings) -> tuple[Hit, ...]:
    """Return the hits in their order, with the evidence that the scores of retrieval alone give."""
    ranked = []
    for hit in hits:
        best_other = max((other.score for other in hits if other is not hit), default=0.0)
        evidence = settings.score_weight * hit.score + settings.lead_weight * (hit.score - best_other)
        ranked.append(replace(hit, evidence=evidence))
    return tuple(ranked)
