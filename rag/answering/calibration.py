"""Can a generator judge? It is asked about short invented reports that look alike, which the project ships.

Fisher's linear discriminant puts its odds and the score of retrieval together. The generator is a judge when that puts
the right report first oftener than retrieval alone does, among reports that the discriminant was not found on; when
odds dealt out at random hardly ever do as well; and when there is more evidence for questions that the reports answer
than for those that they do not.

The sample is small and easy: some thirty questions show a plain advantage, not a slight one. Five or so in a language
tell little, so its words are shown where they answer most of them and all that would have been shown is right; even one
that is right half the time manages that now and then. Where others are to rely on the figures, they are to be taken on
more.
"""

import json
from collections import Counter
from collections.abc import Generator as Stream
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from rag.answering.answerer import Answerer, Finding
from rag.answering.events import Event
from rag.config import Config
from rag.protocols import Encoder, Generator
from rag.reading.acceptance import says
from rag.reading.judge import weigh
from rag.reading.trust import CASES, Calibration, Judge, keep, locate
from rag.retrieval.search import score
from rag.text.language import Language
from rag.text.prompts import Prompts
from rag.types import Document, Hit, Passage, Progress

CHANCE = 0.05
"""How likely, at most, odds dealt out at random may be to do as well."""
SHUFFLES = 200
MOST = 3
"""Of the four questions in a language that can be answered, at least so many must be."""
DECIMALS = 3
RETRIEVAL = np.array([0.0, 1.0])
"""The direction of retrieval alone."""

Floats = NDArray[np.float64]
Step = TypeVar("Step")


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked about some reports."""

    text: str
    language: Language
    right: int | None
    """The one report that answers it; None where none does."""
    accept: tuple[str, ...]
    """What a right answer says one of."""


@dataclass(frozen=True, slots=True)
class Reports:
    """Reports that look alike, and questions about them."""

    passages: tuple[Passage, ...]
    questions: tuple[Question, ...]


@dataclass(frozen=True, slots=True)
class Trial:
    """What tells which report answers a question."""

    group: int
    """Which reports it was asked about."""
    evidence: Floats
    """The generator's odds and the score of retrieval for each report, of shape `(reports, 2)`."""
    answers: NDArray[np.bool_]
    """Which of them answers the question, of shape `(reports,)`: one, or none."""


def load_cases(file: Path = CASES) -> tuple[Reports, ...]:
    """The reports of a file such as data/judging.jsonl, with their questions, one group of them a line.

    `right` is the number, from 0, of the report that answers a question, or null.
    """
    return tuple(_reports(json.loads(line)) for line in file.read_text(encoding="utf-8").splitlines())


def calibrate(
    config: Config, generator: Generator, encoder: Encoder, prompts: Prompts, progress: Progress | None = None
) -> Calibration:
    """Measure how far the generator is to be believed, and keep that in the cache, once all of it is known.

    `progress` is called with prompts; those that only a judge is given count as well.
    Raises GenerationError, and ModelError when the disk refuses.
    """
    cases = load_cases()
    file = locate(generator, config, prompts)
    total = 2 * sum(len(reports.questions) for reports in cases)
    trials = list(_count(_try(cases, generator, encoder, prompts), 0, total, progress))
    calibration = assess(trials)
    if calibration.judge:
        shown = _listen(cases, trials, calibration.judge, config, generator, encoder, prompts)
        speaks = _find_spoken(_count(shown, len(trials), total, progress))
        calibration = replace(calibration, judge=replace(calibration.judge, speaks=speaks))
    keep(calibration, file)
    return calibration


def assess(trials: Sequence[Trial]) -> Calibration:
    """Whether they show a judge, and which; the languages that it speaks are not in them."""
    answered = [trial for trial in trials if trial.answers.any()]
    alone = sum(_is_first(trial, RETRIEVAL) for trial in answered)
    judged = _count_first(answered)
    is_better = judged > alone and _find_chance(answered, judged) <= CHANCE
    return Calibration(len(answered), alone, judged, _find_judge(trials, _fit(answered)) if is_better else None)


def _try(cases: Sequence[Reports], generator: Generator, encoder: Encoder, prompts: Prompts) -> Iterator[Trial]:
    """Ask of each report whether it answers each question about its group."""
    passages = [passage for reports in cases for passage in reports.passages]
    encoded = encoder.encode([passage.text for passage in passages], "passage")
    for group, reports in enumerate(cases):
        rows = [passages.index(passage) for passage in reports.passages]
        asked = encoder.encode([question.text for question in reports.questions], "query")
        for question, vector, tokens in zip(reports.questions, asked.vectors, asked.tokens, strict=True):
            # Among the reports of all groups, as retrieval finds them in a corpus.
            scores = score(tokens, encoded.vectors @ vector, passages, encoded.tokens, encoder.projection)
            odds = weigh(question.text, reports.passages, generator, prompts)
            answers = np.arange(len(rows)) == question.right
            yield Trial(group, np.column_stack([odds, scores[rows]]).astype(np.float64), answers)


def _fit(trials: Sequence[Trial]) -> Floats:
    """What odds and score count for, of shape `(2,)`: the direction in which right reports and wrong ones differ most.

    Neither counts against a report.
    """
    differences = np.concatenate([np.subtract(trial.evidence[trial.answers], trial.evidence[~trial.answers])
                                  for trial in trials])  # fmt: skip
    direction, *_ = np.linalg.lstsq(differences, np.ones(len(differences)), rcond=None)
    return np.maximum(direction, np.zeros(2))


def _is_first(trial: Trial, direction: Floats) -> bool:
    """Whether the right report comes before all others; a draw is none."""
    merits = trial.evidence @ direction
    return float(merits[trial.answers].max()) > float(merits[~trial.answers].max())


def _count_first(trials: Sequence[Trial]) -> int:
    """Right reports that come first when each group is judged by what was found on the others."""
    groups = {trial.group for trial in trials}
    directions = {group: _fit([trial for trial in trials if trial.group != group]) for group in groups}
    return sum(_is_first(trial, directions[trial.group]) for trial in trials)


def _find_chance(trials: Sequence[Trial], count: int) -> float:
    """How often `count` or more right reports come first when the odds are dealt out at random.

    That is a permutation test (Fisher 1935, "The Design of Experiments"): each question's odds are shuffled among its
    reports, as if they had nothing to do with what was asked. What is seen counts as one of the shuffles.
    """
    dice = np.random.default_rng(0)
    reached = 1
    for _ in range(SHUFFLES):
        dealt = [
            replace(trial, evidence=np.column_stack([dice.permutation(trial.evidence[:, 0]), trial.evidence[:, 1]]))
            for trial in trials
        ]
        reached += _count_first(dealt) >= count
    return reached / (SHUFFLES + 1)


def _find_judge(trials: Sequence[Trial], direction: Floats) -> Judge | None:
    """The judge that weighs in this direction; None if it does not tell what is answered from what is not."""
    odds, score = direction.tolist()
    if not odds > 0:
        return None
    rule = Judge(round(score / odds, DECIMALS), 0.0, ())
    best = [(bool(trial.answers.any()), max(rule.weigh(*trial.evidence.T.tolist()))) for trial in trials]
    present, missing = (median(found for answered, found in best if answered == wanted) for wanted in (True, False))
    return replace(rule, least=round((present + missing) / 2, DECIMALS)) if present > missing else None


def _listen(
    cases: Sequence[Reports],
    trials: Sequence[Trial],
    judge: Judge,
    config: Config,
    generator: Generator,
    encoder: Encoder,
    prompts: Prompts,
) -> Iterator[tuple[str, bool | None]]:
    """The language of each question, and whether what would be shown of what is said is right; None for nothing."""
    questions = [(reports, question) for reports in cases for question in reports.questions]
    for (reports, question), trial in zip(questions, trials, strict=True):
        speaking = replace(judge, speaks=(question.language.code,))
        articles = {one.source: Document(one.source, one.text, one.language, one.script, None, None, "")
                    for one in reports.passages}  # fmt: skip
        answerer = Answerer(config, encoder, generator, prompts, articles.__getitem__, speaking)
        said = _drain(answerer.find(question.text, question.language, _rank(reports, trial))).statements
        right = all(any(says(one.text, variant) for variant in question.accept) for one in said)
        yield question.language.code, right if said else None


def _rank(reports: Reports, trial: Trial) -> list[Hit]:
    """The reports as hits in the order of retrieval, with the odds that the generator gave them."""
    found = sorted(zip(trial.evidence.tolist(), reports.passages, strict=True), key=lambda one: -one[0][1])
    return [Hit(rank, score, passage, odds) for rank, ((odds, score), passage) in enumerate(found, start=1)]


def _drain(stream: Stream[Event, None, Finding]) -> Finding:
    while True:
        try:
            next(stream)
        except StopIteration as end:
            return cast(Finding, end.value)


def _find_spoken(shown: Iterable[tuple[str, bool | None]]) -> tuple[str, ...]:
    """The languages in which most questions are answered, and none wrongly: what is not spoken is quoted."""
    counts = Counter(shown)
    languages = sorted({language for language, _ in counts})
    return tuple(one for one in languages if counts[one, True] >= MOST and not counts[one, False])


def _count(steps: Iterable[Step], done: int, total: int, progress: Progress | None) -> Iterator[Step]:
    """Pass the steps on, telling after each how many are done."""
    for number, step in enumerate(steps, done + 1):
        yield step
        if progress:
            progress(number, total)


def _reports(entry: dict[str, Any]) -> Reports:
    passages = (
        Passage(str(number), one["text"], 0, len(one["text"]), one["language"], one["script"], None, None)
        for number, one in enumerate(entry["passages"])
    )
    questions = (
        Question(one["text"], Language(one["language"], one["script"]), one["right"], tuple(one["accept"]))
        for one in entry["questions"]
    )
    return Reports(tuple(passages), tuple(questions))
