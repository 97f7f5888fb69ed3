"""Articles and what the encoder made of them, in files that are written once.

A segment is a folder:

    articles.sqlite     documents and passages; a passage's id is its vector's row
    tokens.int8         the tokens of the passages, one after the other
    vectors.faiss       the vectors of the passages
    segment.json        how much there is, with what it was made, and the checksums of the other files

An article is removed by writing `articles.sqlite` anew without it. In a segment of any size that is quick, and no word
of the article is left; the large files are shared then (hard links), and hold numbers of rows that have no passage any
more until the segment is merged with others: compaction.py says when.
"""

import json
import os
import sqlite3
import threading
import weakref
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from rag.index.vectors import Kind, Mask, VectorFile
from rag.models.sources import checksum
from rag.text.dates import PartialDate
from rag.text.records import read_record
from rag.types import Article, Document, Embeddings, Filter, Passage, Tokens

ARTICLES = "articles.sqlite"
TOKENS = "tokens.int8"
VECTORS = "vectors.faiss"
FACTS = "segment.json"
HASHED = 32_000_000
"""Bytes up to which a file is read whole when it is opened, to compare its checksum; of larger ones only the size is
compared, and `rag index --verify` reads them. A damaged page of articles.sqlite is noticed by SQLite itself."""

SCHEMA = """
CREATE TABLE documents (
    id INTEGER PRIMARY KEY, source TEXT NOT NULL UNIQUE, text TEXT NOT NULL, language TEXT NOT NULL,
    script TEXT NOT NULL, date TEXT, title TEXT, checksum TEXT NOT NULL,
    size INTEGER NOT NULL, first INTEGER NOT NULL, count INTEGER NOT NULL
);
CREATE TABLE passages (
    id INTEGER PRIMARY KEY, document INTEGER NOT NULL REFERENCES documents(id), text TEXT NOT NULL,
    "start" INTEGER NOT NULL, "end" INTEGER NOT NULL, language TEXT NOT NULL, script TEXT NOT NULL,
    tokens_start INTEGER NOT NULL, tokens_end INTEGER NOT NULL
);
CREATE TABLE languages (language TEXT PRIMARY KEY, rows BLOB NOT NULL);
"""
SELECT_DOCUMENT = "SELECT source, text, language, script, date, title, checksum FROM documents"
SELECT_PASSAGES = """
SELECT d.source, p.text, p."start", p."end", p.language, p.script, d.date, d.title
FROM passages p JOIN documents d ON d.id = p.document
"""


@dataclass(frozen=True, slots=True)
class SegmentFacts:
    """What a segment says of itself."""

    articles: int
    passages: int
    rows: int
    """Vectors; more than passages where articles were removed."""
    kind: Kind
    encoder: dict[str, Any]
    """What `Encoder.describe()` said."""
    passage_tokens: int
    files: dict[str, tuple[int, str]]
    """Of each other file, its bytes and its SHA-256 in hexadecimal."""

    @classmethod
    def read(cls, segment: Path) -> Self:
        """Raises OSError, ValueError."""
        return read_record(cls, segment / FACTS)

    def write(self, segment: Path) -> None:
        """Raises OSError."""
        (segment / FACTS).write_text(json.dumps(asdict(self), ensure_ascii=False, indent=1), encoding="utf-8")

    def find_damage(self, segment: Path, whole: bool) -> str | None:
        """Which file is not as it was written; `whole` reads large ones too. Raises OSError."""
        if self.files.keys() != {ARTICLES, TOKENS, VECTORS}:
            return f"{FACTS} does not name the files of a segment"
        for name, (size, digest) in self.files.items():
            if (segment / name).stat().st_size != size:
                return f"{name} has not its size"
            if (whole or size <= HASHED) and checksum(segment / name) != digest:
                return f"{name} does not match its checksum"
        return None


class Segment:
    """An opened segment, read only. Safe to use from several threads; it stays readable when its files are removed."""

    def __init__(self, folder: Path, token_shape: tuple[int, int]) -> None:
        """Open the segment in `folder`. Raises OSError, ValueError, sqlite3.Error."""
        self.folder = folder
        self.facts = SegmentFacts.read(folder)
        self._token_shape = token_shape
        self._lock = threading.Lock()
        if damage := self.facts.find_damage(folder, whole=False):
            raise ValueError(damage)
        self.vectors = VectorFile.open(folder / VECTORS, self.facts.kind)
        if len(self.vectors) != self.facts.rows:
            raise ValueError(f"{VECTORS} holds {len(self.vectors)} vectors, not {self.facts.rows}")
        tokens = os.open(folder / TOKENS, os.O_RDONLY)
        self._tokens = tokens
        self._close_tokens = weakref.finalize(self, os.close, tokens)
        address = f"{(folder / ARTICLES).absolute().as_uri()}?mode=ro&immutable=1"
        self._articles = sqlite3.connect(address, uri=True, check_same_thread=False)
        self._languages = {
            language: np.unpackbits(np.frombuffer(rows, np.uint8), bitorder="little")[: self.facts.rows].astype(bool)
            for language, rows in self.query("SELECT language, rows FROM languages ORDER BY language")
        }
        self.live: Mask = np.zeros(self.facts.rows, dtype=bool)
        """Which rows have a passage."""
        for rows in self._languages.values():
            self.live |= rows
        if self.live.sum() != self.facts.passages:
            raise ValueError(f"{ARTICLES} holds {self.live.sum()} passages, not {self.facts.passages}")

    @property
    def languages(self) -> list[str]:
        """Those that its passages are in, by ISO 639-1."""
        return list(self._languages)

    def query(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """All that a statement gives. Raises sqlite3.Error."""
        with self._lock:
            return self._articles.execute(statement, values).fetchall()

    def find_rows(self, among: Filter) -> Mask:
        """Which rows have a passage that a filter lets through."""
        rows = self.live
        if among.languages:
            rows = np.zeros_like(self.live)
            for language in set(among.languages) & self._languages.keys():
                rows |= self._languages[language]
        conditions: list[tuple[str, Sequence[str]]] = [
            _match_sources(among.sources),
            # A date known to the year or the month is the beginning of each of its days, and sorts before all of them.
            ("date <= ?", [str(PartialDate.parse(among.until).last_day)] if among.until else ()),
            ("date || '~' >= ?", [str(PartialDate.parse(among.since).first_day)] if among.since else ()),
        ]
        used = [(condition, values) for condition, values in conditions if values]
        if not used:
            return rows
        where = " AND ".join(f"({condition})" for condition, _ in used)
        spans = self.query(
            f"SELECT first, first + count FROM documents WHERE {where}",  # noqa: S608 - of the conditions above alone
            *(value for _, values in used for value in values),
        )
        edges = np.zeros(len(rows) + 1, dtype=np.int32)
        firsts, ends = np.array(spans, dtype=np.int64).reshape(-1, 2).T
        np.add.at(edges, firsts, 1)
        np.add.at(edges, ends, -1)
        return np.asarray(rows & (np.cumsum(edges[:-1]) > 0))

    def find_sources(self, named: Sequence[str]) -> list[str]:
        """The sources of its documents that names and patterns of them stand for."""
        where, values = _match_sources(named)
        found = self.query(f"SELECT source FROM documents WHERE {where}", *values)  # noqa: S608 - of no words of others
        return [source for (source,) in found]

    def read_rows(self, size: int) -> Iterator[tuple[list[int], list[tuple[str, str, str | None]]]]:
        """All rows with a passage, `size` at a time, and the language, source and date of each."""
        last = -1
        while found := self.query(
            "SELECT p.id, p.language, d.source, d.date FROM passages p JOIN documents d ON d.id = p.document "
            "WHERE p.id > ? ORDER BY p.id LIMIT ?",
            last,
            size,
        ):
            yield [row for row, *_ in found], [(language, source, date) for _, language, source, date in found]
            last = found[-1][0]

    def read_passage(self, row: int) -> Passage:
        """The passage of a row."""
        return Passage(*self.query(f"{SELECT_PASSAGES} WHERE p.id = ?", row)[0])

    def read_tokens(self, row: int) -> Tokens:
        """The tokens of the passage of a row."""
        ((start, end),) = self.query("SELECT tokens_start, tokens_end FROM passages WHERE id = ?", row)
        return self._read_tokens(start, end)

    def read_document(self, source: str) -> Document | None:
        """The document of that source, or None."""
        found = self.query(f"{SELECT_DOCUMENT} WHERE source = ?", source)
        return Document(*found[0]) if found else None

    def read_passages(self, source: str) -> list[Passage]:
        """A document's passages in order."""
        passages = self.query(f"{SELECT_PASSAGES} WHERE d.source = ? ORDER BY p.id", source)
        return [Passage(*passage) for passage in passages]

    def read_embeddings(self, source: str) -> Embeddings:
        """What the encoder made of a document's passages, in order."""
        rows = self.query(
            "SELECT p.id, tokens_start, tokens_end FROM passages p JOIN documents d ON d.id = p.document "
            "WHERE d.source = ? ORDER BY p.id",
            source,
        )
        vectors = self.vectors.read(np.array([row for row, _, _ in rows], dtype=np.int64))
        return Embeddings(vectors, tuple(self._read_tokens(start, end) for _, start, end in rows))

    def list_articles(self) -> Iterator[Article]:
        """What is known of its documents."""
        listed = self.query("SELECT source, language, script, date, title, size, count FROM documents")
        return (Article(*facts) for facts in listed)

    def list_checksums(self) -> list[tuple[str, str, int]]:
        """Of each document its source, the SHA-256 of its file, and how many passages it has."""
        return self.query("SELECT source, checksum, count FROM documents ORDER BY id")

    def close(self) -> None:
        """Let go of the files."""
        self._articles.close()
        self._close_tokens()

    def find_damage(self) -> str | None:
        """Which of its files is not as it was written, large ones read whole too. Raises OSError."""
        return self.facts.find_damage(self.folder, whole=True)

    def read_bytes(self, start: int, end: int) -> bytes:
        """Tokens as they are in the file. Raises OSError."""
        return os.pread(self._tokens, end - start, start)

    def _read_tokens(self, start: int, end: int) -> Tokens:
        return np.frombuffer(self.read_bytes(start, end), dtype=np.int8).reshape(-1, *self._token_shape)


def _match_sources(named: Sequence[str]) -> tuple[str, list[str]]:
    """A condition for the sources that names and patterns of them stand for, and its values."""
    patterns = [name for name in named if any(sign in name for sign in "*?[")]
    conditions = [f"source IN ({', '.join('?' * len(named))})", *["source GLOB ?"] * len(patterns)]
    return " OR ".join(conditions), [*named, *patterns]
