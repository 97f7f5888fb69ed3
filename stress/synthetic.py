"""Synthetic corpora of any size with the geometry of a real one."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rag.index.index import Index
from rag.index.index_writer import IndexWriter
from rag.models.settings import find_encoder_settings
from rag.protocols import Encoder
from rag.types import Document, Embeddings, Filter, Passage, Progress, Projection, Role, Vectors

NOISE = 0.5
"""Length of the noise added to a unit vector: a cosine of 0.89 with the original."""
PER_DOCUMENT = 20
BATCH = 4_000
"""Passages made at once."""
LANGUAGES = ("cs", "de", "el", "en")
TOKEN_SHAPE = (3, 128)
WORDS = " ".join(["word"] * 100)


def grow(index: Index, encoder: Encoder, passages: int, folder: Path, advance: Callable[[int], object]) -> Index:
    """Write an index of `passages` passages made from those of `index`, calling `advance` with the number of new ones.

    The texts differ by a number, so that none is a copy of another. Tokens are those of the originals, and vectors are
    theirs with noise.
    """
    chance = np.random.default_rng(0)
    sources = [article.source for article in index.list_articles()]
    texts = [passage for source in sources for passage in index.read_passages(source)]
    originals = [index.read_embeddings(source) for source in sources]
    vectors = np.concatenate([embeddings.vectors for embeddings in originals])
    tokens = [one for embeddings in originals for one in embeddings.tokens]
    with IndexWriter(folder, encoder.dimension) as writer:
        for start in range(0, passages, PER_DOCUMENT):
            rows = [row % len(texts) for row in range(start, min(start + PER_DOCUMENT, passages))]
            noise = chance.normal(size=(len(rows), encoder.dimension)).astype(np.float32)
            noisy = _unit(vectors[rows] + NOISE * _unit(noise))
            document, copies = _copy(f"{start:07}.txt", [texts[row] for row in rows])
            writer.add(document, len(document.text), copies, Embeddings(noisy, tuple(tokens[row] for row in rows)))
            advance(len(rows))
        writer.commit(encoder, index.manifest.passage_tokens, [folder])
    return Index.open(folder)


def _copy(source: str, passages: Sequence[Passage]) -> tuple[Document, list[Passage]]:
    """Return a document of these passages, each made unique by a number."""
    texts = [f"{passage.text} {source}-{number}" for number, passage in enumerate(passages)]
    starts = np.cumsum([0, *(len(text) + 2 for text in texts)])
    first = passages[0]
    document = Document(source, "\n\n".join(texts), first.language, first.script, first.date, None, checksum=source)
    return document, [
        replace(passage, source=source, text=text, start=int(start), end=int(start) + len(text), title=None)
        for passage, text, start in zip(passages, texts, starts, strict=False)
    ]


@dataclass(frozen=True, slots=True)
class Made:
    """A document in the form that `IndexWriter.add` takes."""

    document: Document
    size: int
    passages: list[Passage]
    embeddings: Embeddings


class Still:
    """An Encoder that is only described, as nothing is encoded."""

    name = "still"
    max_tokens = 512

    def __init__(self, dimension: int) -> None:
        self.dimension = dimension
        self.settings = find_encoder_settings(self.name)
        layers, kept = TOKEN_SHAPE
        self.projection = Projection(
            directions=np.empty((0, dimension), np.float32),
            means=np.zeros((2, layers, dimension), np.float32),
            bases=np.zeros((layers, dimension, kept), np.float32),
            languages=(),
            neutral=np.empty((0, layers, kept), np.int8),
            ends=np.empty((0, 1), np.int64),
        )

    def describe(self) -> dict[str, object]:
        """Return the description that an index stores."""
        return {"name": self.name}

    def warm(self) -> None:
        """Do nothing; there is nothing to load."""

    def encode(self, texts: Sequence[str], role: Role, progress: Progress | None = None) -> Embeddings:
        """Never called."""
        raise NotImplementedError

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Never called."""
        raise NotImplementedError


def make_vectors(real: Vectors, count: int, seed: int) -> Vectors:
    """Make vectors with the geometry of real ones."""
    chance = np.random.default_rng(seed)
    spread = real - real.mean(axis=0)
    one, other = (real[chance.integers(len(real), size=count)] for _ in range(2))
    share = chance.random((count, 1)).astype(np.float32)
    noise = chance.normal(size=(count, len(real))).astype(np.float32) @ spread
    return _unit(_unit(share * one + (1 - share) * other) + NOISE * _unit(noise))


def make_documents(real: Vectors, passages: int, tokens: int, version: str = "") -> Iterator[list[Made]]:
    """Yield documents with the given number of passages and tokens, some thousand passages at a time."""
    chance = np.random.default_rng(1)
    shared = tuple(chance.integers(-127, 128, (PER_DOCUMENT, tokens, *TOKEN_SHAPE)).astype(np.int8))
    for start in range(0, passages, BATCH):
        vectors = make_vectors(real, min(BATCH, passages - start), seed=start)
        yield [
            make_document((start + first) // PER_DOCUMENT, vectors[first : first + PER_DOCUMENT], shared, version)
            for first in range(0, len(vectors), PER_DOCUMENT)
        ]


def make_document(number: int, vectors: Vectors, tokens: Sequence[NDArray[np.int8]], version: str = "") -> Made:
    """Return the document of a number. Documents of different versions differ in their checksums."""
    language, date = tell_facts(number)
    passage = Passage("", WORDS, 0, len(WORDS), language, "Latn", date, None)
    document, copies = _copy(f"{number:06}.txt", [passage] * len(vectors))
    embeddings = Embeddings(vectors, tuple(tokens[: len(vectors)]))
    return Made(replace(document, checksum=f"{number}{version}"), len(document.text), copies, embeddings)


def tell_facts(number: int) -> tuple[str, str]:
    """Return the language and date of a document."""
    return LANGUAGES[number % len(LANGUAGES)], f"{2015 + number % 10}-{1 + number % 12:02}"


def find_row(passage: Passage) -> int:
    """Return the row of a passage among all passages."""
    return int(passage.source.removesuffix(".txt")) * PER_DOCUMENT + int(passage.text.rpartition("-")[2])


def list_passing(passages: int, among: Filter) -> NDArray[np.bool_]:
    """Return the passages that a filter accepts; its patterns end with `*`, and its dates are months or years."""

    def passes(number: int) -> bool:
        language, date = tell_facts(number)
        return (
            language in (among.languages or LANGUAGES)
            and all(f"{number:06}.txt".startswith(pattern[:-1]) for pattern in among.sources)
            and (among.since or "") <= date <= (among.until or "9999")
        )

    of_documents = [passes(number) for number in range(-(-passages // PER_DOCUMENT))]
    return np.repeat(of_documents, PER_DOCUMENT)[:passages]


def _unit(vectors: Vectors) -> Vectors:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=-1, keepdims=True), dtype=np.float32)
