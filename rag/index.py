"""Vectors and passages on disk. No other room imports faiss.

A generation of an index holds, beside its manifest:

    articles.sqlite     documents and passages with their tokens; a passage's id is its vector's row
    vectors.faiss       unit vectors, inner product
    projection.npz      how the encoder took the language out of them

A reader keeps the generation that it opened.
"""

import shutil
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, astuple, fields
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from rag.errors import ArticleMissing, IndexDamaged, IndexMismatch, StoreError
from rag.generations import (
    FORMAT,
    Manifest,
    is_in_use,
    name_generation,
    read_manifest,
    read_pointer,
    say_damaged,
    say_rebuild,
    switch_to,
    write_manifest,
)
from rag.projection import load_projection, save_projection
from rag.sources import checksum
from rag.types import Article, Document, Encoder, Encodings, Filter, Passage, Projection, Tokens, Vectors

if TYPE_CHECKING:
    import faiss

ARTICLES = "articles.sqlite"
VECTORS = "vectors.faiss"
PROJECTION = "projection.npz"
FILES = (ARTICLES, VECTORS, PROJECTION)

SCHEMA = """
CREATE TABLE documents (
    source TEXT PRIMARY KEY, text TEXT NOT NULL, language TEXT NOT NULL, script TEXT NOT NULL,
    date TEXT, title TEXT, checksum TEXT NOT NULL
);
CREATE TABLE passages (
    id INTEGER PRIMARY KEY, source TEXT NOT NULL REFERENCES documents(source), text TEXT NOT NULL,
    "start" INTEGER NOT NULL, "end" INTEGER NOT NULL, language TEXT NOT NULL, script TEXT NOT NULL,
    tokens BLOB NOT NULL
);
CREATE INDEX passages_by_source ON passages(source);
"""
INSERT_DOCUMENT = "INSERT INTO documents VALUES (?, ?, ?, ?, ?, ?, ?)"
INSERT_PASSAGE = "INSERT INTO passages VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
SELECT_DOCUMENT = "SELECT source, text, language, script, date, title, checksum FROM documents WHERE source = ?"
SELECT_ROWS = "SELECT p.id FROM passages p JOIN documents d USING (source)"
SELECT_PASSAGE = """
SELECT p.source, p.text, p."start", p."end", p.language, p.script, d.date, d.title
FROM passages p JOIN documents d USING (source) WHERE p.id = ?
"""


class Index:
    """An opened generation, read only. Safe to use from several threads."""

    def __init__(
        self,
        name: str,
        generation: str,
        manifest: Manifest,
        projection: Projection,
        articles: sqlite3.Connection,
        vectors: "faiss.Index",
    ) -> None:
        self.name = name
        self.generation = generation
        self.manifest = manifest
        self.projection = projection
        self._articles = articles
        self._vectors = vectors
        self._lock = threading.Lock()

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Open the generation in use of the index in `folder`, having checked its files.

        Raises IndexMissing, IndexMismatch for another format, IndexDamaged.
        """
        pointer = read_pointer(folder)
        try:
            return cls._open_generation(folder)
        except IndexDamaged:
            if read_pointer(folder) == pointer:
                raise
            # A builder switched and removed this generation while it was being opened.
            return cls.open(folder)

    @classmethod
    def _open_generation(cls, folder: Path) -> Self:
        manifest, generation = read_manifest(folder)
        for name in FILES:
            if _hash_file(generation / name) != manifest.checksums.get(name):
                raise IndexDamaged(say_damaged(folder, f"{name} does not match its checksum"))
        address = f"{(generation / ARTICLES).absolute().as_uri()}?mode=ro&immutable=1"
        try:
            projection = load_projection(generation / PROJECTION)
            vectors = _read_vectors(generation / VECTORS)
            articles = sqlite3.connect(address, uri=True, check_same_thread=False)
        except (OSError, ValueError, sqlite3.Error) as error:
            raise IndexDamaged(say_damaged(folder, f"{generation.name} cannot be read: {error}")) from error
        return cls(folder.name, generation.name, manifest, projection, articles, vectors)

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

        Only those that `among` lets through are looked at, so it costs no hits.
        """
        import faiss

        rows = None if among is None or among == Filter() else self._find_rows(among)
        count = min(count, self.manifest.passages if rows is None else len(rows))
        if not count:
            return []
        chosen = None if rows is None else faiss.SearchParameters(sel=faiss.IDSelectorBatch(rows))  # type: ignore[call-arg]
        cosines, found = self._vectors.search(vector[np.newaxis, :], count, params=chosen)
        hits = [(int(row), float(cosine)) for row, cosine in zip(found[0], cosines[0], strict=True)]
        # The library leaves the order of equals open.
        return sorted(hits, key=lambda hit: (-hit[1], hit[0]))

    def _find_rows(self, among: Filter) -> NDArray[np.int64]:
        """The rows of the passages that a filter lets through."""
        conditions: list[tuple[str, Sequence[str]]] = [
            (" OR ".join(["p.language = ?"] * len(among.languages)), among.languages),
            (" OR ".join(["d.source = ? OR d.source GLOB ?"] * len(among.sources)), sorted(among.sources * 2)),
            # Dates are compared to the precision of the less precise of the two.
            ("substr(d.date, 1, length(?)) <= ?", [among.until] * 2 if among.until else ()),
            ("substr(?, 1, length(d.date)) <= d.date", [among.since] if among.since else ()),
        ]
        used = [(condition, values) for condition, values in conditions if values]
        where = " AND ".join(f"({condition})" for condition, _ in used)
        rows = self._query(f"{SELECT_ROWS} WHERE {where}", *(value for _, values in used for value in values))
        return np.array([row for (row,) in rows], dtype=np.int64)

    def read_passage(self, row: int) -> Passage:
        """The passage of a row."""
        return Passage(*self._query(SELECT_PASSAGE, row)[0])

    def read_tokens(self, row: int) -> Tokens:
        """The tokens of the passage of a row."""
        ((stored,),) = self._query("SELECT tokens FROM passages WHERE id = ?", row)
        return np.frombuffer(stored, dtype=np.int8).reshape(-1, *self.projection.token_shape)

    def read_languages(self) -> list[str]:
        """The languages that its passages are in, by ISO 639-1."""
        return [language for (language,) in self._query("SELECT DISTINCT language FROM passages ORDER BY language")]

    def list_articles(self) -> tuple[Article, ...]:
        """What is known of its documents, in the order of their sources."""
        names = [field.name for field in fields(Article)]
        listed = (Article(**{name: file[name] for name in names}) for file in self.manifest.files)
        return tuple(sorted(listed, key=lambda article: article.source))

    def read_document(self, source: str) -> Document | None:
        """The document of that source as it was when it was indexed, or None."""
        found = self._query(SELECT_DOCUMENT, source)
        return Document(*found[0]) if found else None

    def open_article(self, source: str) -> Document:
        """The same. Raises ArticleMissing."""
        document = self.read_document(source)
        if document is None:
            raise ArticleMissing(f"The index “{self.name}” has no article “{source}”. Name one that it lists.")
        return document

    def read_passages(self, source: str) -> tuple[list[Passage], Encodings]:
        """A document's passages in order, and what the encoder made of them."""
        rows = [row for (row,) in self._query("SELECT id FROM passages WHERE source = ? ORDER BY id", source)]
        vectors = np.empty((len(rows), self._vectors.d), dtype=np.float32)
        if rows:
            self._vectors.reconstruct_n(rows[0], len(rows), vectors)
        tokens = tuple(self.read_tokens(row) for row in rows)
        return [self.read_passage(row) for row in rows], Encodings(vectors, tokens)

    def close(self) -> None:
        """Let go of the files."""
        self._articles.close()

    def _query(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._articles.execute(statement, values).fetchall()


class Draft:
    """A generation being written: add documents, then commit. Left without a commit, it leaves no trace."""

    def __init__(self, folder: Path, dimension: int) -> None:
        import faiss

        self._folder = folder
        self._generation = name_generation(folder)
        with _translate_errors(folder):
            self._generation.mkdir(parents=True)
            self._articles = sqlite3.connect(self._generation / ARTICLES)
            self._articles.executescript(f"PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; {SCHEMA}")
        self._vectors = faiss.IndexFlatIP(dimension)
        self._files: list[dict[str, Any]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._articles.close()
        if not is_in_use(self._generation):
            shutil.rmtree(self._generation, ignore_errors=True)

    def add(self, document: Document, size: int, passages: Sequence[Passage], encodings: Encodings) -> None:
        """Add one document of `size` bytes, its passages and what the encoder made of them. Raises StoreError."""
        row = self._vectors.ntotal
        rows = [
            (row + n, p.source, p.text, p.start, p.end, p.language, p.script, tokens.tobytes())
            for n, (p, tokens) in enumerate(zip(passages, encodings.tokens, strict=True))
        ]
        with _translate_errors(self._folder):
            self._articles.execute(INSERT_DOCUMENT, astuple(document))
            self._articles.executemany(INSERT_PASSAGE, rows)
        self._vectors.add(encodings.vectors)
        facts = {key: value for key, value in asdict(document).items() if key != "text"}
        self._files.append({**facts, "size": size, "passages": len(passages)})

    def commit(self, encoder: Encoder, passage_tokens: int, paths: Sequence[Path]) -> Manifest:
        """Make this generation the one in use, and remove the others. Raises StoreError."""
        with _translate_errors(self._folder):
            self._write_files(encoder)
            manifest = Manifest(
                format=FORMAT,
                created=datetime.now(UTC).isoformat(timespec="seconds"),
                encoder=encoder.describe(),
                passage_tokens=passage_tokens,
                paths=tuple(str(path) for path in paths),
                files=tuple(self._files),
                passages=self._vectors.ntotal,
                checksums={name: _hash_file(self._generation / name) for name in FILES},
            )
            write_manifest(manifest, self._generation)
            switch_to(self._generation)
        return manifest

    def _write_files(self, encoder: Encoder) -> None:
        import faiss

        self._articles.commit()
        self._articles.close()
        faiss.write_index(self._vectors, str(self._generation / VECTORS))
        save_projection(encoder.projection, self._generation / PROJECTION)


def _read_vectors(file: Path) -> "faiss.Index":
    import faiss

    try:
        return faiss.read_index(str(file))
    except RuntimeError as error:
        raise IndexDamaged(say_damaged(file.parents[1], f"{file.name} cannot be read: {error}")) from error


def _hash_file(file: Path) -> str:
    try:
        return checksum(file)
    except OSError as error:
        raise IndexDamaged(say_damaged(file.parents[1], f"{file.name} cannot be read: {error}")) from error


@contextmanager
def _translate_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, sqlite3.Error, RuntimeError) as error:
        raise StoreError(
            f"The index “{folder.name}” cannot be written to {folder}: {error}. "
            "Make room or mend the permissions, and run the same command again; the old index is as it was."
        ) from error
