"""The project's own cases, typed. evaluation/cases/README.md and NEWS.md define each field."""

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
    """A span of an article that holds a fact."""

    source: str
    gold: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """The fields common to all questions."""

    id: str
    language: str
    script: str
    question: str

    @property
    def tongue(self) -> str:
        """The language, followed by the script if the language is written in two."""
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
        """Every span that holds the fact. To retrieve any one of them is right."""
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
    """A question within a conversation."""

    fact: str
    """The id of an answerable question with the same gold words."""
    before: tuple[Turn, ...]
    depends: bool
    """True if the question cannot be understood without the turns before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AboutArticles(Question):
    """A question about the articles as a collection."""

    kind: str
    about: str | None
    """The language of the articles asked about, if the question names one."""


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
    """Gold words by the id of the report that holds them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShortQuestion(Question):
    """A question about one short article."""

    kind: str
    gold: str | None
    """The words of the article that answer it, which occur there once; None if it does not answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShortArticle:
    """An invented article of a few sentences, of which the first alone names the subject."""

    id: str
    language: str
    script: str
    title: str
    text: str
    questions: tuple[ShortQuestion, ...]

    @property
    def source(self) -> str:
        """The name of its file."""
        return f"{self.id}.txt"

    @property
    def content(self) -> str:
        """The text of its file."""
        return f"{self.title}\n\n{self.text}\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnWords:
    """A question, and the variants that make a statement right or wrong."""

    language: str
    question: str
    accept: tuple[str, ...]
    """Variants of which a right statement contains one. Empty if the articles do not answer the question."""
    reject: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair(Question):
    """A statement, and the words of an article that it states truly or with a corruption."""

    fact: str
    source: str
    gold: str
    statement: str
    supported: bool
    corruption: str
    """The kind of change made to the statement, or `none` if it is supported."""


def half_of(key: str) -> Half:
    """Return the half that a fact or a family of events belongs to, by its SHA-256."""
    return "held-back" if hashlib.sha256(key.encode()).hexdigest()[0] in "89abcdef" else "development"


def load_answerable() -> tuple[Answerable, ...]:
    """Load the questions that the five articles answer."""
    return tuple(
        Answerable(**{**row, "also": tuple(Place(**place) for place in row["also"]), "accept": tuple(row["accept"])})
        for row in read_lines(CASES / "articles.jsonl")
    )


def load_unanswerable() -> tuple[Unanswerable, ...]:
    """Load the questions that the five articles do not answer."""
    return tuple(Unanswerable(**row) for row in read_lines(CASES / "unanswerable.jsonl"))


def load_followups() -> tuple[FollowUp, ...]:
    """Load the questions within conversations about the five articles."""
    return tuple(
        FollowUp(**{**row, "before": tuple(Turn(**turn) for turn in row["before"])})
        for row in read_lines(CASES / "followups.jsonl")
    )


def load_catalogue() -> tuple[AboutArticles, ...]:
    """Load the questions about the five articles as a collection."""
    return tuple(AboutArticles(**row) for row in read_lines(CASES / "catalogue.jsonl"))


def load_own_words() -> tuple[OwnWords, ...]:
    """Load the questions that measure a generator's own words."""
    rows = read_lines(CASES / "own_words.jsonl")
    return tuple(OwnWords(**{**row, "accept": tuple(row["accept"]), "reject": tuple(row["reject"])}) for row in rows)


def load_pairs() -> tuple[Pair, ...]:
    """Load the true and corrupted statements about the five articles."""
    return tuple(Pair(**row) for row in read_lines(CASES / "pairs.jsonl"))


def load_news() -> tuple[tuple[NewsItem, ...], tuple[NewsQuestion, ...]]:
    """Load the invented reports and the questions about them."""
    items = tuple(NewsItem(**row) for row in read_lines(CASES / "news.jsonl"))
    questions = tuple(
        NewsQuestion(**{**row, "answers": tuple(row["answers"])}) for row in read_lines(CASES / "news_questions.jsonl")
    )
    return items, questions


def load_short() -> tuple[ShortArticle, ...]:
    """Load the short articles with their questions."""
    return tuple(
        ShortArticle(**{**row, "questions": tuple(ShortQuestion(**question) for question in row["questions"])})
        for row in read_lines(CASES / "short.jsonl")
    )


def read_lines(file: Path) -> list[dict[str, Any]]:
    """Read the objects of a JSON Lines file."""
    # Not splitlines(), which also splits at characters that JSON may contain unescaped.
    return [json.loads(line) for line in file.read_text(encoding="utf-8").split("\n") if line]
