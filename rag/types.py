"""The nouns of the house: what is read, found, said and cited, and what a model must be able to do."""

from collections.abc import Callable, Sequence
from collections.abc import Generator as Stream
from dataclasses import asdict, dataclass
from typing import Any, Literal, Protocol

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
class Encodings:
    """What an encoder makes of some texts, without the language that they are in."""

    vectors: Vectors
    """One unit vector for each text, of shape `(texts, dimension)`."""
    tokens: tuple[Tokens, ...]
    """The tokens of each text."""

    def take(self, rows: slice) -> "Encodings":
        """Those of some of the texts."""
        return Encodings(self.vectors[rows], self.tokens[rows])


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
class Citation:
    """Where a statement stands: `document.text[start:end] == quote`."""

    number: int
    """The `n` of the marker `[n]` in the answer's text."""
    source: str
    language: str
    script: str
    date: str | None
    quote: str
    start: int
    end: int

    def _repr_html_(self) -> str:
        """As a notebook shows it."""
        from rag.answering.html import draw_card, draw_cards

        return draw_cards([draw_card(self, self.quote, "en")])


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a question."""

    question: str
    completed: str
    """The question after those before it that it leans on; the same where it stands by itself."""
    text: str
    """The answer with markers such as `[1]`, one for each citation."""
    citations: tuple[Citation, ...]
    language: str
    """Language of the question, ISO 639-1, in which `text` is meant to be."""
    script: str
    """Its script, ISO 15924."""
    abstained: bool
    """True when the articles do not answer; `text` then says so and there are no citations."""
    quoted: bool
    """True when `text` is the article's own words, as the generator's did not stand up to them."""
    hits: tuple[Hit, ...]
    """What was found, in the order in which it was thought to hold the answer."""
    rejected: tuple[Rejection, ...]
    timings: dict[str, float]
    """Seconds since the question came: `evidence`, `judged`, `first_word`, `total`; those that were reached."""
    models: dict[str, str]
    """Names of the `encoder` and the `generator`."""

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON with the same fields."""
        rejected = [
            {"text": one.statement.text, "source": one.statement.hit.passage.source, "reason": one.reason}
            for one in self.rejected
        ]
        return {**asdict(self), "hits": [hit.as_dict() for hit in self.hits], "rejected": rejected}

    def _repr_html_(self) -> str:
        """With its citations, as a notebook shows it."""
        from rag.answering.html import draw_cited

        return draw_cited(self)


@dataclass(frozen=True, slots=True)
class Turn:
    """One exchange of the conversation so far."""

    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class Queued:
    """The generator is busy; `place` questions are ahead of this one."""

    place: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was found, before anything was read."""

    hits: tuple[Hit, ...]


@dataclass(frozen=True, slots=True)
class Judged:
    """The same hits, ordered by whether they hold the answer."""

    hits: tuple[Hit, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """The generator begins to read this hit; words that came before belong to another and are void."""

    hit: Hit
    standing: tuple[str, ...] = ()
    """What was said of other articles and is shown in any case, before the words that come."""


@dataclass(frozen=True, slots=True)
class Words:
    """The next piece of what the generator says."""

    text: str


@dataclass(frozen=True, slots=True)
class Answered:
    """The end of every stream."""

    answer: Answer


Event = Queued | Evidence | Judged | Reading | Words | Answered

Reply = Stream[str, None, None]
"""Text as it comes; closing it stops the model."""
Role = Literal["query", "passage"]
Progress = Callable[[int, int], None]
"""Called with what is done and what there is to do."""


class Encoder(Protocol):
    """Text to unit vectors."""

    @property
    def name(self) -> str: ...

    @property
    def dimension(self) -> int: ...

    @property
    def max_tokens(self) -> int:
        """The longest passage in tokens that is encoded whole, prompt and special tokens left out."""
        ...

    @property
    def projection(self) -> "Projection":
        """How it takes the language out."""
        ...

    def describe(self) -> dict[str, object]:
        """What an index must agree on to be searched with this encoder, as plain JSON."""
        ...

    def warm(self) -> None:
        """Load what the first texts would otherwise wait for. Raises ModelError."""
        ...

    def encode(self, texts: Sequence[str], role: Role, progress: Progress | None = None) -> Encodings:
        """Vectors of the texts and of their tokens."""
        ...

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, prompt and special tokens left out."""
        ...


class VectorStore(Protocol):
    """Vectors of whole generations of an index, searched elsewhere than in this process."""

    def holds(self, generation: str) -> bool:
        """Whether a generation can be searched there. Raises StoreError."""
        ...

    def search(
        self, generation: str, vector: Vectors, count: int, among: Filter, sources: Sequence[str] | None
    ) -> list[tuple[int, float]]:
        """What Index.search gives; `sources` are those that the filter's stand for, or None for all.

        Raises StoreError.
        """
        ...


class Generator(Protocol):
    """Prompt to text."""

    @property
    def name(self) -> str: ...

    def identify(self) -> str:
        """What tells it from any other model under the same name. Raises ModelError."""
        ...

    def warm(self) -> None:
        """Load what the first reply would otherwise wait for. Raises ModelError."""
        ...

    def prepare(self, prefix: str) -> None:
        """Compute what later replies to a prefix need, and keep it. Raises ModelError, GenerationError."""
        ...

    def weigh(self, prefixes: Sequence[str], suffix: str, replies: tuple[str, str]) -> list[float]:
        """How much likelier the reply to each prefix and the suffix begins with the first of `replies` than with
        the other, as the logarithm of the odds. The prefixes are different ones.

        Raises GenerationError.
        """
        ...

    def generate(self, prefix: str, suffix: str, max_tokens: int, stop: Sequence[str] = ()) -> Reply:
        """Stream the reply to `prefix + suffix`, greedily.

        `prefix` does not depend on the question: an implementation may keep what it computed for it.
        Raises GenerationError.
        """
        ...
