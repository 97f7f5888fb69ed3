"""Articles to segments, and segments to others without what is gone."""

import os
import shutil
import sqlite3
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from rag.index.manifest import flush, name_segment
from rag.index.segment import ARTICLES, SCHEMA, TOKENS, VECTORS, Segment, SegmentFacts
from rag.index.vectors import write_vectors
from rag.models.sources import checksum
from rag.types import Document, Embeddings, Passage, Vectors

FILES = (ARTICLES, TOKENS, VECTORS)
INSERT_DOCUMENT = "INSERT INTO documents VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
INSERT_PASSAGE = "INSERT INTO passages VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
COPY_DOCUMENTS = (
    "SELECT source, text, language, script, date, title, checksum, size, count, id FROM documents ORDER BY id"
)
COPY_PASSAGES = """
SELECT text, "start", "end", language, script, tokens_start, tokens_end, id
FROM passages WHERE document = ? ORDER BY id
"""


class SegmentWriter:
    """A segment being written: add documents with their passages, then finish it, or discard it.

    Every method raises OSError or sqlite3.Error when it cannot be written.
    """

    def __init__(self, folder: Path, dimension: int) -> None:
        """Begin a segment of the index in `folder`."""
        self.folder = name_segment(folder)
        self.folder.mkdir(parents=True)
        self._articles = _create_articles(self.folder)
        self._tokens: BinaryIO = (self.folder / TOKENS).open("wb")
        self._vectors: list[Vectors] = [np.empty((0, dimension), np.float32)]
        self._documents = 0
        self.rows = 0

    def add(self, document: Document, size: int, passages: int) -> None:
        """Add a document whose file has `size` bytes; so many passages follow."""
        self._documents += 1
        facts = (document.source, document.text, document.language, document.script, document.date, document.title)
        self._articles.execute(INSERT_DOCUMENT, (self._documents, *facts, document.checksum, size, self.rows, passages))

    def extend(self, passages: Sequence[Passage], encodings: Embeddings) -> None:
        """Add passages of the document that was added last, and what the encoder made of them."""
        rows = []
        for row, (p, tokens) in enumerate(zip(passages, encodings.tokens, strict=True), start=self.rows):
            start = self._tokens.tell()
            self._tokens.write(tokens.tobytes())
            facts = (p.text, p.start, p.end, p.language, p.script)
            rows.append((row, self._documents, *facts, start, self._tokens.tell()))
        self._articles.executemany(INSERT_PASSAGE, rows)
        self._vectors.append(encodings.vectors)
        self.rows += len(rows)

    def copy(self, segment: Segment, gone: Collection[str]) -> None:
        """Add all that a segment holds but the articles that are gone."""
        kept: list[int] = []
        for *facts, count, number in segment.query(COPY_DOCUMENTS):
            if facts[0] in gone:
                continue
            self._documents += 1
            self._articles.execute(INSERT_DOCUMENT, (self._documents, *facts, self.rows, count))
            rows = segment.query(COPY_PASSAGES, number)
            kept += [row for *_, row in rows]
            self._copy_passages(segment, rows)
        self._vectors.append(segment.vectors.read(np.array(kept, dtype=np.int64)))

    def _copy_passages(self, segment: Segment, rows: Sequence[tuple[Any, ...]]) -> None:
        """Those of one document, whose tokens lie one after the other."""
        if not rows:
            return
        first, end = rows[0][5], rows[-1][6]
        shift = self._tokens.tell() - first
        self._tokens.write(segment.read_bytes(first, end))
        self._articles.executemany(
            INSERT_PASSAGE,
            (
                (self.rows + n, self._documents, *facts, start + shift, end + shift)
                for n, (*facts, start, end, _) in enumerate(rows)
            ),
        )
        self.rows += len(rows)

    def finish(self, encoder: Mapping[str, object], passage_tokens: int, exact: int) -> None:
        """Write the rest; up to `exact` vectors are searched one by one. It is on disk then."""
        _complete_articles(self._articles, self.rows)
        self._tokens.close()
        # Joined where they are needed, so that they are in memory but twice.
        vectors, self._vectors = np.concatenate(self._vectors), []
        kind = write_vectors(vectors, self.folder / VECTORS, exact)
        files = _measure(self.folder, FILES)
        SegmentFacts(self._documents, self.rows, self.rows, kind, dict(encoder), passage_tokens, files).write(
            self.folder
        )
        flush(self.folder)

    def discard(self) -> None:
        """Leave no trace of it."""
        self._articles.close()
        with suppress(OSError):  # What it still held back cannot be written either.
            self._tokens.close()
        shutil.rmtree(self.folder, ignore_errors=True)


@dataclass(slots=True)
class Part:
    """A segment, and which articles in it are gone."""

    segment: Segment
    gone: set[str] = field(default_factory=set)
    passages: int = 0
    """Those of the articles that stay."""

    def write(self, folder: Path) -> Path:
        """A segment of the index in `folder` with the same rows, but not a word of the articles that are gone.

        It is the old one where none is gone. Raises OSError, sqlite3.Error.
        """
        return _strip(self.segment, self.gone, name_segment(folder)) if self.gone else self.segment.folder


def _strip(segment: Segment, gone: Collection[str], target: Path) -> Path:
    target.mkdir(parents=True)
    try:
        for name in (TOKENS, VECTORS):
            _share(segment.folder / name, target / name)
        articles, passages = _strip_articles(segment.folder / ARTICLES, gone, segment.facts.rows, target)
        files = {**segment.facts.files, **_measure(target, [ARTICLES])}
        replace(segment.facts, articles=articles, passages=passages, files=files).write(target)
        flush(target)
    except BaseException:
        shutil.rmtree(target, ignore_errors=True)
        raise
    return target


def _strip_articles(source: Path, gone: Collection[str], rows: int, target: Path) -> tuple[int, int]:
    """Write the articles that stay; how many they are, and their passages."""
    with closing(_create_articles(target)) as articles:
        articles.execute("ATTACH ? AS old", (f"{source.absolute().as_uri()}?mode=ro&immutable=1",))
        articles.execute("CREATE TEMP TABLE gone (source TEXT PRIMARY KEY)")
        articles.executemany("INSERT INTO gone VALUES (?)", ((one,) for one in gone))
        articles.execute("INSERT INTO main.documents SELECT * FROM old.documents WHERE source NOT IN gone ORDER BY id")
        articles.execute(
            "INSERT INTO main.passages SELECT p.* FROM old.passages p JOIN main.documents d ON d.id = p.document "
            "ORDER BY p.id"
        )
        ((documents, passages),) = articles.execute(
            "SELECT count(*), (SELECT count(*) FROM main.passages) FROM main.documents"
        ).fetchall()
        _complete_articles(articles, rows)
    return documents, passages


def _create_articles(folder: Path) -> sqlite3.Connection:
    articles = sqlite3.connect(f"{(folder / ARTICLES).absolute().as_uri()}?mode=rwc", uri=True)
    # Nobody reads it before it is whole, and it is flushed then. What is temporary stays in memory.
    articles.executescript(f"PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA temp_store = MEMORY; {SCHEMA}")
    return articles


def _complete_articles(articles: sqlite3.Connection, rows: int) -> None:
    """Note which rows are in which language, and close."""
    masks: dict[str, np.ndarray[Any, np.dtype[np.bool_]]] = {}
    for row, language in articles.execute("SELECT id, language FROM main.passages ORDER BY id"):
        masks.setdefault(language, np.zeros(rows, dtype=bool))[row] = True
    packed = [(language, np.packbits(mask, bitorder="little").tobytes()) for language, mask in masks.items()]
    articles.executemany("INSERT INTO main.languages VALUES (?, ?)", packed)
    # Made at the end, which is quicker than with each passage, and needed where an article is read or copied.
    articles.execute("CREATE INDEX main.passages_by_document ON passages(document)")
    # What filters and updates ask of all documents, so that they need not go through the texts.
    articles.execute("CREATE INDEX main.documents_by_date ON documents(date, source, first, count, checksum)")
    articles.commit()
    articles.close()


def _measure(folder: Path, names: Iterable[str]) -> dict[str, tuple[int, str]]:
    return {name: ((folder / name).stat().st_size, checksum(folder / name)) for name in names}


def _share(source: Path, target: Path) -> None:
    """The same file under another name; where the disk cannot do that, a copy."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
