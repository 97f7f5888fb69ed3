"""Draw the thresholds and weights of the configured encoder: `python -m evaluation.encoder_table`.

Everything in rag/models/tables/ that is compared with cosines of an encoder is drawn on the development half of the
cases, and the table is printed. How the encoder is used (layers, dimensions, candidates, rarity) is kept: choose that
first, with `python -m evaluation --development`. No generator is needed.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from itertools import pairwise
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from evaluation.cases import (
    Answerable,
    FollowUp,
    Unanswerable,
    half_of,
    load_answerable,
    load_catalogue,
    load_followups,
    load_pairs,
    load_unanswerable,
)
from evaluation.encoders import CachingEncoder, WrappedEncoder
from evaluation.run import ARTICLES, judge_hits, open_corpus
from evaluation.verification import TRUE, Outcomes, cut_articles, measure
from rag import Assistant, Config, Passage
from rag.answering.collection import Collection
from rag.answering.quoting import choose_quote
from rag.encoding.encoder import SentenceEncoder
from rag.encoding.query import Query
from rag.errors import RagError
from rag.text.language import detect
from rag.text.sentences import split_sentences
from rag.types import EncoderSettings, Hit

HALF = "development"
LOST = 0.15
"""The share of answerable questions that the least evidence may lose."""
STEPS: dict[str, tuple[float, ...]] = {
    "sought": tuple(np.arange(0, 0.41, 0.05).round(2)),
    "beside": tuple(np.arange(0.05, 0.61, 0.05).round(2)),
    "collection_least": tuple(np.arange(0.5, 0.96, 0.01).round(2)),
    "collection_lead": tuple(np.arange(0, 0.11, 0.01).round(2)),
    "close": tuple(np.arange(0.1, 0.61, 0.02).round(2)),
    "facts": (0.02, 0.05, 0.1, 0.15, 0.2, 0.3),
    "aside": tuple(np.arange(0.02, 0.21, 0.02).round(2)),
    "nearer": tuple(np.arange(0.0, 0.13, 0.02).round(2)),
    "same_clause": tuple(np.arange(0.0, 0.13, 0.02).round(2)),
    "other_clause": tuple(np.arange(0.0, 0.13, 0.02).round(2)),
    "contrary": tuple(np.arange(0.0, 0.13, 0.02).round(2)),
}
"""The values tried, in the order in which they are drawn."""

Count = Callable[[EncoderSettings], float]
"""Returns how much is right with the settings given."""


class Tuned(WrappedEncoder):
    """An encoder with other settings, which share its cache of embeddings."""

    def __init__(self, encoder: CachingEncoder, settings: EncoderSettings) -> None:
        super().__init__(encoder)
        self._settings = settings

    @property
    def settings(self) -> EncoderSettings:
        return self._settings


@dataclass(frozen=True, slots=True)
class Found:
    """The first hit of a question."""

    score: float
    lead: float
    """How much higher its score is than that of the second hit."""
    right: bool
    answerable: bool


def main() -> None:
    """Draw every value and print the table."""
    config = Config.from_env()
    encoder = CachingEncoder(SentenceEncoder.load(config))
    settings = encoder.settings
    with open_corpus(ARTICLES, config, encoder) as assistant:
        settings = draw_evidence(list(_ask(assistant)), settings)
        settings = draw(settings, ("sought", "beside"), count_quotes(assistant, encoder))
        settings = draw(settings, ("collection_least", "collection_lead"), count_collection(assistant, encoder))
    passages = cut_articles(ARTICLES, config.passage_tokens, encoder)
    verification = ("close", "facts", "aside", "nearer", "same_clause", "other_clause", "contrary")
    settings = draw(settings, verification, count_statements(passages, encoder))
    click.echo(render(settings))


def draw(settings: EncoderSettings, names: Sequence[str], count: Count) -> EncoderSettings:
    """Return the settings with the best value for each of `names`, one after another, twice over."""
    for name in (*names, *names):
        counts = [count(change(settings, name, value)) for value in STEPS[name]]
        value = find_middle(STEPS[name], counts)
        settings = change(settings, name, value)
        click.echo(f"{name} = {value}: {max(counts):g} right (from {min(counts):g})", err=True)
    return settings


def change(settings: EncoderSettings, name: str, value: float) -> EncoderSettings:
    """Return the settings with another value for one of them."""
    changes: dict[str, Any] = {name: value}
    return replace(settings, **changes)


def find_middle(values: Sequence[float], counts: Sequence[float]) -> float:
    """Return the middle of the longest run of values with the highest count, so that a small change costs nothing."""
    best = [place for place, count in enumerate(counts) if count == max(counts)]
    cuts = [0, *(place for place, (one, other) in enumerate(pairwise(best), 1) if other != one + 1), len(best)]
    run = max((best[start:end] for start, end in pairwise(cuts)), key=len)
    return float(values[run[(len(run) - 1) // 2]])


def draw_evidence(found: Sequence[Found], settings: EncoderSettings) -> EncoderSettings:
    """Return the settings with the weights of score and lead, and the least evidence, for use without a judge."""
    evidence = np.array([(one.score, one.lead) for one in found])
    weights = fit_logistic(evidence, np.array([one.right for one in found]))
    merits = evidence @ weights
    least = np.quantile(merits[[one.answerable for one in found]], LOST)
    score, lead = weights.round(1).tolist()
    click.echo(f"score_weight = {score}, lead_weight = {lead}, least_evidence = {least:.2f}", err=True)
    return replace(settings, score_weight=score, lead_weight=lead, least_evidence=round(float(least), 2))


def fit_logistic(features: NDArray[np.float64], right: NDArray[np.bool_], rounds: int = 50) -> NDArray[np.float64]:
    """Return the weights of a logistic regression with an intercept, which is left out, by Newton's method."""
    columns = np.column_stack([features, np.ones(len(features))])
    weights = np.zeros(columns.shape[1])
    for _ in range(rounds):
        odds = 1 / (1 + np.exp(-columns @ weights))
        curvature = columns.T @ (columns * (odds * (1 - odds))[:, np.newaxis]) + 1e-6 * np.eye(len(weights))
        weights += np.linalg.solve(curvature, columns.T @ (right - odds))
    return np.asarray(weights[:-1])


def count_quotes(assistant: Assistant, encoder: CachingEncoder) -> Count:
    """Return a function that counts right quotes, given the right passage; a tenth is for each that has one sentence.

    A quote is right if it holds at least half of the gold words.
    """
    cases = [(case, passage) for case in _answerable() if (passage := _find_passage(case, assistant))]
    documents = {source: assistant.index.open_article(source) for source in {case.source for case, _ in cases}}

    def count(settings: EncoderSettings) -> float:
        tuned = Tuned(encoder, settings)
        right = short = 0
        for case, passage in cases:
            query = Query(case.question, detect(case.question), tuned)
            start, end = choose_quote(query, Hit(1, 0.0, passage), documents[case.source]).span
            first = passage.text.index(case.gold)
            held = min(end, first + len(case.gold)) - max(start, first)
            right += 2 * held >= len(case.gold)
            short += end - start < len(passage.text)
        return right + short / (10 * len(cases))

    return count


def count_collection(assistant: Assistant, encoder: CachingEncoder) -> Count:
    """Return a function that counts questions rightly taken to be about the collection, or not to be."""
    told = [case for case in load_catalogue() if half_of(case.id) == HALF]
    others: list[Answerable | Unanswerable | FollowUp] = [*_answerable(), *_unanswerable()]
    others += [case for case in load_followups() if half_of(case.fact) == HALF]
    kinds = [None if case.kind == "none" else case.kind for case in told] + [None] * len(others)
    questions = [case.question for case in told] + [case.question for case in others]
    asked = [(question, detect(question)) for question in questions]

    def count(settings: EncoderSettings) -> float:
        tuned = Tuned(encoder, settings)
        collection = Collection(tuned, assistant.prompts)
        found = [collection.classify(Query(*question, tuned)) for question in asked]
        return sum(one == kind for one, kind in zip(found, kinds, strict=True))

    return count


def count_statements(passages: dict[str, list[Passage]], encoder: CachingEncoder) -> Count:
    """Return a function that counts the statements verified rightly: true ones supported, corrupted ones not."""
    pairs = [pair for pair in load_pairs() if half_of(pair.fact) == HALF]

    def count(settings: EncoderSettings) -> float:
        return _count_right(measure(pairs, passages, Tuned(encoder, settings)))

    return count


def render(settings: EncoderSettings) -> str:
    """Return the table in TOML."""
    return "\n".join(f"{field.name} = {_write(getattr(settings, field.name))}" for field in fields(settings))


def _write(value: object) -> str:
    """Return a value in TOML."""
    return str(value).lower() if isinstance(value, bool) else str(list(value) if isinstance(value, tuple) else value)


def _ask(assistant: Assistant) -> Iterator[Found]:
    """Yield the first hit of each question that is answerable or not."""
    for case in (*_answerable(), *_unanswerable()):
        first, second = assistant.search(case.question, 2)
        places = case.places if isinstance(case, Answerable) else ()
        right = judge_hits([first], places, assistant.index).relevant[0]
        yield Found(first.score, first.score - second.score, right, isinstance(case, Answerable))


def _find_passage(case: Answerable, assistant: Assistant) -> Passage | None:
    """Return the passage that holds all gold words, unless it is a single sentence."""
    held = (passage for passage in assistant.index.read_passages(case.source) if case.gold in passage.text)
    return next((one for one in held if len(split_sentences(one.text, one.language)) > 1), None)


def _answerable() -> list[Answerable]:
    return [case for case in load_answerable() if half_of(case.fact) == HALF]


def _unanswerable() -> list[Unanswerable]:
    return [case for case in load_unanswerable() if half_of(case.fact) == HALF]


def _count_right(outcomes: Outcomes) -> int:
    return sum(
        counts["supported"] if kind == TRUE else counts.total() - counts["supported"]
        for kind, counts in outcomes.items()
    )


if __name__ == "__main__":
    try:
        main()
    except RagError as error:
        sys.exit(f"rag: {error}")
