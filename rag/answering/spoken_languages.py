"""Calibrate a generator: measure it as a judge, then find the languages in which its own words may be shown.

A language counts only if most of its questions are answered and every statement that would be shown is right. With
about five questions in a language, even a generator that is right half the time manages that now and then. Measure on
more questions before others rely on the figures.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from collections.abc import Generator as Stream
from dataclasses import replace
from functools import partial
from typing import TypeVar, cast

from rag.answering.events import Event
from rag.answering.speaking import Speaker, Speech
from rag.config import Config
from rag.encoding.query import Query
from rag.protocols import Encoder, Generator
from rag.reading.acceptance import says
from rag.reading.calibration import Observation, ReportGroup, ReportQuestion, assess, load_cases, observe
from rag.reading.judge import Judge, ask_generator
from rag.reading.known_judges import Calibration, locate_calibration, write_calibration
from rag.reading.selector import Selector
from rag.retrieval.bounds import find_bounds
from rag.retrieval.search import score
from rag.text.prompts import Prompts
from rag.types import Document, Hit, Progress, Statement
from rag.verification.verify import find_unmet

LEAST_RIGHT = 3
"""Least number of questions answered, of the four in each language that the reports answer."""

Say = Callable[[ReportGroup, ReportQuestion, Observation], tuple[Statement, ...]]
Step = TypeVar("Step")


def calibrate(
    config: Config, generator: Generator, encoder: Encoder, prompts: Prompts, progress: Progress | None = None
) -> Calibration:
    """Measure whether the generator is a judge and which languages it may speak, and store the complete result.

    `progress` counts questions: each is judged once and, if the generator is a judge, answered once.
    Raises GenerationError, and ModelError if the result cannot be written.
    """
    groups = load_cases()
    file = locate_calibration(generator, config, prompts)
    total = 2 * sum(len(group.questions) for group in groups)
    steps = observe(groups, partial(ask_generator, generator, prompts), encoder, score)
    observations = list(_count(steps, 0, total, progress))
    calibration = assess(observations)
    if judge := calibration.judge:
        say = partial(_say, config, generator, encoder, prompts, judge)
        answers = _count(_answer_all(groups, observations, say), len(observations), total, progress)
        calibration = replace(calibration, judge=replace(judge, speaks=_choose_languages(answers)))
    write_calibration(calibration, file)
    return calibration


def _answer_all(
    groups: Sequence[ReportGroup], observations: Sequence[Observation], say: Say
) -> Iterator[tuple[str, bool | None]]:
    """Yield the language of each question, and whether all statements are right, or None if none may be shown."""
    questions = [(group, question) for group in groups for question in group.questions]
    for (group, question), observation in zip(questions, observations, strict=True):
        said = say(group, question, observation)
        right = all(any(says(one.text, variant) for variant in question.accept) for one in said)
        yield question.language.code, right if said else None


def _say(
    config: Config, generator: Generator, encoder: Encoder, prompts: Prompts, judge: Judge,
    group: ReportGroup, question: ReportQuestion, observation: Observation,
) -> tuple[Statement, ...]:  # fmt: skip
    """Return the statements that would be shown if the generator were trusted in the question's language."""
    articles = {one.source: Document(one.source, one.text, one.language, one.script, None, None, "")
                for one in group.passages}  # fmt: skip

    def find_unmet_of(query: Query, hit: Hit) -> str | None:
        language = query.language.code
        bounds = find_bounds(query.text, language)
        return find_unmet(query.text, language, articles[hit.passage.source], bounds)

    deadline = time.monotonic() + config.seconds
    ask = partial(ask_generator, generator, prompts)
    selector = Selector(config, judge, encoder.settings, ask, find_unmet_of)
    query = Query(question.text, question.language, encoder)
    *_, ranking = selector.select(query, _make_hits(group, observation))
    return _drain(Speaker(config, generator, encoder, prompts, selector).speak(query, ranking, deadline)).statements


def _make_hits(group: ReportGroup, observation: Observation) -> list[Hit]:
    """Return the reports as hits in the order of retrieval, with the odds that the generator gave them."""
    found = sorted(zip(observation.evidence.tolist(), group.passages, strict=True), key=lambda one: -one[0][1])
    return [Hit(rank, score, passage, odds) for rank, ((odds, score), passage) in enumerate(found, start=1)]


def _drain(stream: Stream[Event, None, Speech]) -> Speech:
    while True:
        try:
            next(stream)
        except StopIteration as end:
            return cast(Speech, end.value)


def _choose_languages(answers: Iterable[tuple[str, bool | None]]) -> tuple[str, ...]:
    """Return the languages in which most questions are answered and none wrongly."""
    counts = Counter(answers)
    languages = sorted({language for language, _ in counts})
    return tuple(one for one in languages if counts[one, True] >= LEAST_RIGHT and not counts[one, False])


def _count(steps: Iterable[Step], done: int, total: int, progress: Progress | None) -> Iterator[Step]:
    """Yield the steps, and report after each how many are done."""
    for number, step in enumerate(steps, done + 1):
        yield step
        if progress:
            progress(number, total)
