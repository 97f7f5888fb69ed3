"""Corpus to index: only what is new or has changed is read and encoded, and what is gone is removed."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict, dataclass, field, replace
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
from rag.index.manifest import read_paths, remove_leftovers
from rag.index.merging import Policy
from rag.index.milvus import open_store
from rag.ingest.batches import Batch, Estimate, read_ahead
from rag.ingest.documents import File, Skipped, read, walk
from rag.ingest.splitting import cut
from rag.protocols import Encoder
from rag.types import Document, Passage, Progress

LOCK = "BUILDING"
NAMED = 3
"""Files that an error tells the reasons of, at most."""


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
    policy: Policy | None = None,
) -> Summary:
    """Build the configured index over `paths`, or bring it up to date.

    Without paths, those of the last build are taken, and the configured corpus the first time. With `rebuild`,
    nothing of the old index is used. The old index answers until the new one is whole, and goes on doing so
    when the build is stopped; the next build goes on where that one was. Memory is bounded by `Policy.batch`, not by
    the corpus. Raises DocumentError, IndexBusy, IndexMismatch, IndexDamaged, StoreError, ModelError.
    """
    config = config or Config.from_env()
    with lock_index(config.indexes / config.index):
        return build_locked(paths, config, encoder, rebuild, progress, policy)


def build_locked(
    paths: Sequence[Path], config: Config, encoder: Encoder | None, rebuild: bool, progress: Progress | None,
    policy: Policy | None = None,
) -> Summary:  # fmt: skip
    """The same for who holds the lock of the index and has something else to do under it. Raises what it raises."""
    folder = config.indexes / config.index
    with ExitStack() as stack:
        old = None if rebuild else _open_old(folder)
        if old:
            stack.callback(old.close)
        encoder = encoder or load_encoder(config, old.projection if old else None, corpus=True)
        summary = _Build(folder, config, encoder, old, policy or Policy()).run(paths, progress)
        _publish(config)
        return summary


@dataclass(slots=True)
class _Corpus:
    """What there is to be indexed."""

    wanted: dict[str, str] = field(default_factory=dict)
    """Source of every article that is indexed already → SHA-256 of its file."""
    waiting: list[File] = field(default_factory=list)
    """What has to be read."""
    read: set[str] = field(default_factory=set)
    """Sources of the articles that were read."""
    kept: list[Skipped] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)


class _Build:
    """One run over a locked index folder."""

    def __init__(self, folder: Path, config: Config, encoder: Encoder, old: Index | None, policy: Policy) -> None:
        if old:
            old.check(encoder.describe(), config.passage_tokens)
        self.folder = folder
        self.config = config
        self.encoder = encoder
        self.old = old
        self.policy = policy
        self.known = old.read_checksums() if old else {}
        self.staged: Mapping[str, str] = {}
        self.corpus = _Corpus()

    def run(self, paths: Sequence[Path], progress: Progress | None) -> Summary:
        """Read what is there, encode what is new, write both beside the old generation, and switch."""
        paths = [path.resolve() for path in paths] or self._recall_paths()
        made_with = (self.encoder, self.config.passage_tokens)
        with IndexWriter(self.folder, self.encoder.dimension, self.old, self.policy) as draft:
            self.staged = draft.take_up(*made_with)
            self._look_around(paths)
            estimate = Estimate(progress)
            for batch in read_ahead(self._read()):
                self._encode(batch, draft, estimate)
                draft.seal(*made_with)
            if not self.corpus.wanted and not self.corpus.read:
                where = ", ".join(map(str, paths))
                reasons = "".join(f" {one.source}: {one.reason}" for one in self.corpus.skipped[:NAMED])
                raise DocumentError(
                    f"There is no article in {where}. Name another folder; the index was left as it was.{reasons}"
                )
            summary = self._summarise()
            if self.old and not (summary.new or summary.changed or summary.removed) and self._built_over(paths):
                # One that was killed left what it had written, or just after its switch the generation before.
                remove_leftovers(self.folder)
                return replace(summary, passages=self.old.manifest.passages)
            draft.keep(self.corpus.wanted)
            manifest = draft.commit(*made_with, paths)
        self._forget_removed()
        return replace(summary, passages=manifest.passages)

    def _look_around(self, paths: Sequence[Path]) -> None:
        """Walk over the corpus, and note what has to be read."""
        for entry in walk(paths):
            if isinstance(entry, Skipped):
                self._pass_over(entry)
            elif entry.checksum in (self.known.get(entry.source), self.staged.get(entry.source)):
                self.corpus.wanted[entry.source] = entry.checksum
            else:
                self.corpus.waiting.append(entry)

    def _pass_over(self, skipped: Skipped) -> None:
        """The known articles in a file or folder that cannot be read any more stay: no reason to lose them."""
        below = f"{skipped.source}/"
        known = [source for source in self.known if f"{source}/".startswith(below)] if skipped.unreadable else []
        self.corpus.kept += [replace(skipped, source=source) for source in known]
        self.corpus.wanted.update({source: self.known[source] for source in known})
        self.corpus.skipped += [] if known else [skipped]

    def _read(self) -> Iterator[Batch]:
        """What is new, read and split, in batches of like size."""
        batch = Batch(left=sum(file.size for file in self.corpus.waiting))
        for file in self.corpus.waiting:
            batch.left -= file.size
            found = read(file)
            if isinstance(found, Skipped):
                self._pass_over(found)
                continue
            self.corpus.read.add(file.source)
            passages = self._split(found)
            if batch.articles and len(passages) > self.policy.batch:
                # One that is a batch by itself, and perhaps too large to be encoded in one go.
                yield replace(batch, left=batch.left + file.size)
                batch = Batch(left=batch.left)
            batch.articles.append((found, file.size, passages))
            batch.passages += len(passages)
            if batch.passages >= self.policy.batch:
                yield batch
                batch = Batch(left=batch.left)
        if batch.articles:
            yield batch

    def _split(self, document: Document) -> list[Passage]:
        limit = min(self.config.passage_tokens, self.encoder.max_tokens)
        return cut(document, limit, self.encoder.count_tokens)

    def _encode(self, batch: Batch, draft: IndexWriter, estimate: Estimate) -> None:
        """Encode a batch all at once, but the passages of an article that is larger than a batch in several goes."""
        estimate.begin(batch)
        most = 2 * self.policy.batch
        if batch.passages > most:
            ((document, size, passages),) = batch.articles
            draft.begin(document, size, len(passages))
            for start in range(0, len(passages), most):
                part = passages[start : start + most]
                draft.extend(part, self.encoder.encode([p.text for p in part], "passage", estimate.report))
                estimate.done += len(part)
            return
        texts = [p.text for _, _, passages in batch.articles for p in passages]
        encodings = self.encoder.encode(texts, "passage", estimate.report)
        estimate.done += len(texts)
        ends = list(accumulate((len(passages) for _, _, passages in batch.articles), initial=0))
        for (document, size, passages), span in zip(batch.articles, pairwise(ends), strict=True):
            draft.add(document, size, passages, encodings.take(slice(*span)))

    def _summarise(self) -> Summary:
        corpus = self.corpus
        taken = {source for source, digest in corpus.wanted.items() if self.known.get(source) != digest}
        encoded = corpus.read | taken
        changed = len(encoded & self.known.keys())
        there = corpus.wanted.keys() | corpus.read
        return Summary(
            index=self.folder.name,
            new=len(encoded) - changed,
            changed=changed,
            unchanged=len(there) - len(encoded) - len(corpus.kept),
            # What is there but holds no article any more is told as skipped.
            removed=len(self.known.keys() - there - {entry.source for entry in corpus.skipped}),
            kept=tuple(sorted(corpus.kept, key=_source_of)),
            skipped=tuple(sorted(corpus.skipped, key=_source_of)),
            passages=0,
        )

    def _forget_removed(self) -> None:
        """Let go of what the generator keeps of passages that went with their articles."""
        gone = [source for source, digest in self.known.items() if self.corpus.wanted.get(source) != digest]
        remains = PassageCache(self.config)
        if not self.old or not gone or not remains.count():
            return
        texts = {p.text for source in gone for p in self.old.read_passages(source)}
        with closing(Index.open(self.folder)) as new:
            still = {p.text for source in gone for p in new.read_passages(source)}
        remains.forget(texts - still)

    def _recall_paths(self) -> list[Path]:
        try:
            return read_paths(self.folder)
        except IndexMissing:
            return [self.config.corpus.resolve()]

    def _built_over(self, paths: Sequence[Path]) -> bool:
        return self.old is not None and list(self.old.manifest.paths) == [str(path) for path in paths]


def _publish(config: Config) -> None:
    """Have the generation in use searched where it is to be; until then it is searched in the process that asks."""
    if store := open_store(config):
        with closing(store), closing(Index.open(config.indexes / config.index)) as index:
            store.publish(index)


def _source_of(skipped: Skipped) -> str:
    return skipped.source


@contextmanager
def lock_index(folder: Path) -> Iterator[None]:
    """Keep other builders of the index in `folder` out. Raises IndexBusy, StoreError."""
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
