"""Documents in batches that are encoded together, the next being read meanwhile, and how far it is to the end."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from rag.types import Document, Passage, Progress


@dataclass(slots=True)
class Batch:
    """Documents that are encoded together, so that passages of like length can share a batch of the encoder's."""

    articles: list[tuple[Document, int, list[Passage]]] = field(default_factory=list)
    """With the bytes of their files."""
    passages: int = 0
    left: int = 0
    """Bytes of the files that are to be read after it."""


class Estimate:
    """Says how far encoding is, and how far it is to go by the bytes that are not read yet."""

    def __init__(self, progress: Progress | None) -> None:
        self.report = self._tell if progress else None
        self.done = 0
        self._progress = progress
        self._passages = self._bytes = self._total = 0

    def begin(self, batch: Batch) -> None:
        """Count a batch in."""
        self._passages += batch.passages
        self._bytes += sum(size for _, size, _ in batch.articles)
        self._total = self._passages + round(batch.left * self._passages / self._bytes)

    def _tell(self, done: int, _: int) -> None:
        if self._progress:
            self._progress(self.done + done, self._total)


def read_ahead(batches: Iterator[Batch]) -> Iterator[Batch]:
    """The same, the next one being read in a thread while one is made use of."""
    with ThreadPoolExecutor(max_workers=1) as thread:
        coming = thread.submit(next, batches, None)
        while batch := coming.result():
            coming = thread.submit(next, batches, None)
            yield batch
