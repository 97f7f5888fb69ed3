"""Measure retrieval through the public interface: write corpora as files, index them, and search for questions."""

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory
from typing import NoReturn, Self

from evaluation import mixed_pool
from evaluation.cases import (
    CASES,
    Answerable,
    Half,
    NewsItem,
    NewsQuestion,
    Place,
    half_of,
    load_answerable,
    load_news,
)
from evaluation.encoders import CachingEncoder, PlainEncoder
from evaluation.metrics import Judged, Measure, first_rank, ndcg, reciprocal_rank, success
from evaluation.mixed_pool import Pool, PoolFigures
from rag import Assistant, Config, Hit, Passage, build_index
from rag.config import ROOT
from rag.encoding.encoder import SentenceEncoder
from rag.index.index import Index
from rag.protocols import Encoder
from rag.text.prompts import Prompts
from rag.types import Progress

ARTICLES = ROOT / "seeds"
PLAIN = "plain cosine"
OWN = "rag"
HITS = 10
OVERALL = "all"
MEASURES: Mapping[str, Measure] = {
    "hit@1": partial(success, k=1),
    "hit@3": partial(success, k=3),
    "hit@8": partial(success, k=8),
    "nDCG@10": partial(ndcg, k=HITS),
    "MRR": reciprocal_rank,
}

Rows = dict[str, dict[str, float]]
"""Means by row (`all`, or a language of the questions) and measure, with the number of `questions`."""


@dataclass(frozen=True, slots=True)
class Suite:
    """The questions to ask, and of which corpora."""

    half: Half
    articles: Path
    cases: tuple[Answerable, ...]
    items: tuple[NewsItem, ...]
    questions: tuple[NewsQuestion, ...]
    pool: Pool | None

    @classmethod
    def load(cls, half: Half, xquad: Path | None) -> Self:
        """Load one half of the project's own cases, and the mixed pool in `xquad`. Raises ConfigError."""
        items, questions = load_news()
        families = {item.event: item.family for item in items}
        return cls(
            half=half,
            articles=ARTICLES,
            cases=tuple(case for case in load_answerable() if half_of(case.fact) == half),
            items=items,
            questions=tuple(question for question in questions if half_of(families[question.event]) == half),
            pool=Pool.load(xquad) if xquad else None,
        )

    def checksums(self) -> dict[str, str]:
        """Return the SHA-256 of each corpus with its questions, in hexadecimal."""
        own = {
            "articles": [*sorted(filter(Path.is_file, self.articles.rglob("*"))), CASES / "articles.jsonl"],
            "news": [CASES / "news.jsonl", CASES / "news_questions.jsonl"],
        }
        sums = {
            name: hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
            for name, files in own.items()
        }
        return sums | ({"mixed pool": self.pool.checksum} if self.pool else {})


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of one question."""

    id: str
    tongue: str
    question: str
    gold: tuple[Place, ...]
    hits: tuple[Hit, ...]
    judged: Judged
    events: Judged | None = None
    """The hits judged by whether they report the right event."""


@dataclass(frozen=True, slots=True)
class Miss:
    """A question whose first hit is wrong."""

    id: str
    question: str
    gold: tuple[Place, ...]
    rank: int | None
    """The rank of the first right hit, or None if it is not among the first ten."""
    first: Place | None
    """The text of the first hit."""


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of one encoder."""

    articles: Rows
    news: Rows
    mixed_pool: PoolFigures | None
    misses: tuple[Miss, ...]


class _Unread:
    """A Generator for runs that only retrieve; it is never asked."""

    name = "none"

    def identify(self) -> NoReturn:
        self._refuse()

    def warm(self) -> None:
        self._refuse()

    def prepare(self, prefix: str) -> NoReturn:  # noqa: ARG002
        self._refuse()

    def weigh(self, prefixes: Sequence[str], suffix: str, replies: tuple[str, str]) -> NoReturn:  # noqa: ARG002
        self._refuse()

    def generate(self, prefix: str, suffix: str, max_tokens: int, stop: Sequence[str] = ()) -> NoReturn:  # noqa: ARG002
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise AssertionError("retrieval is measured without a generator")


def load_encoders(config: Config) -> dict[str, Encoder]:
    """Load the configured encoder, and the same model as it is usually used. Raises ModelError."""
    own = SentenceEncoder.load(config)
    return {PLAIN: PlainEncoder.load(config, own.projection), OWN: own}


def evaluate(
    suite: Suite, encoders: Mapping[str, Encoder], config: Config, progress: Progress | None = None
) -> dict[str, Figures]:
    """Return the figures of each encoder by its name. Raises what `build_index` raises."""
    steps = len(encoders) * (2 + (len(mixed_pool.SEEDS) if suite.pool else 0))
    done = 0

    def advance() -> None:
        nonlocal done
        done += 1
        if progress:
            progress(done, steps)

    figures = {}
    for name, encoder in encoders.items():
        articles = ask_articles(suite, config, encoder)
        advance()
        news = ask_news(suite, config, encoder)
        advance()
        pool = None
        if suite.pool:
            outcomes = []
            for of_draw in ask_pool(suite.pool, config, encoder):
                outcomes += of_draw
                advance()
            pool = mixed_pool.summarise(outcomes)
        figures[name] = Figures(_rows(articles), _rows(news), pool, tuple(_misses([*articles, *news])))
    return figures


def ask_articles(suite: Suite, config: Config, encoder: Encoder) -> list[Outcome]:
    """Ask the questions about facts."""
    with open_corpus(suite.articles, config, encoder) as assistant:
        outcomes = []
        for case in suite.cases:
            hits = assistant.search(case.question, HITS)
            judged = judge_hits(hits, case.places, assistant.index)
            outcomes.append(Outcome(case.id, case.tongue, case.question, case.places, hits, judged))
        return outcomes


def ask_news(suite: Suite, config: Config, encoder: Encoder) -> list[Outcome]:
    """Ask the questions about reports. Only reports that hold the fact are right, not others of the same event."""
    items = {f"{item.id}.txt": item for item in suite.items}
    outcomes = []
    with TemporaryDirectory() as folder:
        for source, item in items.items():
            text = f"date: {item.date}\n\n{item.title}\n\n{item.text}\n"
            Path(folder, source).write_text(text, encoding="utf-8")
        with open_corpus(Path(folder), config, encoder) as assistant:
            for question in suite.questions:
                hits = mixed_pool.search_sources(question.question, assistant, HITS)
                found = [items[hit.passage.source] for hit in hits]
                gold = tuple(Place(f"{item_id}.txt", span) for item_id, span in question.gold.items())
                judged = Judged(tuple(item.id in question.gold for item in found), len(gold))
                reports = sum(item.event == question.event for item in suite.items)
                events = Judged(tuple(item.event == question.event for item in found), reports)
                outcomes.append(Outcome(question.id, question.tongue, question.question, gold, hits, judged, events))
    return outcomes


def ask_pool(pool: Pool, config: Config, encoder: Encoder) -> Iterator[list[mixed_pool.PoolOutcome]]:
    """Ask the mixed pool, one draw after another."""
    encoder = CachingEncoder(encoder)
    # Encoding all questions in batches takes a fraction of the time.
    encoder.encode([question.question for question in pool.questions], "query")
    for seed in mixed_pool.SEEDS:
        draw = pool.draw(seed)
        with TemporaryDirectory() as folder:
            pool.write(draw, Path(folder))
            with open_corpus(Path(folder), config, encoder) as assistant:
                yield mixed_pool.ask(pool.questions, assistant, draw)


@contextmanager
def open_corpus(folder: Path, config: Config, encoder: Encoder) -> Iterator[Assistant]:
    """Open an Assistant over a temporary index of `folder`."""
    with TemporaryDirectory() as indexes:
        config = config.replace(indexes=Path(indexes))
        build_index([folder], config, encoder)
        with closing(Index.open(config.indexes / config.index)) as index:
            yield Assistant(config, index, encoder, _Unread(), Prompts.load(config.prompts))


def judge_hits(hits: Sequence[Hit], places: Sequence[Place], index: Index) -> Judged:
    """Judge each hit as right if it holds at least half of the words of a place."""
    right = {passage for place in places for passage in _bearers(place, index)}
    return Judged(tuple(hit.passage in right for hit in hits), len(right))


def _bearers(place: Place, index: Index) -> list[Passage]:
    """Return the passages that hold at least half of the words in question, which splitting may have divided."""
    document = index.read_document(place.source)
    if document is None:
        raise LookupError(f"{place.source} is not in the index.")
    start = document.text.index(place.gold)
    end = start + len(place.gold)
    passages = index.read_passages(place.source)
    return [passage for passage in passages if 2 * (min(end, passage.end) - max(start, passage.start)) >= end - start]


def _rows(outcomes: Sequence[Outcome]) -> Rows:
    by_tongue: dict[str, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        by_tongue[outcome.tongue].append(outcome)
    rows = {OVERALL: _row(outcomes)} if outcomes else {}
    return rows | {tongue: _row(by_tongue[tongue]) for tongue in sorted(by_tongue)}


def _row(outcomes: Sequence[Outcome]) -> dict[str, float]:
    row = {name: fmean(measure(outcome.judged) for outcome in outcomes) for name, measure in MEASURES.items()}
    if events := [outcome.events for outcome in outcomes if outcome.events]:
        row["event@1"] = fmean(success(judged, 1) for judged in events)
    return {"questions": len(outcomes), **row}


def _misses(outcomes: Sequence[Outcome]) -> Iterator[Miss]:
    for outcome in outcomes:
        rank = first_rank(outcome.judged)
        if rank != 1:
            first = outcome.hits[0].passage if outcome.hits else None
            came = Place(first.source, first.text) if first else None
            yield Miss(outcome.id, outcome.question, outcome.gold, rank, came)
