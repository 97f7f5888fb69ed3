"""The project's own cases, typed. What each field means is in evaluation/cases/README.md and NEWS.md."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from rag import Turn

CASES = Path(__file__).parent / "cases"
IN_TWO_SCRIPTS = {"sr"}

Half = Literal["held-back", "development"]


@dataclass(frozen=True, slots=True)
class Place:
    """The words of an article that bear a fact."""

    source: str
    gold: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What all questions have."""

    id: str
    language: str
    script: str
    question: str

    @property
    def tongue(self) -> str:
        """The language, with the script where people write it in two."""
        return f"{self.language}-{self.script}" if self.language in IN_TWO_SCRIPTS else self.language


@dataclass(frozen=True, slots=True, kw_only=True)
class Answerable(Question):
    """A question that the articles answer."""

    fact: str
    source: str
    gold: str
    also: tuple[Place, ...]
    answer: str
    accept: tuple[str, ...]
    kind: str
    style: str

    @property
    def places(self) -> tuple[Place, ...]:
        """All words that bear the fact; each is as right as the others."""
        return (Place(self.source, self.gold), *self.also)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unanswerable(Question):
    """A question that the articles do not answer."""

    fact: str
    kind: str
    near: str | None
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUp(Question):
    """A question in the course of a conversation."""

    fact: str
    """That of an answerable question, whose words it is to find."""
    before: tuple[Turn, ...]
    depends: bool
    """Whether it cannot be understood without them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AboutArticles(Question):
    """A question about the articles as a collection."""

    kind: str
    about: str | None
    """The language of the articles that it asks about, where it names one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewsItem:
    """An invented report."""

    id: str
    event: str
    family: str
    language: str
    script: str
    date: str
    title: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewsQuestion(Question):
    """A question about one invented event."""

    event: str
    answers: tuple[str, ...]
    gold: Mapping[str, str]
    """Item's id → its words that bear the fact."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnWords:
    """A question, and what tells a right statement from a wrong one."""

    language: str
    question: str
    accept: tuple[str, ...]
    """None where the articles do not answer it."""
    reject: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair(Question):
    """A statement, and the words of an article that bear it or that it corrupts."""

    fact: str
    source: str
    gold: str
    statement: str
    supported: bool
    corruption: str
    """What was changed in the statement; `none` where it is supported."""


def half_of(key: str) -> Half:
    """The half that a fact or a family of events belongs to, by its SHA-256."""
    return "held-back" if hashlib.sha256(key.encode()).hexdigest()[0] in "89abcdef" else "development"


def load_answerable() -> tuple[Answerable, ...]:
    """Questions about the five articles."""
    return tuple(
        Answerable(**{**row, "also": tuple(Place(**place) for place in row["also"]), "accept": tuple(row["accept"])})
        for row in read_lines(CASES / "articles.jsonl")
    )


def load_unanswerable() -> tuple[Unanswerable, ...]:
    """Questions that the five articles do not answer."""
    return tuple(Unanswerable(**row) for row in read_lines(CASES / "unanswerable.jsonl"))


def load_followups() -> tuple[FollowUp, ...]:
    """Questions in the course of a conversation about the five articles."""
    return tuple(
        FollowUp(**{**row, "before": tuple(Turn(**turn) for turn in row["before"])})
        for row in read_lines(CASES / "followups.jsonl")
    )


def load_catalogue() -> tuple[AboutArticles, ...]:
    """Questions about the five articles as a collection."""
    return tuple(AboutArticles(**row) for row in read_lines(CASES / "catalogue.jsonl"))


def load_own_words() -> tuple[OwnWords, ...]:
    """Questions by which a generator's own words are judged."""
    rows = read_lines(CASES / "own_words.jsonl")
    return tuple(OwnWords(**{**row, "accept": tuple(row["accept"]), "reject": tuple(row["reject"])}) for row in rows)


def load_pairs() -> tuple[Pair, ...]:
    """Statements, true and corrupted, about the five articles."""
    return tuple(Pair(**row) for row in read_lines(CASES / "pairs.jsonl"))


def load_news() -> tuple[tuple[NewsItem, ...], tuple[NewsQuestion, ...]]:
    """The invented reports and the questions about them."""
    items = tuple(NewsItem(**row) for row in read_lines(CASES / "news.jsonl"))
    questions = tuple(
        NewsQuestion(**{**row, "answers": tuple(row["answers"])}) for row in read_lines(CASES / "news_questions.jsonl")
    )
    return items, questions


def read_lines(file: Path) -> list[dict[str, Any]]:
    """The objects of a JSON Lines file."""
    # Not splitlines(), which also breaks at characters that JSON may hold as they are.
    return [json.loads(line) for line in file.read_text(encoding="utf-8").split("\n") if line]
