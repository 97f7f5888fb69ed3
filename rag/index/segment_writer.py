"""Write segments, from documents and embeddings or from other segments without the articles that were removed."""

import os
import shutil
import sqlite3
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO, Self

import numpy as np

from rag.index.manifest import choose_segment_folder, flush
from rag.index.segment import ARTICLES, SCHEMA, TOKENS, VECTORS, Segment, SegmentInfo
from rag.index.vectors import write_vectors
from rag.models.sources import checksum
from rag.types import Document, Embeddings, Passage, Vectors

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
    """Writes one segment: add documents with their passages, then finish it or discard it.

    Every method raises OSError or sqlite3.Error if a file cannot be written.
    """

    def __init__(self, folder: Path, dimension: int, articles: sqlite3.Connection, tokens: BinaryIO) -> None:
        self.folder = folder
        self.rows = 0
        self._articles = articles
        self._tokens = tokens
        self._vectors: list[Vectors] = [np.empty((0, dimension), np.float32)]
        self._documents = 0

    @classmethod
    def create(cls, index: Path, dimension: int) -> Self:
        """Create the files of a new segment of the index in the folder `index`."""
        folder = choose_segment_folder(index)
        folder.mkdir(parents=True)
        with ExitStack() as opened:
            tokens = opened.enter_context((folder / TOKENS).open("wb"))
            writer = cls(folder, dimension, _create_articles(folder), tokens)
            opened.pop_all()
        return writer

    def add(self, document: Document, size: int, passages: int) -> None:
        """Add a document whose file has `size` bytes, and whose passages, so many, are added by `extend`."""
        self._documents += 1
        facts = (document.source, document.text, document.language, document.script, document.date, document.title)
        self._articles.execute(INSERT_DOCUMENT, (self._documents, *facts, document.checksum, size, self.rows, passages))

    def extend(self, passages: Sequence[Passage], embeddings: Embeddings) -> None:
        """Add passages of the document that was added last, with their embeddings."""
        rows = []
        for row, (p, tokens) in enumerate(zip(passages, embeddings.tokens, strict=True), start=self.rows):
            start = self._tokens.tell()
            self._tokens.write(tokens.tobytes())
            facts = (p.text, p.start, p.end, p.language, p.script)
            rows.append((row, self._documents, *facts, start, self._tokens.tell()))
        self._articles.executemany(INSERT_PASSAGE, rows)
        self._vectors.append(embeddings.vectors)
        self.rows += len(rows)

    def copy(self, segment: Segment, removed: Collection[str]) -> None:
        """Add the articles of a segment except those whose sources are in `removed`."""
        kept: list[int] = []
        for *facts, count, number in segment.query(COPY_DOCUMENTS):
            if facts[0] in removed:
                continue
            self._documents += 1
            self._articles.execute(INSERT_DOCUMENT, (self._documents, *facts, self.rows, count))
            rows = segment.query(COPY_PASSAGES, number)
            kept += [row for *_, row in rows]
            self._copy_passages(segment, rows)
        self._vectors.append(segment.vectors.read(np.array(kept, dtype=np.int64)))

    def _copy_passages(self, segment: Segment, rows: Sequence[tuple[Any, ...]]) -> None:
        """Copy the passages of one document, whose tokens are contiguous."""
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
        """Write the remaining files and flush all to disk; up to `exact` vectors are searched one by one."""
        _complete_articles(self._articles, self.rows)
        self._articles.close()
        self._tokens.close()
        # Joined as late as possible, because memory holds the vectors twice meanwhile.
        vectors, self._vectors = np.concatenate(self._vectors), []
        layout = write_vectors(vectors, self.folder / VECTORS, exact)
        files = _describe_files(self.folder, (ARTICLES, TOKENS, VECTORS))
        info = SegmentInfo(self._documents, self.rows, self.rows, layout, dict(encoder), passage_tokens, files)
        info.write(self.folder)
        flush(self.folder)

    def discard(self) -> None:
        """Close and remove the files."""
        self._articles.close()
        with suppress(OSError):  # Closing flushes the buffer, which may fail as well.
            self._tokens.close()
        shutil.rmtree(self.folder, ignore_errors=True)


@dataclass(slots=True)
class Selection:
    """A segment, and the articles in it that the next generation leaves out."""

    segment: Segment
    removed: set[str] = field(default_factory=set)
    """The sources of the articles that are left out."""
    passages: int = 0
    """The number of passages of the articles that are kept."""

    def write(self, index: Path) -> Path:
        """Return the folder of a segment, of the index in the folder `index`, without any text of removed articles.

        Its rows are those of the old segment, which is returned unchanged if no article is removed. Raises OSError,
        sqlite3.Error.
        """
        return _strip(self.segment, self.removed, choose_segment_folder(index)) if self.removed else self.segment.folder


def _strip(segment: Segment, removed: Collection[str], target: Path) -> Path:
    target.mkdir(parents=True)
    try:
        for name in (TOKENS, VECTORS):
            _link_or_copy(segment.folder / name, target / name)
        articles, passages = _strip_articles(segment.folder / ARTICLES, removed, segment.info.rows, target)
        files = {**segment.info.files, **_describe_files(target, [ARTICLES])}
        replace(segment.info, articles=articles, passages=passages, files=files).write(target)
        flush(target)
    except BaseException:
        shutil.rmtree(target, ignore_errors=True)
        raise
    return target


def _strip_articles(source: Path, removed: Collection[str], rows: int, target: Path) -> tuple[int, int]:
    """Write the articles that are kept, and return how many they are and how many passages they have."""
    with closing(_create_articles(target)) as articles:
        articles.execute("ATTACH ? AS old", (f"{source.absolute().as_uri()}?mode=ro&immutable=1",))
        articles.execute("CREATE TEMP TABLE removed (source TEXT PRIMARY KEY)")
        articles.executemany("INSERT INTO removed VALUES (?)", ((one,) for one in removed))
        articles.execute(
            "INSERT INTO main.documents SELECT * FROM old.documents WHERE source NOT IN removed ORDER BY id"
        )
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
    # No journal is needed: nobody reads the file before it is complete and flushed.
    settings = "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA temp_store = MEMORY;"
    try:
        articles.executescript(f"{settings} {SCHEMA}")
    except BaseException:
        articles.close()
        raise
    return articles


def _complete_articles(articles: sqlite3.Connection, rows: int) -> None:
    """Write which rows are in which language, create the SQL indexes, and commit."""
    masks: dict[str, np.ndarray[Any, np.dtype[np.bool_]]] = {}
    for row, language in articles.execute("SELECT id, language FROM main.passages ORDER BY id"):
        masks.setdefault(language, np.zeros(rows, dtype=bool))[row] = True
    packed = [(language, np.packbits(mask, bitorder="little").tobytes()) for language, mask in masks.items()]
    articles.executemany("INSERT INTO main.languages VALUES (?, ?)", packed)
    # Creating an index at the end is quicker than updating it with each passage.
    articles.execute("CREATE INDEX main.passages_by_document ON passages(document)")
    # This one covers what filters and updates read of all documents, so that they need not page through the texts.
    articles.execute("CREATE INDEX main.documents_by_date ON documents(date, source, first, count, checksum)")
    articles.commit()


def _describe_files(folder: Path, names: Iterable[str]) -> dict[str, tuple[int, str]]:
    """Return the size and the checksum of each file."""
    return {name: ((folder / name).stat().st_size, checksum(folder / name)) for name in names}


def _link_or_copy(source: Path, target: Path) -> None:
    """Create a hard link, or a copy where the file system does not support links."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
