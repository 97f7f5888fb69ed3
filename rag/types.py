"""The nouns of the house: what is read, found, said and cited, and what a model must be able to do."""

from collections.abc import Callable
from collections.abc import Generator as Stream
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
Tokens = NDArray[np.int8]
"""The vectors of a text's tokens, of shape `(tokens, layers, kept)`: unit vectors times 127."""


@dataclass(frozen=True, slots=True)
class Document:
    """One article.

    `text` holds the file's characters as an editor shows them (NFC, newlines as LF), with metadata
    blanked by as many spaces, so that an offset into `text` is an offset into the file as well.
    """

    source: str
    """Path relative to the corpus root, with forward slashes."""
    text: str
    language: str
    """Main language, ISO 639-1."""
    script: str
    """Its script, ISO 15924, such as `Latn` or `Cyrl`."""
    date: str | None
    """ISO 8601, to the precision known: `2025`, `2025-07` or `2025-07-12`."""
    title: str | None
    checksum: str
    """SHA-256 of the file's bytes, in hexadecimal."""


@dataclass(frozen=True, slots=True)
class Article:
    """What an index tells of a document without its text."""

    source: str
    language: str
    script: str
    date: str | None
    title: str | None
    size: int
    """Of the file, in bytes."""
    passages: int


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch of a document: `document.text[start:end] == text`."""

    source: str
    text: str
    start: int
    end: int
    language: str
    """Language of this passage, which may differ from its document's."""
    script: str
    date: str | None
    """The document's date."""
    title: str | None
    """The document's title."""


@dataclass(frozen=True, slots=True)
class Embeddings:
    """What an encoder makes of some texts, without the language that they are in."""

    vectors: Vectors
    """One unit vector for each text, of shape `(texts, dimension)`."""
    tokens: tuple[Tokens, ...]
    """The tokens of each text."""

    def take(self, rows: slice) -> "Embeddings":
        """Those of some of the texts."""
        return Embeddings(self.vectors[rows], self.tokens[rows])


@dataclass(frozen=True, slots=True)
class Projection:
    """How the language is taken out of vectors, found from text that is parallel in many languages."""

    directions: Vectors
    """Orthonormal, of shape `(directions, dimension)`: what is removed from the vector of a text."""
    means: Vectors
    """Of shape `(2, layers, dimension)`: the mean of unit token vectors in queries, and in passages."""
    bases: Vectors
    """Of shape `(layers, dimension, kept)`: what a token's vector less its mean is mapped by, in each layer."""
    languages: tuple[str, ...]
    """Tags of the parallel text: `cs`, `sr-Latn`."""
    neutral: Tokens
    """The tokens of that text, language after language, as passages."""
    ends: NDArray[np.int64]
    """Of shape `(languages, blocks)`: the rows of `neutral` after the last of each stretch as long as a passage."""

    @property
    def token_shape(self) -> tuple[int, int]:
        """Layers of a token, and the length of its vector in each."""
        return self.bases.shape[0], self.bases.shape[2]


@dataclass(frozen=True, slots=True)
class Filter:
    """Which passages are looked at; what is empty lets all through."""

    languages: tuple[str, ...] = ()
    """ISO 639-1, of the passage."""
    sources: tuple[str, ...] = ()
    """Sources, or patterns of them with `*` and `?`, such as `2024/*`."""
    since: str | None = None
    """The earliest date of a document, ISO 8601 to any precision; documents without a date are left out then."""
    until: str | None = None
    """The latest date, likewise: `2023-09` lets all of that month through."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that was found, best first."""

    rank: int
    """1 is the best."""
    score: float
    """How well it matches the question, at most 1; to be compared within one question alone."""
    passage: Passage
    odds: float | None = None
    """Logarithm of the odds, by the generator, that the passage holds the answer; None where it was not asked."""
    evidence: float | None = None
    """All that speaks for it, in the same unit: the odds, the score, and that retrieval put it first too; where nobody
    judges, the score and its lead."""
    also: tuple[str, ...] = ()
    """Sources of further passages with the same words, which get no rank of their own."""

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON, the passage's fields beside the rank and the score."""
        own = {name: getattr(self, name) for name in ("rank", "score", "odds", "evidence", "also")}
        return {**own, **asdict(self.passage)}


@dataclass(frozen=True, slots=True)
class Statement:
    """What the generator said about one passage."""

    text: str
    hit: Hit
    agreeing: tuple[Hit, ...] = ()
    """Hits from other articles whose passages bear it too."""

    @property
    def hits(self) -> tuple[Hit, ...]:
        """All that bear it."""
        return (self.hit, *self.agreeing)


@dataclass(frozen=True, slots=True)
class Rejection:
    """Something that was said and must not be shown."""

    statement: Statement
    reason: str
    """Why, in English."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One exchange of the conversation so far."""

    question: str
    answer: str


Reply = Stream[str, None, None]
"""Text as it comes; closing it stops the model."""
Role = Literal["query", "passage"]
Progress = Callable[[int, int], None]
"""Called with what is done and what there is to do."""
