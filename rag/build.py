"""Corpus to index: only what is new or has changed is read and encoded, and what is gone is removed."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field, replace
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from rag.config import Config
from rag.documents import File, Skipped, read, walk
from rag.errors import DocumentError, IndexBusy, IndexMissing, StoreError
from rag.generations import read_paths, remove_leftovers
from rag.index import Draft, Index
from rag.passages import cut
from rag.ray_encoder import load_encoder
from rag.types import Document, Encoder, Encodings, Passage, Progress

LOCK = "BUILDING"


@dataclass(frozen=True, slots=True)
class Summary:
    """What a build did."""

    index: str
    new: int
    changed: int
    unchanged: int
    removed: int
    kept: tuple[Skipped, ...]
    """Articles that cannot be read any more: what was read of them before stays."""
    skipped: tuple[Skipped, ...]
    passages: int

    def __str__(self) -> str:
        """One line, such as `5 files: 1 new, 1 changed, 2 unchanged, 1 removed; 63 passages`."""
        counts = {name: getattr(self, name) for name in ("new", "changed", "unchanged", "removed")}
        counts |= {"kept": len(self.kept), "skipped": len(self.skipped)}
        told = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
        return f"{sum(counts.values())} files: {told}; {self.passages} passages in “{self.index}”"

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON with the same fields."""
        return asdict(self)


def build_index(
    paths: Sequence[Path] = (),
    config: Config | None = None,
    encoder: Encoder | None = None,
    rebuild: bool = False,
    progress: Progress | None = None,
) -> Summary:
    """Build the configured index over `paths`, or bring it up to date.

    Without paths, those of the last build are taken, and the configured corpus the first time. With `rebuild`,
    nothing of the old index is used. The old index answers until the new one is whole, and goes on doing so
    when the build is stopped. Raises DocumentError, IndexBusy, IndexMismatch, IndexDamaged, ModelError.
    """
    config = config or Config.from_env()
    folder = config.indexes / config.index
    with _lock(folder), ExitStack() as stack:
        old = None if rebuild else _open_old(folder)
        if old:
            stack.callback(old.close)
        encoder = encoder or load_encoder(config, old.projection if old else None)
        return _Build(folder, config, encoder, old).run(paths, progress)


@dataclass(slots=True)
class _Corpus:
    """What there is to be indexed."""

    sizes: dict[str, int] = field(default_factory=dict)
    """Source of every article → bytes of its file."""
    documents: dict[str, Document] = field(default_factory=dict)
    """Those of them that are new or have changed."""
    kept: list[Skipped] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)


class _Build:
    """One run over a locked index folder."""

    def __init__(self, folder: Path, config: Config, encoder: Encoder, old: Index | None) -> None:
        if old:
            old.check(encoder.describe(), config.passage_tokens)
        self.folder = folder
        self.config = config
        self.encoder = encoder
        self.old = old
        self.known = {file["source"]: file for file in self.old.manifest.files} if self.old else {}

    def run(self, paths: Sequence[Path], progress: Progress | None) -> Summary:
        """Read what is there, encode what is new, write both beside the old generation, and switch."""
        paths = [path.resolve() for path in paths] or self._recall_paths()
        corpus = self._read(paths)
        if not corpus.sizes:
            where = ", ".join(map(str, paths))
            raise DocumentError(f"There is no article in {where}. Name another folder; the index was left as it was.")
        summary = self._summarise(corpus)
        if self.old and not (summary.new or summary.changed or summary.removed) and self._built_over(paths):
            # One that was killed just after its switch left the generation before.
            remove_leftovers(self.folder)
            return replace(summary, passages=self.old.manifest.passages)
        passages = {document.source: self._split(document) for document in corpus.documents.values()}
        encodings = self._encode(passages, progress)
        with Draft(self.folder, self.encoder.dimension) as draft:
            for source, size in sorted(corpus.sizes.items()):
                if document := corpus.documents.get(source):
                    draft.add(document, size, passages[source], encodings[source])
                else:
                    self._take_over(source, size, draft)
            manifest = draft.commit(self.encoder, self.config.passage_tokens, paths)
        return replace(summary, passages=manifest.passages)

    def _read(self, paths: Sequence[Path]) -> "_Corpus":
        """Walk over the corpus, and read what the old index does not know."""
        corpus = _Corpus()
        for entry in walk(paths):
            found = read(entry) if isinstance(entry, File) and not self._knows(entry) else entry
            if isinstance(found, Skipped):
                kept = self._recall(found)
                corpus.kept += kept
                corpus.sizes.update({one.source: self.known[one.source]["size"] for one in kept})
                corpus.skipped += [] if kept else [found]
            elif isinstance(entry, File):
                corpus.sizes[entry.source] = entry.size
                if isinstance(found, Document):
                    corpus.documents[entry.source] = found
        return corpus

    def _knows(self, file: File) -> bool:
        return file.source in self.known and bool(self.known[file.source]["checksum"] == file.checksum)

    def _recall(self, skipped: Skipped) -> list[Skipped]:
        """The known articles in the file or folder that cannot be read any more: no reason to lose them."""
        below = f"{skipped.source}/"
        known = [source for source in self.known if f"{source}/".startswith(below)] if skipped.unreadable else []
        return [replace(skipped, source=source) for source in known]

    def _summarise(self, corpus: "_Corpus") -> Summary:
        changed = sum(source in self.known for source in corpus.documents)
        return Summary(
            index=self.folder.name,
            new=len(corpus.documents) - changed,
            changed=changed,
            unchanged=len(corpus.sizes) - len(corpus.documents) - len(corpus.kept),
            # What is there but holds no article any more is told as skipped.
            removed=len(self.known.keys() - corpus.sizes.keys() - {entry.source for entry in corpus.skipped}),
            kept=tuple(corpus.kept),
            skipped=tuple(corpus.skipped),
            passages=0,
        )

    def _split(self, document: Document) -> list[Passage]:
        limit = min(self.config.passage_tokens, self.encoder.max_tokens)
        return cut(document, limit, self.encoder.count_tokens)

    def _encode(self, passages: Mapping[str, list[Passage]], progress: Progress | None) -> dict[str, Encodings]:
        """All at once, so that passages of like length can share a batch whatever their documents."""
        encodings = self.encoder.encode([p.text for of_one in passages.values() for p in of_one], "passage", progress)
        ends = list(accumulate((len(of_one) for of_one in passages.values()), initial=0))
        return {source: encodings.take(slice(*span)) for source, span in zip(passages, pairwise(ends), strict=True)}

    def _take_over(self, source: str, size: int, draft: Draft) -> None:
        """Add what the old index holds of an article."""
        document = self.old.read_document(source) if self.old else None
        if self.old and document:
            draft.add(document, size, *self.old.read_passages(source))

    def _recall_paths(self) -> list[Path]:
        try:
            return read_paths(self.folder)
        except IndexMissing:
            return [self.config.corpus.resolve()]

    def _built_over(self, paths: Sequence[Path]) -> bool:
        return self.old is not None and list(self.old.manifest.paths) == [str(path) for path in paths]


@contextmanager
def _lock(folder: Path) -> Iterator[None]:
    lock = FileLock(folder / LOCK, blocking=False)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout:
        raise IndexBusy(f"Another process is building the index “{folder.name}”. Wait until it is done.") from None
    except OSError as error:
        raise StoreError(
            f"Nothing can be written to {folder}: {error}. Mend its permissions, or set RAG_INDEXES to another folder."
        ) from error
    try:
        yield
    finally:
        lock.release()


def _open_old(folder: Path) -> Index | None:
    try:
        return Index.open(folder)
    except IndexMissing:
        return None
