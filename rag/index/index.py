"""An index opened for reading: the segments of its current generation, searched as one.

A reader keeps the generation that it opened, whatever builds do meanwhile. A passage is addressed by its row: its
position in its segment plus the rows of all earlier segments. Rows are valid only within one opened generation.
"""

import shlex
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
    describe_damage,
    read_manifest,
    read_pointer,
    rebuild_command,
)
from rag.index.segment import SEGMENT_INFO, Segment
from rag.models.sources import checksum
from rag.protocols import VectorStore
from rag.types import Article, Document, Embeddings, Filter, Passage, Projection, Tokens, Vectors


class Index:
    """An opened generation, read-only. Safe to use from several threads."""

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
        """A vector store to search if it holds this generation; otherwise the segments are searched."""
        self._starts = list(accumulate((segment.info.rows for segment in segments), initial=0))

    @classmethod
    def open(cls, folder: Path, store: VectorStore | None = None) -> Self:
        """Open the current generation of the index in `folder`, after verifying its files.

        Small files are compared with their checksums. For large files only the size is compared, because reading them
        would take minutes; `rag index --verify` reads them. Raises IndexMissing, IndexDamaged, and IndexMismatch if
        the index has another format.
        """
        pointer = read_pointer(folder)
        try:
            return cls._open_generation(folder, store)
        except IndexDamaged:
            if read_pointer(folder) == pointer:
                raise
            # While this generation was being opened, a build switched to another and removed it.
            return cls.open(folder, store)

    @classmethod
    def _open_generation(cls, folder: Path, store: VectorStore | None) -> Self:
        manifest, generation = read_manifest(folder)
        with ExitStack() as opened:
            try:
                _verify_checksum(generation / PROJECTION, manifest.projection)
                projection = load_projection(generation / PROJECTION)
                segments = []
                for name, digest in manifest.segments.items():
                    _verify_checksum(folder / SEGMENTS / name / SEGMENT_INFO, digest)
                    segments.append(Segment.open(folder / SEGMENTS / name, projection.token_shape))
                    opened.callback(segments[-1].close)
                _verify_counts(manifest, segments)
            except (OSError, ValueError, sqlite3.Error) as error:
                raise IndexDamaged(describe_damage(folder, str(error))) from error
            opened.pop_all()
        return cls(folder.name, generation.name, manifest, projection, segments, store)

    def check(self, encoder: dict[str, object], passage_tokens: int) -> None:
        """Raise IndexMismatch unless the index was built with this encoder and this passage size."""
        if self.manifest.encoder != encoder:
            former, wanted = (shlex.quote(str(one["name"])) for one in (self.manifest.encoder, encoder))
            raise IndexMismatch(
                f"The index “{self.name}” was built with another encoder, {former}. "
                f"Rebuild it with `RAG_ENCODER={wanted} {rebuild_command(self.name)}`, or set RAG_ENCODER={former}."
                if former != wanted
                else f"The index “{self.name}” was built with another encoder of the same name, or with other settings "
                f"of it. Rebuild it with `{rebuild_command(self.name)}`."
            )
        if self.manifest.passage_tokens != passage_tokens:
            raise IndexMismatch(
                f"The index “{self.name}” was built with another passage size, {self.manifest.passage_tokens}. "
                f"Rebuild it with `{rebuild_command(self.name)}`, or restore the former setting."
            )

    def search(self, vector: Vectors, count: int, among: Filter | None = None) -> list[tuple[int, float]]:
        """Return the rows of the `count` passages nearest to a unit vector, best first, with their cosines.

        `vector` has the shape `(dimension,)`. With a filter, only the passages that pass it are searched, and the
        search is exhaustive.
        """
        if among and among.sources:
            among = replace(among, sources=_list_spellings(*among.sources))
        if self.store and self.store.holds(self.generation):
            sources = self._find_sources(among.sources) if among and among.sources else None
            return self.store.search(self.generation, vector, count, among or Filter(), sources)
        hits: list[tuple[int, float]] = []
        filtered = among is not None and among != Filter()
        for start, segment in zip(self._starts, self.segments, strict=False):
            mask = segment.find_rows(among) if among and filtered else segment.live
            rows, cosines = segment.vectors.search(vector, count, mask, exhaustive=filtered)
            hits += zip((rows + start).tolist(), cosines.tolist(), strict=True)
        # FAISS leaves the order of equal cosines undefined.
        return sorted(hits, key=lambda hit: (-hit[1], hit[0]))[:count]

    def _find_sources(self, patterns: Sequence[str]) -> list[str]:
        """Return the sources that equal one of the names or match one of the patterns, sorted."""
        return sorted(source for segment in self.segments for source in segment.find_sources(patterns))

    def read_rows(self, size: int) -> Iterator[tuple[list[int], Vectors, list[tuple[str, str, str | None]]]]:
        """Yield all rows that hold a passage, `size` at a time, with their vectors and (language, source, date)."""
        for start, segment in zip(self._starts, self.segments, strict=False):
            for rows, facts in segment.read_rows(size):
                yield [row + start for row in rows], segment.vectors.read(np.array(rows, dtype=np.int64)), facts

    def read_passage(self, row: int) -> Passage:
        """Return the passage of a row."""
        segment, row = self._locate(row)
        return segment.read_passage(row)

    def read_tokens(self, row: int) -> Tokens:
        """Return the token vectors of the passage of a row."""
        segment, row = self._locate(row)
        return segment.read_tokens(row)

    def read_languages(self) -> list[str]:
        """Return the sorted ISO 639-1 codes of the languages of the passages."""
        return sorted({language for segment in self.segments for language in segment.languages})

    def list_articles(self) -> tuple[Article, ...]:
        """Return a description of each document, ordered by source."""
        listed = (article for segment in self.segments for article in segment.list_articles())
        return tuple(sorted(listed, key=lambda article: article.source))

    def read_checksums(self) -> dict[str, str]:
        """Return the source of each document with the SHA-256 of its file, in hexadecimal."""
        return {source: digest for segment in self.segments for source, digest, _ in segment.list_checksums()}

    def read_document(self, source: str) -> Document | None:
        """Return the document as it was when it was indexed, or None if it is not in the index."""
        found = (segment.read_document(name) for name in _list_spellings(source) for segment in self.segments)
        return next(filter(None, found), None)

    def open_article(self, source: str) -> Document:
        """Return the document, or raise ArticleMissing if it is not in the index."""
        document = self.read_document(source)
        if document is None:
            raise ArticleMissing(f"The index “{self.name}” has no article “{source}”. Name one that it lists.")
        return document

    def read_passages(self, source: str) -> list[Passage]:
        """Return the passages of a document in order; none if it is not in the index."""
        found = (segment.read_passages(source) for segment in self.segments)
        return next(filter(None, found), [])

    def read_embeddings(self, source: str) -> Embeddings:
        """Return the embeddings of a document's passages in order; none if it is not in the index."""
        found = (segment.read_embeddings(source) for segment in self.segments)
        nothing = Embeddings(np.empty((0, self.projection.directions.shape[1]), np.float32), ())
        return next((embeddings for embeddings in found if embeddings.tokens), nothing)

    def close(self) -> None:
        """Close the files."""
        for segment in self.segments:
            segment.close()

    def _locate(self, row: int) -> tuple[Segment, int]:
        """Return the segment of a row, and the row's number in that segment."""
        place = bisect_right(self._starts, row) - 1
        return self.segments[place], row - self._starts[place]


def _verify_counts(manifest: Manifest, segments: Sequence[Segment]) -> None:
    """Raise ValueError unless the segments hold the numbers of articles and passages in the manifest."""
    for noun in ("articles", "passages"):
        expected, found = getattr(manifest, noun), sum(getattr(segment.info, noun) for segment in segments)
        if expected != found:
            raise ValueError(f"{MANIFEST} says that there are {expected} {noun}, but the segments hold {found}")


def _verify_checksum(file: Path, digest: str) -> None:
    """Raise ValueError if the file does not match its checksum, or OSError if it cannot be read."""
    if checksum(file) != digest:
        raise ValueError(f"{file.name} does not match its checksum")


def _list_spellings(*names: str) -> tuple[str, ...]:
    """Return each file name unchanged, composed (NFC) as people type it, and decomposed (NFD) as macOS may store it."""
    forms = ((name, unicodedata.normalize("NFC", name), unicodedata.normalize("NFD", name)) for name in names)
    return tuple(dict.fromkeys(form for of_name in forms for form in of_name))
