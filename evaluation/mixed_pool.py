"""The mixed-pool protocol: every passage exists in one language only, and questions come in all of them.

The data is third-party and is read in place, from a folder of `passages.<language>.jsonl` (`passage_id`, `text`) and
`questions.<language>.jsonl` (`id`, `question`, `passage_id`), parallel by id over the languages.
"""

import hashlib
import random
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Self

from evaluation.cases import read_lines
from evaluation.metrics import Judged, recall
from rag import Assistant, Hit
from rag.errors import ConfigError

SEEDS = (0, 1, 2)
QUESTIONS = 400
"""Number of questions, drawn with seed 0 and asked in each language."""
TOP = 5
SPARE = 5
"""Hits to retrieve for each source wanted, as a source may have several passages."""

Rate = dict[str, float]


@dataclass(frozen=True, slots=True)
class PoolQuestion:
    """A question in one language about a passage that may be in another."""

    language: str
    question: str
    passage_id: str


@dataclass(frozen=True, slots=True)
class Pool:
    """The same passages and questions in several languages."""

    passages: Mapping[str, Mapping[str, str]]
    """Text by language and passage id."""
    questions: tuple[PoolQuestion, ...]
    """The sample of questions that is asked."""
    checksum: str
    """SHA-256 of the files, in hexadecimal."""

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the folder and draw the sample. Raises ConfigError if the folder does not hold such data."""
        languages = sorted(file.name.split(".")[1] for file in folder.glob("passages.*.jsonl"))
        if len(languages) < 2:
            raise ConfigError(f"{folder} has no passages.<language>.jsonl. Name the folder that holds them.")
        files = [folder / f"{kind}.{language}.jsonl" for language in languages for kind in ("passages", "questions")]
        try:
            passages = {
                language: {row["passage_id"]: row["text"] for row in read_lines(folder / f"passages.{language}.jsonl")}
                for language in languages
            }
            questions = {language: read_lines(folder / f"questions.{language}.jsonl") for language in languages}
            ids = sorted({row["id"] for row in questions[languages[0]]})
            chosen = set(random.Random(0).sample(ids, min(QUESTIONS, len(ids))))  # noqa: S311 - a draw to be repeated
            sample = tuple(
                PoolQuestion(language, row["question"], row["passage_id"])
                for language in languages
                for row in questions[language]
                if row["id"] in chosen
            )
            checksum = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
        except (OSError, ValueError, KeyError) as error:
            raise ConfigError(f"The data in {folder} cannot be read: {error!r}. Fetch it again.") from error
        return cls(passages, sample, checksum)

    def draw(self, seed: int) -> "Draw":
        """Draw one language for each passage."""
        languages = sorted(self.passages)
        ids = sorted(self.passages[languages[0]])
        chance = random.Random(seed)  # noqa: S311 - a draw to be repeated
        # Ids are third-party text and not safe as file names.
        sources = {passage_id: f"{number:05}.txt" for number, passage_id in enumerate(ids)}
        return Draw(seed, sources, {source: chance.choice(languages) for source in sources.values()})

    def write(self, draw: "Draw", folder: Path) -> None:
        """Write each passage to a file, in its drawn language."""
        for passage_id, source in draw.sources.items():
            (folder / source).write_text(self.passages[draw.languages[source]][passage_id], encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Draw:
    """A draw of one language for each passage."""

    seed: int
    sources: Mapping[str, str]
    """File name by passage id."""
    languages: Mapping[str, str]
    """Language by file name."""


@dataclass(frozen=True, slots=True)
class PoolOutcome:
    """The outcome of one question in one draw."""

    draw: int
    asked: str
    """The language of the question."""
    lies: str
    """The language of the gold passage."""
    judged: Judged
    own: float
    """The share of the first five hits that are in the question's language."""


@dataclass(frozen=True, slots=True)
class PoolFigures:
    """The figures of the protocol: means over the draws of the means over the questions."""

    questions: int
    draws: int
    same: Rate
    """`R@1` and `R@5` for gold passages in the question's language."""
    cross: Rate
    """`R@1` and `R@5` for gold passages in another language than the question's."""
    share: float
    """The share of the first five hits that are in the question's language; a fair share is 1 / number of languages."""
    pairs: dict[str, dict[str, Rate]]
    """`R@1` and `R@5` by language of the question and language of the gold passage."""
    worst: tuple[str, str]
    """The pair of two languages with the lowest R@5."""


def ask(questions: Iterable[PoolQuestion], assistant: Assistant, draw: Draw) -> list[PoolOutcome]:
    """Ask every question of an assistant over one draw, and return the outcomes."""
    outcomes = []
    for question in questions:
        sources = [hit.passage.source for hit in search_sources(question.question, assistant, TOP)]
        gold = draw.sources[question.passage_id]
        judged = Judged(tuple(source == gold for source in sources), 1)
        own = fmean(draw.languages[source] == question.language for source in sources)
        outcomes.append(PoolOutcome(draw.seed, question.language, draw.languages[gold], judged, own))
    return outcomes


def search_sources(question: str, assistant: Assistant, count: int) -> tuple[Hit, ...]:
    """Return the first hit of each of the `count` best sources."""
    firsts: dict[str, Hit] = {}
    for hit in assistant.search(question, SPARE * count):
        firsts.setdefault(hit.passage.source, hit)
    return tuple(firsts.values())[:count]


def summarise(outcomes: Sequence[PoolOutcome]) -> PoolFigures:
    """Return the figures over all draws."""
    by_pair: dict[tuple[str, str], list[PoolOutcome]] = defaultdict(list)
    for outcome in outcomes:
        by_pair[outcome.asked, outcome.lies].append(outcome)
    pairs: dict[str, dict[str, Rate]] = defaultdict(dict)
    for (asked, lies), of_pair in sorted(by_pair.items()):
        pairs[asked][lies] = _rate(of_pair)
    return PoolFigures(
        questions=len(outcomes),
        draws=len({outcome.draw for outcome in outcomes}),
        same=_rate([outcome for outcome in outcomes if outcome.asked == outcome.lies]),
        cross=_rate([outcome for outcome in outcomes if outcome.asked != outcome.lies]),
        share=_average((outcome.draw, outcome.own) for outcome in outcomes),
        pairs=dict(pairs),
        worst=min((pair for pair in by_pair if pair[0] != pair[1]), key=lambda pair: pairs[pair[0]][pair[1]]["R@5"]),
    )


def _rate(outcomes: Sequence[PoolOutcome]) -> Rate:
    return {f"R@{k}": _average((outcome.draw, recall(outcome.judged, k)) for outcome in outcomes) for k in (1, TOP)}


def _average(values: Iterable[tuple[int, float]]) -> float:
    """Return the mean over the draws of the means of their values. Each value is given with its draw."""
    by_draw: dict[int, list[float]] = defaultdict(list)
    for draw, value in values:
        by_draw[draw].append(value)
    return fmean(fmean(of_draw) for of_draw in by_draw.values())
