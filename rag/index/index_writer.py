"""The next generation of an index, written beside the one in use."""

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
    is_in_use,
    list_staged,
    name_generation,
    note_staged,
    switch_to,
    write_manifest,
)
from rag.index.merging import Policy
from rag.index.segment import FACTS, Segment, SegmentFacts
from rag.index.segment_writer import Part, SegmentWriter
from rag.models.sources import checksum
from rag.protocols import Encoder
from rag.types import Document, Embeddings, Passage


class IndexWriter:
    """A generation being written: add documents, then commit.

    Left without a commit, it leaves no trace but sealed segments, which the next draft can take up.
    """

    def __init__(self, folder: Path, dimension: int, old: Index | None = None, policy: Policy | None = None) -> None:
        """Begin the generation after `old`, of which `keep` says what stays."""
        self._folder = folder
        self._dimension = dimension
        self._policy = policy or Policy()
        self._generation = name_generation(folder)
        self._old = old.segments if old else ()
        self._taken: list[Segment] = []
        self._fresh: list[Segment] = []
        self._writer: SegmentWriter | None = None
        self._wanted: Mapping[str, str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._writer:
            self._writer.discard()
        for segment in (*self._taken, *self._fresh):
            segment.close()
        if not is_in_use(self._generation):
            shutil.rmtree(self._generation, ignore_errors=True)

    def take_up(self, encoder: Encoder, passage_tokens: int) -> dict[str, str]:
        """Find what a build that did not end has sealed: source of each document → SHA-256 of its file.

        What was made in another way or is not whole is left out.
        """
        for name in list_staged(self._folder):
            with suppress(OSError, ValueError, sqlite3.Error):
                segment = Segment(self._folder / SEGMENTS / name, encoder.projection.token_shape)
                made_with = (segment.facts.encoder, segment.facts.passage_tokens)
                in_use = any(segment.folder == one.folder for one in self._old)
                if in_use or made_with != (encoder.describe(), passage_tokens) or segment.find_damage():
                    segment.close()
                else:
                    self._taken.append(segment)
        return {source: digest for segment in self._taken for source, digest, _ in segment.list_checksums()}

    def keep(self, wanted: Mapping[str, str]) -> None:
        """Of what was there before or was taken up, keep these articles, by the checksums of their files."""
        self._wanted = wanted

    def add(self, document: Document, size: int, passages: Sequence[Passage], encodings: Embeddings) -> None:
        """Add one document of `size` bytes, its passages and what the encoder made of them. Raises StoreError."""
        self.begin(document, size, len(passages))
        self.extend(passages, encodings)

    def begin(self, document: Document, size: int, passages: int) -> None:
        """Add one document of `size` bytes, so many passages of which follow. Raises StoreError."""
        with _translate_errors(self._folder):
            self._writer = self._writer or SegmentWriter(self._folder, self._dimension)
            self._writer.add(document, size, passages)

    def extend(self, passages: Sequence[Passage], encodings: Embeddings) -> None:
        """Add passages of the document that was begun last. Raises StoreError."""
        if not self._writer:
            raise ValueError("No document was begun.")
        with _translate_errors(self._folder):
            self._writer.extend(passages, encodings)

    def seal(self, encoder: Encoder, passage_tokens: int) -> None:
        """Have the disk hold what was added, so that the next build finds it if this one does not end.

        Raises StoreError.
        """
        if not self._writer:
            return
        with _translate_errors(self._folder):
            self._writer.finish(encoder.describe(), passage_tokens, self._policy.exact)
            self._fresh.append(Segment(self._writer.folder, encoder.projection.token_shape))
            self._writer = None
            note_staged(self._folder, [segment.folder.name for segment in (*self._taken, *self._fresh)])

    def commit(self, encoder: Encoder, passage_tokens: int, paths: Sequence[Path]) -> Manifest:
        """Make this generation the one in use, and remove the others. Raises StoreError."""
        self.seal(encoder, passage_tokens)
        with _translate_errors(self._folder):
            folders = self._compact(self._list_parts(), encoder, passage_tokens)
            facts = [SegmentFacts.read(folder) for folder in folders]
            self._generation.mkdir(parents=True)
            save_projection(encoder.projection, self._generation / PROJECTION)
            manifest = Manifest(
                format=FORMAT,
                created=datetime.now(UTC).isoformat(timespec="seconds"),
                encoder=encoder.describe(),
                passage_tokens=passage_tokens,
                paths=tuple(str(path) for path in paths),
                articles=sum(one.articles for one in facts),
                passages=sum(one.passages for one in facts),
                segments={folder.name: checksum(folder / FACTS) for folder in folders},
                projection=checksum(self._generation / PROJECTION),
            )
            write_manifest(manifest, self._generation)
            switch_to(self._generation)
        return manifest

    def _list_parts(self) -> list[Part]:
        """What stays of each segment of which something stays. An article that is in two stays in the later one."""
        parts: list[Part] = []
        claimed: set[str] = set()
        for segment in reversed((*self._old, *self._taken, *self._fresh)):
            wanted = None if segment in self._fresh else self._wanted
            part = Part(segment)
            for source, digest, passages in segment.list_checksums():
                if source in claimed or (wanted is not None and wanted.get(source) != digest):
                    part.gone.add(source)
                else:
                    claimed.add(source)
                    part.passages += passages
            if len(part.gone) < segment.facts.articles:
                parts.insert(0, part)
        return parts

    def _compact(self, parts: Sequence[Part], encoder: Encoder, passage_tokens: int) -> list[Path]:
        """The folders of segments that hold what stays, and not a word of anything else."""
        plan = self._policy.plan([(part.passages, part.segment.facts.rows) for part in parts])
        merged = {place for group in plan for place in group}
        folders = [part.write(self._folder) for place, part in enumerate(parts) if place not in merged]
        for group in plan:
            self._writer = SegmentWriter(self._folder, self._dimension)
            for place in group:
                self._writer.copy(parts[place].segment, parts[place].gone)
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
            "Make room or mend the permissions, and run the same command again; the old index is as it was."
        ) from error
