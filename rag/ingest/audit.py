"""Verify an index: count everything in it, read every file, and compare it with the corpus and the caches."""

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rag.config import Config
from rag.errors import DocumentError, StoreError
from rag.generation.cache import PassageCache
from rag.index.index import Index
from rag.index.manifest import find_unused_files, list_indexes, rebuild_command
from rag.index.milvus import MilvusStore, open_store
from rag.index.segment import TOKENS, Segment
from rag.ingest.build import lock_index
from rag.ingest.documents import File, Skipped, read, walk
from rag.text.plurals import count_noun

MAX_NAMES = 3
"""The maximum number of cached passages that a message names; the others are counted."""


@dataclass(frozen=True, slots=True)
class Audit:
    """The result of a verification."""

    index: str
    articles: int
    passages: int
    vectors: int
    segments: int
    wrong: tuple[str, ...]
    """The problems, each in sentences that name the remedy."""
    noted: tuple[str, ...]
    """Facts that are not problems, but worth knowing."""

    def __str__(self) -> str:
        """Return one line, such as `5 articles, 63 passages, 63 vectors in 1 segment of “default”: nothing wrong`."""
        numbers = {"article": self.articles, "passage": self.passages, "vector": self.vectors}
        counts = ", ".join(count_noun(number, noun) for noun, number in numbers.items())
        segments = count_noun(self.segments, "segment")
        return f"{counts} in {segments} of “{self.index}”: {len(self.wrong) or 'nothing'} wrong"

    def as_dict(self) -> dict[str, Any]:
        """Return the fields as plain JSON."""
        return asdict(self)


def verify_index(config: Config) -> Audit:
    """Verify the configured index while holding its lock, so that no build changes it.

    Raises IndexMissing, IndexBusy, IndexMismatch or IndexDamaged if the index cannot be opened, and StoreError if
    Milvus cannot be queried.
    """
    folder = config.indexes / config.index
    with closing(Index.open(folder)):  # Locking a missing index would create its folder.
        pass
    with lock_index(folder), closing(Index.open(folder)) as index:
        wrong = [*_check_segments(index), *_check_totals(index), *_check_corpus(index)]
        wrong += [*_check_unused_files(index, folder), *_check_passage_cache(config)]
        noted = [*_note_removed(index)]
        if store := open_store(config):
            with closing(store):
                wrong += _check_store(index, store)
                noted += _note_store(index, store)
        return Audit(
            index=index.name,
            articles=sum(_count(segment, "documents") for segment in index.segments),
            passages=sum(_count(segment, "passages") for segment in index.segments),
            vectors=sum(len(segment.vectors) for segment in index.segments),
            segments=len(index.segments),
            wrong=tuple(wrong),
            noted=tuple(noted),
        )


def _count(segment: Segment, table: str) -> int:
    return int(segment.query(f"SELECT count(*) FROM {table}")[0][0])  # noqa: S608 - a constant name


def _check_segments(index: Index) -> Iterator[str]:
    for segment in index.segments:
        for problem in _find_problems(segment):
            yield f"In the segment {segment.folder.name}, {problem}. {_rebuild(index)}"


def _find_problems(segment: Segment) -> Iterator[str]:
    """Yield each difference between a segment's record of itself and its content."""
    info = segment.info
    if damage := segment.find_damage():
        yield damage
    counts = {
        "articles": (_count(segment, "documents"), info.articles),
        "passages": (_count(segment, "passages"), info.passages),
        "vectors": (len(segment.vectors), info.rows),
        "passages with a language": (int(segment.live.sum()), info.passages),
        "passages listed by articles": (segment.query("SELECT total(count) FROM documents")[0][0], info.passages),
    }
    for noun, (found, expected) in counts.items():
        if found != expected:
            yield f"the number of {noun} is {found:.0f} instead of {expected}"
    ((misplaced,),) = segment.query(
        "SELECT count(*) FROM passages p LEFT JOIN documents d ON d.id = p.document "
        "WHERE d.id IS NULL OR p.id < d.first OR p.id >= d.first + d.count OR p.id >= ? OR p.tokens_end > ? "
        'OR substr(d.text, p."start" + 1, p."end" - p."start") != p.text',
        info.rows,
        (segment.folder / TOKENS).stat().st_size,
    )
    if misplaced:
        yield f"the number of passages that are not in the text of their article, or have no tokens, is {misplaced}"


def _check_totals(index: Index) -> Iterator[str]:
    sources = Counter(source for segment in index.segments for source, _, _ in segment.list_checksums())
    for source in (source for source, times in sources.items() if times > 1):
        yield f"{source} is in the index {sources[source]} times. {_rebuild(index)}"
    expected = (index.manifest.articles, index.manifest.passages)
    found = (sources.total(), sum(segment.info.passages for segment in index.segments))
    if expected != found:
        yield (
            f"The manifest lists {count_noun(expected[0], 'article')} and {count_noun(expected[1], 'passage')}, "
            f"but the segments hold {found[0]} and {found[1]}. {_rebuild(index)}"
        )


def _check_corpus(index: Index) -> Iterator[str]:
    """Yield each difference between the articles and the files that they were read from."""
    known = index.read_checksums()
    try:
        for entry in walk([Path(path) for path in index.manifest.paths]):
            digest = known.get(entry.source)
            if isinstance(entry, Skipped) and entry.unreadable:
                # The articles in it may still exist, and builds keep them.
                known = {
                    source: one for source, one in known.items() if not f"{source}/".startswith(f"{entry.source}/")
                }
            elif isinstance(entry, File):
                known.pop(entry.source, None)
                if digest is None and not isinstance(read(entry), Skipped):
                    yield f"{entry.source} is not in the index. {_update(index)}"
                elif digest not in (None, entry.checksum):
                    yield f"{entry.source} has changed since it was indexed. {_update(index)}"
    except DocumentError as error:
        yield f"The index cannot be compared with the corpus: {error}"
        return
    for source in known:
        yield f"{source} is in the index, but no longer in the corpus. {_update(index)}"


def _check_unused_files(index: Index, folder: Path) -> Iterator[str]:
    for path in find_unused_files(folder):
        yield f"{path} was left by an interrupted build. Run `rag index --index {index.name}` to resume it."


def _check_passage_cache(config: Config) -> Iterator[str]:
    """Yield a problem if the generator has cached states for passages that no index contains."""
    cache = PassageCache(config)
    cached = cache.count()
    if not cached:
        return
    for name in list_indexes(config.indexes):
        try:
            with closing(Index.open(config.indexes / name)) as index:
                for segment in index.segments:
                    for (text,) in segment.query("SELECT text FROM passages"):
                        cached.pop(cache.name(text), None)
        except StoreError as error:
            yield f"The generator's cache cannot be compared with the index “{name}”: {error}"
            return
    if cached:
        names = ", ".join(sorted(cached)[:MAX_NAMES])
        more = f", and {len(cached) - MAX_NAMES} others" if len(cached) > MAX_NAMES else ""
        yield (
            f"{cache.states.folder} holds {count_noun(cached.total(), 'file')} computed from passages that no index in "
            f"{config.indexes} contains. Such files hold numbers, not text, and are made again when they are needed. "
            f"Remove the folder, or the files whose names begin with: {names}{more}."
        )


def _note_removed(index: Index) -> Iterator[str]:
    for segment in index.segments:
        if removed := segment.info.rows - segment.info.passages:
            yield (
                f"The segment {segment.folder.name} still holds the vectors, not the text, of "
                f"{count_noun(removed, 'passage')} whose articles were removed. They are deleted when the segment is "
                "merged. To delete them now, run "
                f"`{rebuild_command(index.name)}`."
            )


def _check_store(index: Index, store: MilvusStore) -> Iterator[str]:
    for problem in store.compare(index):
        yield f"The collection of “{index.name}” in Milvus {problem}. {_rebuild(index)}"


def _note_store(index: Index, store: MilvusStore) -> Iterator[str]:
    if not store.holds(index.generation):
        yield (
            "Milvus does not hold the current generation of this index, so it is searched in this process. "
            f"Run `rag index --index {index.name}` to copy it to Milvus."
        )
    for collection in store.list_others(index):
        yield (
            f"Milvus keeps the collection {collection} for processes that opened the index before its last build. It "
            "holds vectors and the names of articles, not their text. The next build removes it."
        )


def _rebuild(index: Index) -> str:
    return f"Rebuild the index with `{rebuild_command(index.name)}`."


def _update(index: Index) -> str:
    return f"Update the index with `rag index --index {index.name}`."
