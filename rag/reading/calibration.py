"""Measure whether a generator is a judge, by asking it about short invented reports that the project ships.

Fisher's linear discriminant combines the generator's odds with the score of retrieval. The generator is a judge if
- the combination puts the right report first more often than retrieval alone does, on reports other than those that the
  discriminant was fitted to;
- odds shuffled at random hardly ever do as well;
- there is more evidence for questions that the reports answer than for those that they do not.

The reports of a group look alike, but the sample is small and easy: some thirty questions show a clear advantage, not a
slight one.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.protocols import Encoder
from rag.reading.judge import Ask, Judge
from rag.reading.known_judges import CASES, Calibration
from rag.text.language import Language
from rag.types import Passage, Projection, Tokens, Vectors

CHANCE = 0.05
"""Highest probability at which random odds may do as well."""
SHUFFLES = 200
DECIMALS = 3
RETRIEVAL_ALONE = np.array([0.0, 1.0])
"""Weights of odds and score if only retrieval counts."""

Floats = NDArray[np.float64]
Score = Callable[[Tokens, Vectors, Sequence[Passage], Sequence[Tokens], Projection, float], Vectors]
"""Scores passages as retrieval does: see rag.retrieval.search.score."""


@dataclass(frozen=True, slots=True)
class ReportQuestion:
    """A question about a group of reports."""

    text: str
    language: Language
    right: int | None
    """Position, from 0, of the one report that answers it; None if none does."""
    accept: tuple[str, ...]
    """Words of which a right answer contains at least one."""


@dataclass(frozen=True, slots=True)
class ReportGroup:
    """Reports that look alike, with questions about them."""

    passages: tuple[Passage, ...]
    questions: tuple[ReportQuestion, ...]


@dataclass(frozen=True, slots=True)
class Observation:
    """What generator and retrieval say of the reports of a group when one question is asked."""

    group: int
    """Position of the group."""
    evidence: Floats
    """The generator's odds and the score of retrieval for each report, of shape `(reports, 2)`."""
    answers: NDArray[np.bool_]
    """Which of the reports answers the question, of shape `(reports,)`: one or none."""


def load_cases(file: Path = CASES) -> tuple[ReportGroup, ...]:
    """Return the groups of a file such as data/reports.jsonl, which has one group on each line."""
    return tuple(_convert(json.loads(line)) for line in file.read_text(encoding="utf-8").splitlines())


def observe(groups: Sequence[ReportGroup], ask: Ask, encoder: Encoder, score: Score) -> Iterator[Observation]:
    """Ask each question of each report of its group, and yield an observation for each question.

    Raises GenerationError.
    """
    passages = [passage for group in groups for passage in group.passages]
    encoded = encoder.encode([passage.text for passage in passages], "passage")
    for number, group in enumerate(groups):
        rows = [passages.index(passage) for passage in group.passages]
        asked = encoder.encode([question.text for question in group.questions], "query")
        for question, vector, tokens in zip(group.questions, asked.vectors, asked.tokens, strict=True):
            # Scored among the reports of all groups, as passages are in a corpus.
            scores = score(
                tokens, encoded.vectors @ vector, passages, encoded.tokens, encoder.projection, encoder.settings.rarity
            )
            odds = ask(question.text, group.passages)
            answers = np.arange(len(rows)) == question.right
            yield Observation(number, np.column_stack([odds, scores[rows]]).astype(np.float64), answers)


def assess(observations: Sequence[Observation]) -> Calibration:
    """Decide whether the observations show a judge. Its languages are not part of them and stay empty."""
    answered = [one for one in observations if one.answers.any()]
    alone = sum(_is_right_first(one, RETRIEVAL_ALONE) for one in answered)
    judged = _count_right_first(answered)
    is_better = judged > alone and _estimate_chance(answered, judged) <= CHANCE
    judge = _make_judge(observations, _fit(answered)) if is_better else None
    return Calibration(len(answered), alone, judged, judge)


def _fit(observations: Sequence[Observation]) -> Floats:
    """Return the weights of odds and score, of shape `(2,)`, in whose direction right and wrong reports differ most.

    Neither weight is negative.
    """
    differences = np.concatenate([np.subtract(one.evidence[one.answers], one.evidence[~one.answers])
                                  for one in observations])  # fmt: skip
    weights, *_ = np.linalg.lstsq(differences, np.ones(len(differences)), rcond=None)
    return np.maximum(weights, np.zeros(2))


def _is_right_first(observation: Observation, weights: Floats) -> bool:
    """Return whether the right report comes before all others; a tie does not count."""
    merits = observation.evidence @ weights
    return float(merits[observation.answers].max()) > float(merits[~observation.answers].max())


def _count_right_first(observations: Sequence[Observation]) -> int:
    """Count the right reports that come first when each group is judged with weights fitted to the others."""
    groups = {one.group for one in observations}
    weights = {group: _fit([one for one in observations if one.group != group]) for group in groups}
    return sum(_is_right_first(one, weights[one.group]) for one in observations)


def _estimate_chance(observations: Sequence[Observation], count: int) -> float:
    """Estimate how often `count` or more right reports come first if the odds are random.

    That is a permutation test (Fisher 1935, "The Design of Experiments"): the odds of each question are shuffled among
    its reports, as if they had nothing to do with the question. The real order counts as one of the shuffles.
    """
    random = np.random.default_rng(0)
    reached = 1
    for _ in range(SHUFFLES):
        shuffled = [
            replace(one, evidence=np.column_stack([random.permutation(one.evidence[:, 0]), one.evidence[:, 1]]))
            for one in observations
        ]
        reached += _count_right_first(shuffled) >= count
    return reached / (SHUFFLES + 1)


def _make_judge(observations: Sequence[Observation], weights: Floats) -> Judge | None:
    """Return the judge with these weights; None if it cannot tell answerable questions from the others."""
    odds, score = weights.tolist()
    if not odds > 0:
        return None
    judge = Judge(round(score / odds, DECIMALS), 0.0, ())
    best = [(bool(one.answers.any()), max(judge.weigh(*one.evidence.T.tolist()))) for one in observations]
    present, missing = (median(found for answered, found in best if answered == wanted) for wanted in (True, False))
    return replace(judge, least=round((present + missing) / 2, DECIMALS)) if present > missing else None


def _convert(group: dict[str, Any]) -> ReportGroup:
    passages = (
        Passage(str(number), one["text"], 0, len(one["text"]), one["language"], one["script"], None, None)
        for number, one in enumerate(group["passages"])
    )
    questions = (
        ReportQuestion(one["text"], Language(one["language"], one["script"]), one["right"], tuple(one["accept"]))
        for one in group["questions"]
    )
    return ReportGroup(tuple(passages), tuple(questions))
