"""The values that the package passes around: articles, passages, embeddings, hits and statements."""

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
    """An article with its text.

    `text` holds the characters of the file as an editor shows them (NFC, with newlines as LF). Metadata is replaced by
    as many spaces, so every offset into `text` is also an offset into the file.
    """

    source: str
    """Path relative to the corpus root, with forward slashes."""
    text: str
    language: str
    """Main language, ISO 639-1."""
    script: str
    """Script of the main language, ISO 15924, such as `Latn` or `Cyrl`."""
    date: str | None
    """ISO 8601 as precisely as known: `2025`, `2025-07` or `2025-07-12`."""
    title: str | None
    checksum: str
    """SHA-256 of the file's bytes, in hexadecimal."""


@dataclass(frozen=True, slots=True)
class Article:
    """An article in an index, without its text."""

    source: str
    language: str
    script: str
    date: str | None
    title: str | None
    size: int
    """Size of the file in bytes."""
    passages: int
    """Number of its passages."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A part of a document: `document.text[start:end] == text`."""

    source: str
    text: str
    start: int
    end: int
    language: str
    """Language of the passage, which may differ from that of its document."""
    script: str
    date: str | None
    """Date of the document."""
    title: str | None
    """Title of the document."""


@dataclass(frozen=True, slots=True)
class Embeddings:
    """The vectors of texts and of their tokens, with the language removed."""

    vectors: Vectors
    """One unit vector for each text, of shape `(texts, dimension)`."""
    tokens: tuple[Tokens, ...]
    """The token vectors of each text."""

    def take(self, rows: slice) -> "Embeddings":
        """Return the embeddings of some of the texts."""
        return Embeddings(self.vectors[rows], self.tokens[rows])


@dataclass(frozen=True, slots=True)
class Projection:
    """A projection that removes the language from vectors, computed from texts that are parallel in many languages."""

    directions: Vectors
    """Orthonormal, of shape `(directions, dimension)`: the directions removed from the vector of a text."""
    means: Vectors
    """Mean unit vector of the tokens of queries and of passages, of shape `(2, layers, dimension)`."""
    bases: Vectors
    """Of shape `(layers, dimension, kept)`: maps a token's vector, less its mean, in each layer."""
    languages: tuple[str, ...]
    """Tags of the parallel texts, such as `cs` or `sr-Latn`."""
    neutral: Tokens
    """The tokens of these texts as passages, one language after another."""
    ends: NDArray[np.int64]
    """Of shape `(languages, blocks)`: the row of `neutral` after each block, which is as long as a passage."""

    @property
    def token_shape(self) -> tuple[int, int]:
        """The number of layers of a token, and the length of its vector in each."""
        return self.bases.shape[0], self.bases.shape[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class EncoderSettings:
    """The values that depend on the encoder; `rag/models/tables/` holds those that were measured."""

    layers: tuple[int, ...]
    """Layers whose token vectors are matched, counted from the end: -1 is the last."""
    directions: int
    """How many directions of language are removed from vectors."""
    kept: int
    """How many dimensions of a token's vector are kept in each layer."""
    eight_bits: bool
    """True if the encoder finds as much when passages are encoded with eight-bit weights."""
    candidates: int
    """How many of the nearest passages are compared by their tokens as well."""
    rarity: float
    """The exponent that gives more weight to tokens of the question that few passages have."""
    preference: float
    """Added to the score of a passage from the period that the question names."""
    score_weight: float
    """Log-odds per unit of retrieval score, where no generator judges."""
    lead_weight: float
    """Log-odds per unit of the lead over all other hits, where no generator judges."""
    least_evidence: float
    """Least log-odds for a passage to be quoted, where no generator judges."""
    beside: float
    """How much worse, in token match, a second quoted sentence may answer."""
    sought: float
    """Added to the token match of a sentence that has the time or number asked for."""
    collection_least: float
    """Least cosine of a question about the collection with an example of one."""
    collection_lead: float
    """How much nearer that example must be than any question that only mentions articles."""
    topic_least: float
    """Least retrieval score of what a question finds that changes the topic of the conversation."""
    topic_lead: float
    """How much better this must fit the question than what it finds as a follow-up, in retrieval score."""
    concerning_least: float
    """Least retrieval score of an article that may be about a topic."""
    concerning_lead: float
    """How much farther from the topic than the nearest article such an article may be, in retrieval score."""
    close: float
    """Least mean cosine of the worst-matching tokens of a supported statement."""
    facts: float
    """Added to the cosine of a sentence that holds all facts of a statement."""
    same_clause: float
    """For a statement that denies: how much nearer, in cosine, an affirming clause may be than a denying one."""
    other_clause: float
    """For a statement that affirms: how much nearer, in cosine, an affirming clause must be than a denying one."""
    contrary: float
    """For a statement that affirms: how much nearer a denying clause must be for the passage to contradict it."""
    nearer: float
    """How much nearer, in cosine, the noun of another number must be than that of the equal number for the statement
    to be rejected."""
    aside: float
    """How much nearer to the question a sentence may be than those that support the statement."""


@dataclass(frozen=True, slots=True)
class Filter:
    """The passages to search. An empty field excludes nothing."""

    languages: tuple[str, ...] = ()
    """Languages of passages, ISO 639-1."""
    sources: tuple[str, ...] = ()
    """Sources, or patterns of them with `*` and `?`, such as `2024/*`."""
    since: str | None = None
    """Earliest date of a document, ISO 8601 to any precision. Excludes documents without a date."""
    until: str | None = None
    """Latest date of a document, ISO 8601 to any precision: `2023-09` includes all of that month. Excludes documents
    without a date."""


@dataclass(frozen=True, slots=True)
class AnswerSpan:
    """Words of a passage that may answer a question: `passage.text[start:end]`."""

    start: int
    end: int
    odds: float
    """The log-odds that the answer is exactly these words, if the passage has one."""


@dataclass(frozen=True, slots=True)
class PassageReading:
    """The result of reading a passage for a question."""

    odds: float
    """The log-odds that the passage answers the question."""
    spans: tuple[AnswerSpan, ...] = ()
    """The likeliest answers, none of which overlap, the likeliest first. Empty if the reader marks no words."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage found for a question."""

    rank: int
    """1 is the best."""
    score: float
    """How well the passage matches the question, at most 1. Not comparable between questions."""
    passage: Passage
    odds: float | None = None
    """The generator's log-odds that the passage holds the answer; None if the generator was not asked."""
    evidence: float | None = None
    """All evidence that the passage holds the answer, in log-odds: the generator's odds, the score, and whether
    retrieval put it first; without a judge, the score and its lead. None if the passage was not judged."""
    reading: PassageReading | None = None
    """The result of reading the passage; None without a reader."""
    also: tuple[str, ...] = ()
    """Sources of further passages with the same words, which get no rank of their own."""

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON, with the fields of the passage beside those of the hit."""
        own = asdict(self)
        passage = own.pop("passage")
        return {**own, **passage}


@dataclass(frozen=True, slots=True)
class Statement:
    """A generator's answer from one passage."""

    text: str
    hit: Hit
    agreeing: tuple[Hit, ...] = ()
    """Hits of other articles whose passages support the statement too."""

    @property
    def hits(self) -> tuple[Hit, ...]:
        """All hits that support the statement."""
        return (self.hit, *self.agreeing)


@dataclass(frozen=True, slots=True)
class Rejection:
    """A statement that is not shown. Its text is empty if the passage itself was rejected."""

    statement: Statement
    reason: str
    """A sentence in English."""


@dataclass(frozen=True, slots=True)
class Turn:
    """An earlier question of the conversation, with its answer."""

    question: str
    answer: str


Reply = Stream[str, None, None]
"""Text that arrives in pieces. Closing the stream stops the model."""
Role = Literal["query", "passage"]
Progress = Callable[[int, int], None]
"""Called with the number of steps done and the number of all steps."""
