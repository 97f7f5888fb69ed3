"""A segment: a folder of articles with their embeddings, in files that are written once.

    articles.sqlite     documents and passages; the id of a passage is the row of its vector
    tokens.int8         the token vectors of the passages, one passage after the other
    vectors.faiss       the vectors of the passages
    segment.json        what the segment holds, how it was made, and the checksums of the other files: see SegmentInfo

Articles are removed by writing a new segment whose `articles.sqlite` lacks them, so none of their text remains. This is
quick for a segment of any size, because the new segment shares the large files by hard links. These keep the vectors of
removed passages, in rows that no passage refers to, until the segment is merged: merging.py says when.
"""

import json
import os
import sqlite3
import threading
import weakref
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from rag.index.vectors import Layout, Mask, VectorFile
from rag.models.sources import checksum
from rag.text.dates import PartialDate
from rag.text.records import read_record
from rag.types import Article, Document, Embeddings, Filter, Passage, Tokens

ARTICLES = "articles.sqlite"
TOKENS = "tokens.int8"
VECTORS = "vectors.faiss"
SEGMENT_INFO = "segment.json"
MAX_HASHED_BYTES = 32_000_000
"""The largest file that is compared with its checksum when the segment is opened. Of larger ones only the size is
compared, and `rag index --verify` reads them; SQLite itself notices a damaged page of articles.sqlite."""

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
class SegmentInfo:
    """What a segment holds and how it was made; the fields of segment.json."""

    articles: int
    passages: int
    rows: int
    """The number of vectors, which exceeds that of passages where articles were removed."""
    kind: Layout
    encoder: dict[str, Any]
    """The result of `Encoder.describe()`."""
    passage_tokens: int
    files: dict[str, tuple[int, str]]
    """The name of each other file, with its size in bytes and its SHA-256 in hexadecimal."""

    @classmethod
    def read(cls, segment: Path) -> Self:
        """Read segment.json in the segment's folder. Raises OSError, ValueError."""
        return read_record(cls, segment / SEGMENT_INFO)

    def write(self, segment: Path) -> None:
        """Write segment.json into the segment's folder. Raises OSError."""
        text = json.dumps(asdict(self), ensure_ascii=False, indent=1)
        (segment / SEGMENT_INFO).write_text(text, encoding="utf-8")

    def find_damage(self, segment: Path, thorough: bool) -> str | None:
        """Return which file was changed since it was written, or None; `thorough` reads large files too.

        Raises OSError.
        """
        if self.files.keys() != {ARTICLES, TOKENS, VECTORS}:
            return f"{SEGMENT_INFO} does not list the files of a segment"
        for name, (size, digest) in self.files.items():
            found = (segment / name).stat().st_size
            if found != size:
                return f"{name} has {found} bytes, not {size}"
            if (thorough or size <= MAX_HASHED_BYTES) and checksum(segment / name) != digest:
                return f"{name} does not match its checksum"
        return None


class Segment:
    """An opened segment, read-only. Safe to use from several threads; it stays readable when its files are removed."""

    def __init__(
        self, folder: Path, info: SegmentInfo, token_shape: tuple[int, int], vectors: VectorFile, tokens: int,
        articles: sqlite3.Connection, languages: dict[str, Mask],
    ) -> None:  # fmt: skip
        """Store the opened files: `tokens` is a file descriptor, `languages` the rows in each language."""
        self.folder = folder
        self.info = info
        self.vectors = vectors
        self.live: Mask = np.zeros(info.rows, dtype=bool)
        """Which rows hold a passage."""
        for rows in languages.values():
            self.live |= rows
        self._token_shape = token_shape
        self._tokens = tokens
        self._articles = articles
        self._languages = languages
        self._lock = threading.Lock()
        # Readers may share an index, so the files are closed by whoever comes first: `close` or the garbage collector.
        self._close = weakref.finalize(self, _close_files, tokens, articles)

    @classmethod
    def open(cls, folder: Path, token_shape: tuple[int, int]) -> Self:
        """Open the segment in `folder`. Raises OSError, ValueError, sqlite3.Error."""
        info = SegmentInfo.read(folder)
        if damage := info.find_damage(folder, thorough=False):
            raise ValueError(damage)
        vectors = VectorFile.open(folder / VECTORS, info.kind)
        if len(vectors) != info.rows:
            raise ValueError(f"{VECTORS} holds {len(vectors)} vectors, not {info.rows}")
        with ExitStack() as opened:
            tokens = os.open(folder / TOKENS, os.O_RDONLY)
            opened.callback(os.close, tokens)
            address = f"{(folder / ARTICLES).absolute().as_uri()}?mode=ro&immutable=1"
            articles = sqlite3.connect(address, uri=True, check_same_thread=False)
            opened.callback(articles.close)
            segment = cls(folder, info, token_shape, vectors, tokens, articles, _read_languages(articles, info.rows))
            opened.pop_all()
        if (passages := int(segment.live.sum())) != info.passages:
            segment.close()
            raise ValueError(f"{ARTICLES} holds {passages} passages, not {info.passages}")
        return segment

    @property
    def languages(self) -> list[str]:
        """The ISO 639-1 codes of the languages of the passages."""
        return list(self._languages)

    def query(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Return all rows that an SQL statement selects from articles.sqlite. Raises sqlite3.Error."""
        with self._lock:
            return self._articles.execute(statement, values).fetchall()

    def find_rows(self, among: Filter) -> Mask:
        """Return a mask of the rows whose passages pass the filter."""
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
            f"SELECT first, first + count FROM documents WHERE {where}",  # noqa: S608 - the values are bound
            *(value for _, values in used for value in values),
        )
        edges = np.zeros(len(rows) + 1, dtype=np.int32)
        firsts, ends = np.array(spans, dtype=np.int64).reshape(-1, 2).T
        np.add.at(edges, firsts, 1)
        np.add.at(edges, ends, -1)
        return np.asarray(rows & (np.cumsum(edges[:-1]) > 0))

    def find_sources(self, patterns: Sequence[str]) -> list[str]:
        """Return the sources that equal one of the names or match one of the patterns."""
        where, values = _match_sources(patterns)
        found = self.query(f"SELECT source FROM documents WHERE {where}", *values)  # noqa: S608 - the values are bound
        return [source for (source,) in found]

    def read_rows(self, size: int) -> Iterator[tuple[list[int], list[tuple[str, str, str | None]]]]:
        """Yield all rows that hold a passage, `size` at a time, with the (language, source, date) of each."""
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
        """Return the passage of a row."""
        return Passage(*self.query(f"{SELECT_PASSAGES} WHERE p.id = ?", row)[0])

    def read_tokens(self, row: int) -> Tokens:
        """Return the token vectors of the passage of a row."""
        ((start, end),) = self.query("SELECT tokens_start, tokens_end FROM passages WHERE id = ?", row)
        return self._read_tokens(start, end)

    def read_document(self, source: str) -> Document | None:
        """Return the document of that source, or None if the segment does not hold it."""
        found = self.query(f"{SELECT_DOCUMENT} WHERE source = ?", source)
        return Document(*found[0]) if found else None

    def read_passages(self, source: str) -> list[Passage]:
        """Return the passages of a document in order; none if the segment does not hold it."""
        passages = self.query(f"{SELECT_PASSAGES} WHERE d.source = ? ORDER BY p.id", source)
        return [Passage(*passage) for passage in passages]

    def read_embeddings(self, source: str) -> Embeddings:
        """Return the embeddings of a document's passages in order; none if the segment does not hold it."""
        rows = self.query(
            "SELECT p.id, tokens_start, tokens_end FROM passages p JOIN documents d ON d.id = p.document "
            "WHERE d.source = ? ORDER BY p.id",
            source,
        )
        vectors = self.vectors.read(np.array([row for row, _, _ in rows], dtype=np.int64))
        return Embeddings(vectors, tuple(self._read_tokens(start, end) for _, start, end in rows))

    def list_articles(self) -> Iterator[Article]:
        """Yield a description of each document."""
        listed = self.query("SELECT source, language, script, date, title, size, count FROM documents")
        return (Article(*facts) for facts in listed)

    def list_checksums(self) -> list[tuple[str, str, int]]:
        """Return the source of each document, the SHA-256 of its file, and its number of passages."""
        return self.query("SELECT source, checksum, count FROM documents ORDER BY id")

    def close(self) -> None:
        """Close the files."""
        self._close()

    def find_damage(self) -> str | None:
        """Return which file was changed since it was written, or None; reads all files. Raises OSError."""
        return self.info.find_damage(self.folder, thorough=True)

    def read_bytes(self, start: int, end: int) -> bytes:
        """Return the bytes of tokens.int8 from `start` to `end`. Raises OSError."""
        return os.pread(self._tokens, end - start, start)

    def _read_tokens(self, start: int, end: int) -> Tokens:
        return np.frombuffer(self.read_bytes(start, end), dtype=np.int8).reshape(-1, *self._token_shape)


def _match_sources(patterns: Sequence[str]) -> tuple[str, list[str]]:
    """Return an SQL condition for sources that equal a name or match a pattern, and the values to bind."""
    globs = [pattern for pattern in patterns if any(sign in pattern for sign in "*?[")]
    # Each is compared as a name too, because file names may contain these signs.
    conditions = [f"source IN ({', '.join('?' * len(patterns))})", *["source GLOB ?"] * len(globs)]
    return " OR ".join(conditions), [*patterns, *globs]


def _read_languages(articles: sqlite3.Connection, rows: int) -> dict[str, Mask]:
    """Return a mask of the rows in each language. Raises sqlite3.Error."""
    return {
        language: np.unpackbits(np.frombuffer(packed, np.uint8), bitorder="little")[:rows].astype(bool)
        for language, packed in articles.execute("SELECT language, rows FROM languages ORDER BY language")
    }


def _close_files(tokens: int, articles: sqlite3.Connection) -> None:
    os.close(tokens)
    articles.close()
