"""Read the changed files of a corpus in batches that are encoded together, and estimate the progress."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from rag.ingest.changes import Changes
from rag.ingest.documents import Skipped, read
from rag.types import Document, Passage, Progress


@dataclass(slots=True)
class Batch:
    """Documents that are encoded together, so that the encoder can group passages of similar length."""

    articles: list[tuple[Document, int, list[Passage]]] = field(default_factory=list)
    """Each document, the size of its file in bytes, and its passages."""
    passages: int = 0
    left: int = 0
    """The total size in bytes of the files that are read after this batch."""


class ProgressEstimate:
    """Reports the passages encoded so far, with an estimate of their total from the size of the files not yet read."""

    def __init__(self, progress: Progress | None) -> None:
        self.report = self._report if progress else None
        """A Progress to pass to the encoder, or None."""
        self.done = 0
        self._progress = progress
        self._passages = self._bytes = self._total = 0

    def begin(self, batch: Batch) -> None:
        """Include a batch in the estimate before it is encoded."""
        self._passages += batch.passages
        self._bytes += sum(size for _, size, _ in batch.articles)
        self._total = self._passages + round(batch.left * self._passages / self._bytes)

    def _report(self, done: int, _: int) -> None:
        if self._progress:
            self._progress(self.done + done, self._total)


def read_batches(changes: Changes, split: Callable[[Document], list[Passage]], size: int) -> Iterator[Batch]:
    """Read and split the waiting files, and yield them in batches of at least `size` passages; the last may have fewer.

    A document of more than `size` passages gets a batch of its own. Files that cannot be read are skipped.
    """
    batch = Batch(left=sum(file.size for file in changes.waiting))
    for file in changes.waiting:
        batch.left -= file.size
        document = read(file)
        if isinstance(document, Skipped):
            changes.skip(document)
            continue
        changes.add(document)
        passages = split(document)
        if batch.articles and len(passages) > size:
            yield replace(batch, left=batch.left + file.size)
            batch = Batch(left=batch.left)
        batch.articles.append((document, file.size, passages))
        batch.passages += len(passages)
        if batch.passages >= size:
            yield batch
            batch = Batch(left=batch.left)
    if batch.articles:
        yield batch


def read_ahead(batches: Iterator[Batch]) -> Iterator[Batch]:
    """Yield the batches, and read the next one in a thread while the caller processes one."""
    with ThreadPoolExecutor(max_workers=1) as thread:
        following = thread.submit(next, batches, None)
        while batch := following.result():
            following = thread.submit(next, batches, None)
            yield batch
