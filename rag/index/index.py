"""An index on disk, opened: the segments of the generation in use, searched and read as one.

A reader keeps the generation that it opened. A passage's row is that in its segment, after the rows of the segments
before; it holds for one opened generation.
"""

import sqlite3
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from itertools import accumulate
from pathlib import Path
from typing import Self

import numpy as np

from rag.encoding.projection import load_projection
from rag.errors import ArticleMissing, IndexDamaged, IndexMismatch
from rag.index.manifest import (
    MANIFEST,
    PROJECTION,
    SEGMENTS,
    Manifest,
    read_manifest,
    read_pointer,
    say_damaged,
    say_rebuild,
)
from rag.index.segment import FACTS, Segment
from rag.models.sources import checksum
from rag.protocols import VectorStore
from rag.types import Article, Document, Embeddings, Filter, Passage, Projection, Tokens, Vectors


class Index:
    """An opened generation, read only. Safe to use from several threads."""

    def __init__(
        self, name: str, generation: str, manifest: Manifest, projection: Projection, segments: Sequence[Segment],
        store: VectorStore | None = None,
    ) -> None:  # fmt: skip
        self.name = name
        self.generation = generation
        self.manifest = manifest
        self.projection = projection
        self.segments = tuple(segments)
        self.store = store
        """Where vectors are searched that it holds; others in the segments."""
        self._starts = list(accumulate((segment.facts.rows for segment in segments), initial=0))

    @classmethod
    def open(cls, folder: Path, store: VectorStore | None = None) -> Self:
        """Open the generation in use of the index in `folder`, having compared its files with their checksums.

        Of large ones only the size is compared, as reading them would take minutes; `rag index --verify` reads them.
        Raises IndexMissing, IndexMismatch for another format, IndexDamaged.
        """
        pointer = read_pointer(folder)
        try:
            return cls._open_generation(folder, store)
        except IndexDamaged:
            if read_pointer(folder) == pointer:
                raise
            # A builder switched and removed this generation while it was being opened.
            return cls.open(folder, store)

    @classmethod
    def _open_generation(cls, folder: Path, store: VectorStore | None) -> Self:
        manifest, generation = read_manifest(folder)
        with ExitStack() as opened:
            try:
                _compare(generation / PROJECTION, manifest.projection)
                projection = load_projection(generation / PROJECTION)
                segments = []
                for name, digest in manifest.segments.items():
                    _compare(folder / SEGMENTS / name / FACTS, digest)
                    segments.append(Segment(folder / SEGMENTS / name, projection.token_shape))
                    opened.callback(segments[-1].close)
                _count(manifest, segments)
            except (OSError, ValueError, sqlite3.Error) as error:
                raise IndexDamaged(say_damaged(folder, str(error))) from error
            opened.pop_all()
        return cls(folder.name, generation.name, manifest, projection, segments, store)

    def check(self, encoder: dict[str, object], passage_tokens: int) -> None:
        """Raise IndexMismatch unless the index was built with this encoder and this passage size."""
        differences = {
            "encoder": (self.manifest.encoder, encoder),
            "passage size": (self.manifest.passage_tokens, passage_tokens),
        }
        for what, (built, wanted) in differences.items():
            if built != wanted:
                raise IndexMismatch(
                    f"The index “{self.name}” was built with another {what}. "
                    f"Rebuild it with `{say_rebuild(self.name)}`, or go back to the former setting."
                )

    def search(self, vector: Vectors, count: int, among: Filter | None = None) -> list[tuple[int, float]]:
        """The rows of the `count` passages nearest to a unit vector of shape `(dimension,)`, best first, with cosines.

        Only those that `among` lets through are looked at, and then none of them is passed over.
        """
        if among and among.sources:
            among = replace(among, sources=_spell(*among.sources))
        if self.store and self.store.holds(self.generation):
            sources = self._find_sources(among.sources) if among and among.sources else None
            return self.store.search(self.generation, vector, count, among or Filter(), sources)
        hits: list[tuple[int, float]] = []
        filtered = among is not None and among != Filter()
        for start, segment in zip(self._starts, self.segments, strict=False):
            mask = segment.find_rows(among) if among and filtered else segment.live
            rows, cosines = segment.vectors.search(vector, count, mask, thorough=filtered)
            hits += zip((rows + start).tolist(), cosines.tolist(), strict=True)
        # The library leaves the order of equals open.
        return sorted(hits, key=lambda hit: (-hit[1], hit[0]))[:count]

    def _find_sources(self, named: Sequence[str]) -> list[str]:
        """The sources that names and patterns of them stand for."""
        return sorted(source for segment in self.segments for source in segment.find_sources(named))

    def read_rows(self, size: int) -> Iterator[tuple[list[int], Vectors, list[tuple[str, str, str | None]]]]:
        """All rows with a passage, `size` at a time, with their vectors, languages, sources and dates."""
        for start, segment in zip(self._starts, self.segments, strict=False):
            for rows, facts in segment.read_rows(size):
                yield [row + start for row in rows], segment.vectors.read(np.array(rows, dtype=np.int64)), facts

    def read_passage(self, row: int) -> Passage:
        """The passage of a row."""
        segment, row = self._locate(row)
        return segment.read_passage(row)

    def read_tokens(self, row: int) -> Tokens:
        """The tokens of the passage of a row."""
        segment, row = self._locate(row)
        return segment.read_tokens(row)

    def read_languages(self) -> list[str]:
        """The languages that its passages are in, by ISO 639-1."""
        return sorted({language for segment in self.segments for language in segment.languages})

    def list_articles(self) -> tuple[Article, ...]:
        """What is known of its documents, in the order of their sources."""
        listed = (article for segment in self.segments for article in segment.list_articles())
        return tuple(sorted(listed, key=lambda article: article.source))

    def read_checksums(self) -> dict[str, str]:
        """Source of each document → SHA-256 of its file, in hexadecimal."""
        return {source: digest for segment in self.segments for source, digest, _ in segment.list_checksums()}

    def read_document(self, source: str) -> Document | None:
        """The document of that source as it was when it was indexed, or None."""
        found = (segment.read_document(spelt) for spelt in _spell(source) for segment in self.segments)
        return next(filter(None, found), None)

    def open_article(self, source: str) -> Document:
        """The same. Raises ArticleMissing."""
        document = self.read_document(source)
        if document is None:
            raise ArticleMissing(f"The index “{self.name}” has no article “{source}”. Name one that it lists.")
        return document

    def read_passages(self, source: str) -> list[Passage]:
        """A document's passages in order; none where there is no such document."""
        found = (segment.read_passages(source) for segment in self.segments)
        return next(filter(None, found), [])

    def read_embeddings(self, source: str) -> Embeddings:
        """What the encoder made of a document's passages, in order."""
        found = (segment.read_embeddings(source) for segment in self.segments)
        nothing = Embeddings(np.empty((0, self.projection.directions.shape[1]), np.float32), ())
        return next((encodings for encodings in found if encodings.tokens), nothing)

    def close(self) -> None:
        """Let go of the files."""
        for segment in self.segments:
            segment.close()

    def _locate(self, row: int) -> tuple[Segment, int]:
        """The segment of a row, and its row there."""
        place = bisect_right(self._starts, row) - 1
        return self.segments[place], row - self._starts[place]


def _count(manifest: Manifest, segments: Sequence[Segment]) -> None:
    """Raises ValueError when there is not as much in the segments as the manifest says."""
    for what in ("articles", "passages"):
        told, found = getattr(manifest, what), sum(getattr(segment.facts, what) for segment in segments)
        if told != found:
            raise ValueError(f"{MANIFEST} says that there are {told} {what}, and its segments have {found}")


def _compare(file: Path, digest: str) -> None:
    """Raises OSError, and ValueError when the file is not as it was written."""
    if checksum(file) != digest:
        raise ValueError(f"{file.name} does not match its checksum")


def _spell(*names: str) -> tuple[str, ...]:
    """Names of files, also with letters and marks apart, as a Mac may write them, and together, as they are typed."""
    spelt = ((name, unicodedata.normalize("NFC", name), unicodedata.normalize("NFD", name)) for name in names)
    return tuple(dict.fromkeys(name for forms in spelt for name in forms))
