"""Write the next generation of an index beside the current one, and switch to it on commit."""

import shutil
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from rag.encoding.projection import save_projection
from rag.errors import StoreError
from rag.index.index import Index
from rag.index.manifest import (
    FORMAT,
    PROJECTION,
    SEGMENTS,
    Manifest,
    choose_generation_folder,
    is_current,
    list_staged_segments,
    record_staged_segments,
    switch_to,
    write_manifest,
)
from rag.index.merging import MergePolicy
from rag.index.segment import SEGMENT_INFO, Segment, SegmentInfo
from rag.index.segment_writer import SegmentWriter, Selection
from rag.models.sources import checksum
from rag.protocols import Encoder
from rag.types import Document, Embeddings, Passage


class IndexWriter:
    """Writes one generation: add documents, then commit.

    Without a commit it leaves only sealed segments, which the next writer can resume with.
    """

    def __init__(
        self, folder: Path, dimension: int, old: Index | None = None, policy: MergePolicy | None = None
    ) -> None:
        """Prepare the generation that follows `old`; `keep` says which articles of `old` it retains."""
        self._folder = folder
        self._dimension = dimension
        self._policy = policy or MergePolicy()
        self._generation = choose_generation_folder(folder)
        self._old = old.segments if old else ()
        self._resumed: list[Segment] = []
        self._sealed: list[Segment] = []
        self._writer: SegmentWriter | None = None
        self._kept: Mapping[str, str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._writer:
            self._writer.discard()
        for segment in (*self._resumed, *self._sealed):
            segment.close()
        if not is_current(self._generation):
            shutil.rmtree(self._generation, ignore_errors=True)

    def resume(self, encoder: Encoder, passage_tokens: int) -> dict[str, str]:
        """Adopt the segments that an interrupted build sealed.

        Segments that are damaged, or were made with another encoder or passage size, are ignored. Returns the sources
        of the articles in the segments, each with the SHA-256 of its file.
        """
        for name in list_staged_segments(self._folder):
            with suppress(OSError, ValueError, sqlite3.Error):
                segment = Segment.open(self._folder / SEGMENTS / name, encoder.projection.token_shape)
                made_with = (segment.info.encoder, segment.info.passage_tokens)
                in_use = any(segment.folder == one.folder for one in self._old)
                if in_use or made_with != (encoder.describe(), passage_tokens) or segment.find_damage():
                    segment.close()
                else:
                    self._resumed.append(segment)
        return {source: digest for segment in self._resumed for source, digest, _ in segment.list_checksums()}

    def keep(self, articles: Mapping[str, str]) -> None:
        """Retain only these articles of the old generation and the resumed segments: source to SHA-256 of its file."""
        self._kept = articles

    def add(self, document: Document, size: int, passages: Sequence[Passage], embeddings: Embeddings) -> None:
        """Add a document with all its passages and their embeddings; `size` is that of its file in bytes.

        Raises StoreError.
        """
        self.begin(document, size, len(passages))
        self.extend(passages, embeddings)

    def begin(self, document: Document, size: int, passages: int) -> None:
        """Add a document of `size` bytes whose passages, so many, are added by `extend`. Raises StoreError."""
        with _translate_errors(self._folder):
            self._writer = self._writer or SegmentWriter.create(self._folder, self._dimension)
            self._writer.add(document, size, passages)

    def extend(self, passages: Sequence[Passage], embeddings: Embeddings) -> None:
        """Add passages of the document that was begun last. Raises StoreError."""
        if not self._writer:
            raise ValueError("Call `begin` before `extend`.")
        with _translate_errors(self._folder):
            self._writer.extend(passages, embeddings)

    def seal(self, encoder: Encoder, passage_tokens: int) -> None:
        """Finish the segment of what was added, so that the next build can resume with it if this one is interrupted.

        Raises StoreError.
        """
        if not self._writer:
            return
        with _translate_errors(self._folder):
            self._writer.finish(encoder.describe(), passage_tokens, self._policy.exact)
            self._sealed.append(Segment.open(self._writer.folder, encoder.projection.token_shape))
            self._writer = None
            staged = [segment.folder.name for segment in (*self._resumed, *self._sealed)]
            record_staged_segments(self._folder, staged)

    def commit(self, encoder: Encoder, passage_tokens: int, paths: Sequence[Path]) -> Manifest:
        """Make this generation the current one, and remove the others. Raises StoreError."""
        self.seal(encoder, passage_tokens)
        with _translate_errors(self._folder):
            folders = self._merge(self._select(), encoder, passage_tokens)
            infos = [SegmentInfo.read(folder) for folder in folders]
            self._generation.mkdir(parents=True)
            save_projection(encoder.projection, self._generation / PROJECTION)
            manifest = Manifest(
                format=FORMAT,
                created=datetime.now(UTC).isoformat(timespec="seconds"),
                encoder=encoder.describe(),
                passage_tokens=passage_tokens,
                paths=tuple(str(path) for path in paths),
                articles=sum(info.articles for info in infos),
                passages=sum(info.passages for info in infos),
                segments={folder.name: checksum(folder / SEGMENT_INFO) for folder in folders},
                projection=checksum(self._generation / PROJECTION),
            )
            write_manifest(manifest, self._generation)
            switch_to(self._generation)
        return manifest

    def _select(self) -> list[Selection]:
        """Return the segments that keep articles, each with what it loses; of two copies the later one is kept."""
        selections: list[Selection] = []
        claimed: set[str] = set()
        for segment in reversed((*self._old, *self._resumed, *self._sealed)):
            kept = None if segment in self._sealed else self._kept
            selection = Selection(segment)
            for source, digest, passages in segment.list_checksums():
                if source in claimed or (kept is not None and kept.get(source) != digest):
                    selection.removed.add(source)
                else:
                    claimed.add(source)
                    selection.passages += passages
            if len(selection.removed) < segment.info.articles:
                selections.insert(0, selection)
        return selections

    def _merge(self, selections: Sequence[Selection], encoder: Encoder, passage_tokens: int) -> list[Path]:
        """Write the segments of this generation, without any text of removed articles, and return their folders."""
        plan = self._policy.plan([(selection.passages, selection.segment.info.rows) for selection in selections])
        merged = {place for group in plan for place in group}
        folders = [one.write(self._folder) for place, one in enumerate(selections) if place not in merged]
        for group in plan:
            self._writer = SegmentWriter.create(self._folder, self._dimension)
            for place in group:
                self._writer.copy(selections[place].segment, selections[place].removed)
            self._writer.finish(encoder.describe(), passage_tokens, self._policy.exact)
            folders.append(self._writer.folder)
            self._writer = None
        return folders


@contextmanager
def _translate_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError, sqlite3.Error) as error:
        raise StoreError(
            f"The index “{folder.name}” cannot be written to {folder}: {error}. "
            "Free some disk space or fix the folder's permissions, then run the command again. The old index is intact."
        ) from error
