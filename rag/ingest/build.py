"""Build an index over a corpus, or bring it up to date: only new and changed files are read and encoded.

`build_locked` shows a build from start to end. A build may be killed at any moment: manifest.py explains why.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict, dataclass
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from rag.config import Config
from rag.encoding.load import load_encoder
from rag.errors import DocumentError, IndexBusy, IndexMissing, StoreError
from rag.generation.cache import PassageCache
from rag.index.index import Index
from rag.index.index_writer import IndexWriter
from rag.index.manifest import LOCK, read_paths, remove_unused_files
from rag.index.merging import MergePolicy
from rag.index.milvus import open_store
from rag.ingest.batches import Batch, ProgressEstimate, read_ahead, read_batches
from rag.ingest.changes import Changes
from rag.ingest.documents import Skipped
from rag.ingest.splitting import cut, prepare
from rag.protocols import Encoder
from rag.text.plurals import count_noun
from rag.types import Document, Passage, Progress

MAX_REASONS = 3
"""The maximum number of skipped files for which an error message gives the reasons."""


@dataclass(frozen=True, slots=True)
class Summary:
    """The result of a build."""

    index: str
    new: int
    changed: int
    unchanged: int
    removed: int
    kept: tuple[Skipped, ...]
    """Articles whose files can no longer be read; the index keeps them as they were."""
    skipped: tuple[Skipped, ...]
    incomplete: tuple[Skipped, ...]
    """New and changed articles of which a part could not be read."""
    passages: int

    def __str__(self) -> str:
        """Return one line, such as `5 files: 1 new, 1 changed, 2 unchanged, 1 removed; 63 passages in “default”`."""
        counts = {name: getattr(self, name) for name in ("new", "changed", "unchanged", "removed")}
        counts |= {"kept": len(self.kept), "skipped": len(self.skipped)}
        total = sum(counts.values())
        parts = ", ".join(f"{number} {name}" for name, number in counts.items() if number)
        return f"{count_noun(total, 'file')}: {parts}; {count_noun(self.passages, 'passage')} in “{self.index}”"

    def as_dict(self) -> dict[str, Any]:
        """Return the fields as plain JSON."""
        return asdict(self)


def build_index(
    paths: Sequence[Path] = (),
    config: Config | None = None,
    encoder: Encoder | None = None,
    rebuild: bool = False,
    progress: Progress | None = None,
    policy: MergePolicy | None = None,
) -> Summary:
    """Build the configured index over `paths`, or bring it up to date.

    Without paths, those of the last build are used, and the configured corpus for the first build. With `rebuild`,
    nothing of the old index is reused. The old index answers questions until the new one is complete, and stays in use
    if the build is interrupted; the next build then resumes it. Memory is bounded by `MergePolicy.batch`, not by the
    size of the corpus. Raises DocumentError, IndexBusy, IndexMismatch, IndexDamaged, StoreError, ModelError.
    """
    config = config or Config.from_env()
    with lock_index(config.indexes / config.index):
        return build_locked(paths, config, encoder, rebuild, progress, policy)


def build_locked(
    paths: Sequence[Path], config: Config, encoder: Encoder | None, rebuild: bool, progress: Progress | None,
    policy: MergePolicy | None = None,
) -> Summary:  # fmt: skip
    """Build like `build_index`, for a caller that already holds the lock of the index.

    Raises the same errors, except IndexBusy.
    """
    folder = config.indexes / config.index
    with ExitStack() as stack:
        old = None if rebuild else _open_current(folder)
        if old:
            stack.callback(old.close)
        encoder = encoder or load_encoder(config, old.projection if old else None, corpus=True)
        if old:
            old.check(encoder.describe(), config.passage_tokens)
        paths = [path.resolve() for path in paths] or _recall_paths(config)
        summary, dropped = _Build(config, encoder, old, policy or MergePolicy()).run(paths, progress)
        if old and dropped:
            _forget_passages(config, old, dropped)
        _publish(config)
        return summary


class _Build:
    """One build of a locked index."""

    def __init__(self, config: Config, encoder: Encoder, old: Index | None, policy: MergePolicy) -> None:
        self._config = config
        self._encoder = encoder
        self._old = old
        self._policy = policy

    def run(self, paths: Sequence[Path], progress: Progress | None) -> tuple[Summary, set[str]]:
        """Write the next generation, and switch to it unless nothing has changed.

        Returns a summary, and the sources of the articles of the old generation that were removed or replaced.
        """
        folder = self._config.indexes / self._config.index
        made_with = (self._encoder, self._config.passage_tokens)
        known = self._old.read_checksums() if self._old else {}
        with IndexWriter(folder, self._encoder.dimension, self._old, self._policy) as writer:
            changes = Changes(known, staged=writer.resume(*made_with))
            changes.scan(paths)
            estimate = ProgressEstimate(progress)
            for batch in read_ahead(read_batches(changes, self._split, self._policy.batch)):
                self._encode(batch, writer, estimate)
                writer.seal(*made_with)
            if not changes.present:
                raise DocumentError(_describe_empty_corpus(paths, changes))
            if self._old and not self._differs(changes, paths):
                # An interrupted build may have left segments or, if it had switched already, the previous generation.
                remove_unused_files(folder)
                return _summarise(self._config.index, changes, self._old.manifest.passages), set()
            writer.keep(changes.wanted)
            manifest = writer.commit(*made_with, paths)
        return _summarise(self._config.index, changes, manifest.passages), changes.dropped

    def _split(self, document: Document) -> list[Passage]:
        limit = min(self._config.passage_tokens, self._encoder.max_tokens)
        return cut(document, limit, self._encoder.count_tokens)

    def _encode(self, batch: Batch, writer: IndexWriter, estimate: ProgressEstimate) -> None:
        """Encode a batch in one call, or in several if it is a single article of many passages."""
        estimate.begin(batch)
        limit = 2 * self._policy.batch
        if batch.passages > limit:
            ((document, size, passages),) = batch.articles
            writer.begin(document, size, len(passages))
            for start in range(0, len(passages), limit):
                part = passages[start : start + limit]
                read = [prepare(document, passage) for passage in part]
                writer.extend(part, self._encoder.encode(read, "passage", estimate.report))
                estimate.done += len(part)
            return
        texts = [prepare(document, p) for document, _, passages in batch.articles for p in passages]
        embeddings = self._encoder.encode(texts, "passage", estimate.report)
        estimate.done += len(texts)
        ends = list(accumulate((len(passages) for _, _, passages in batch.articles), initial=0))
        for (document, size, passages), span in zip(batch.articles, pairwise(ends), strict=True):
            writer.add(document, size, passages, embeddings.take(slice(*span)))

    def _differs(self, changes: Changes, paths: Sequence[Path]) -> bool:
        """Return whether the new generation would differ from the old one."""
        same_paths = self._old is not None and list(self._old.manifest.paths) == [str(path) for path in paths]
        return bool(changes.encoded or changes.removed) or not same_paths


def _summarise(index: str, changes: Changes, passages: int) -> Summary:
    encoded = changes.encoded
    changed = len(encoded & changes.known.keys())
    return Summary(
        index=index,
        new=len(encoded) - changed,
        changed=changed,
        unchanged=len(changes.present) - len(encoded) - len(changes.kept),
        removed=len(changes.removed),
        kept=tuple(sorted(changes.kept, key=_get_source)),
        skipped=tuple(sorted(changes.skipped, key=_get_source)),
        incomplete=tuple(sorted(changes.incomplete, key=_get_source)),
        passages=passages,
    )


def _get_source(skipped: Skipped) -> str:
    return skipped.source


def _describe_empty_corpus(paths: Sequence[Path], changes: Changes) -> str:
    reasons = "".join(f" {one.source}: {one.reason}" for one in changes.skipped[:MAX_REASONS])
    folders = ", ".join(map(str, paths))
    return f"There is no article in {folders}. Name another folder; the index was left unchanged.{reasons}"


def _open_current(folder: Path) -> Index | None:
    try:
        return Index.open(folder)
    except IndexMissing:
        return None


def _recall_paths(config: Config) -> list[Path]:
    """Return the paths of the last build, or the configured corpus for the first build."""
    try:
        return read_paths(config.indexes / config.index)
    except IndexMissing:
        return [config.corpus.resolve()]


def _forget_passages(config: Config, old: Index, sources: set[str]) -> None:
    """Remove the generator's cached states for passages of these articles that the index no longer contains."""
    cache = PassageCache(config)
    if not cache.count():
        return
    before = {p.text for source in sources for p in old.read_passages(source)}
    with closing(Index.open(config.indexes / config.index)) as new:
        after = {p.text for source in sources for p in new.read_passages(source)}
    cache.forget(before - after)


def _publish(config: Config) -> None:
    """Copy the current generation to the configured vector store, if any. Until then it is searched in this process."""
    if store := open_store(config):
        with closing(store), closing(Index.open(config.indexes / config.index)) as index:
            store.publish(index)


@contextmanager
def lock_index(folder: Path) -> Iterator[None]:
    """Hold the build lock of the index in `folder`.

    Raises IndexBusy if another process holds it, and StoreError if the folder cannot be written to.
    """
    lock = FileLock(folder / LOCK, blocking=False)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout:
        raise IndexBusy(
            f"Another process is building the index “{folder.name}”. Wait until it has finished, then try again."
        ) from None
    except OSError as error:
        raise StoreError(
            f"Nothing can be written to {folder}: {error}. Fix its permissions, or set RAG_INDEXES to another folder."
        ) from error
    try:
        yield
    finally:
        lock.release()
