"""Does an index hold its articles, all of them, and nothing else? Counts everything anew, and reads every file."""

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
from rag.index.manifest import find_leftovers, list_indexes, say_rebuild
from rag.index.milvus import MilvusStore, open_store
from rag.index.segment import TOKENS, Segment
from rag.ingest.build import lock_index
from rag.ingest.documents import File, Skipped, read, walk

UPDATE = "Bring the index up to date with `rag index"
NAMED = 3
"""Of remainders that are alike so many are named, and the others counted."""


@dataclass(frozen=True, slots=True)
class Audit:
    """What was counted."""

    index: str
    articles: int
    passages: int
    vectors: int
    segments: int
    wrong: tuple[str, ...]
    """What should not be, a sentence each, with what to do about it."""
    noted: tuple[str, ...]
    """What may be, and should be known."""

    def __str__(self) -> str:
        """One line, such as `5 articles, 63 passages, 63 vectors in 1 segments of “default”: all as it should be`."""
        found = f"{len(self.wrong)} wrong" if self.wrong else "all as it should be"
        counted = f"{self.articles} articles, {self.passages} passages, {self.vectors} vectors"
        return f"{counted} in {self.segments} segments of “{self.index}”: {found}"

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON with the same fields."""
        return asdict(self)


def verify_index(config: Config) -> Audit:
    """Count what the configured index holds, and compare it with itself, with the corpus and with what is kept of it.

    No build goes on meanwhile. Raises IndexMissing, IndexBusy, IndexMismatch, and IndexDamaged for an index that cannot
    be opened; StoreError for a Milvus that cannot be asked.
    """
    folder = config.indexes / config.index
    with closing(Index.open(folder)):  # A missing index is not locked, which would make its folder.
        pass
    with lock_index(folder), closing(Index.open(folder)) as index:
        wrong = [*_check_segments(index), *_check_totals(index), *_check_corpus(index)]
        wrong += [*_check_leftovers(index, folder), *_check_remains(config)]
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
    return int(segment.query(f"SELECT count(*) FROM {table}")[0][0])  # noqa: S608 - a table's name from above


def _check_segments(index: Index) -> Iterator[str]:
    remedy = f"Build it anew: `{say_rebuild(index.name)}`."
    for segment in index.segments:
        for trouble in _examine(segment):
            yield f"In the segment {segment.folder.name}, {trouble}. {remedy}"


def _examine(segment: Segment) -> Iterator[str]:
    """What a segment says of itself against what is in it."""
    facts = segment.facts
    if damage := segment.find_damage():
        yield damage
    counts = {
        "articles": (_count(segment, "documents"), facts.articles),
        "passages": (_count(segment, "passages"), facts.passages),
        "vectors": (len(segment.vectors), facts.rows),
        "passages in a language": (int(segment.live.sum()), facts.passages),
        "passages of all articles": (segment.query("SELECT total(count) FROM documents")[0][0], facts.passages),
    }
    for what, (found, said) in counts.items():
        if found != said:
            yield f"{what} are {found:.0f}, not {said}"
    ((astray,),) = segment.query(
        "SELECT count(*) FROM passages p LEFT JOIN documents d ON d.id = p.document "
        "WHERE d.id IS NULL OR p.id < d.first OR p.id >= d.first + d.count OR p.id >= ? OR p.tokens_end > ? "
        'OR substr(d.text, p."start" + 1, p."end" - p."start") != p.text',
        facts.rows,
        (segment.folder / TOKENS).stat().st_size,
    )
    if astray:
        yield f"{astray} passages do not stand in their article, or have no tokens"


def _check_totals(index: Index) -> Iterator[str]:
    remedy = f"Build it anew: `{say_rebuild(index.name)}`."
    sources = Counter(source for segment in index.segments for source, _, _ in segment.list_checksums())
    for source in (source for source, times in sources.items() if times > 1):
        yield f"{source} is there {sources[source]} times. {remedy}"
    said = (index.manifest.articles, index.manifest.passages)
    if said != (sources.total(), sum(segment.facts.passages for segment in index.segments)):
        yield f"The manifest tells of {said[0]} articles and {said[1]} passages, which are not what there is. {remedy}"


def _check_corpus(index: Index) -> Iterator[str]:
    """The articles against the files that they were read from."""
    known = index.read_checksums()
    update = f"{UPDATE} --index {index.name}`."
    try:
        for entry in walk([Path(path) for path in index.manifest.paths]):
            digest = known.get(entry.source)
            if isinstance(entry, Skipped) and entry.unreadable:
                # It may still be there as it was read before, with all that is below it.
                known = {
                    source: one for source, one in known.items() if not f"{source}/".startswith(f"{entry.source}/")
                }
            elif isinstance(entry, File):
                known.pop(entry.source, None)
                if digest is None and not isinstance(read(entry), Skipped):
                    yield f"{entry.source} is not in the index. {update}"
                elif digest not in (None, entry.checksum):
                    yield f"{entry.source} has changed since it was indexed. {update}"
    except DocumentError as error:
        yield f"The corpus cannot be compared: {error}"
        return
    for source in known:
        yield f"{source} is in the index, and in the corpus there is no such article any more. {update}"


def _check_leftovers(index: Index, folder: Path) -> Iterator[str]:
    for path in find_leftovers(folder):
        yield f"{path} was left by a build that did not end. {UPDATE} --index {index.name}`, which goes on with it."


def _check_remains(config: Config) -> Iterator[str]:
    """What the generator keeps of passages, against the passages of all indexes."""
    remains = PassageCache(config)
    kept = remains.count()
    if not kept:
        return
    for name in list_indexes(config.indexes):
        try:
            with closing(Index.open(config.indexes / name)) as index:
                for segment in index.segments:
                    for (text,) in segment.query("SELECT text FROM passages"):
                        kept.pop(remains.name(text), None)
        except StoreError as error:
            yield f"What the generator keeps cannot be compared with the index “{name}”: {error}"
            return
    if kept:
        named = ", ".join(sorted(kept)[:NAMED]) + (f", and {len(kept) - NAMED} others" if len(kept) > NAMED else "")
        yield (
            f"{kept.total()} files in {remains.states.folder} were computed of passages that are in no index of "
            f"{config.indexes}. They are numbers, not words, and are computed again when they are needed; remove the "
            f"folder, or those that begin with: {named}."
        )


def _note_removed(index: Index) -> Iterator[str]:
    for segment in index.segments:
        if left := segment.facts.rows - segment.facts.passages:
            yield (
                f"The segment {segment.folder.name} holds the numbers, not the words, of {left} passages whose "
                f"articles were removed; they go when it is merged, or now with `{say_rebuild(index.name)}`."
            )


def _check_store(index: Index, store: MilvusStore) -> Iterator[str]:
    for trouble in store.compare(index):
        yield f"The collection of “{index.name}” in Milvus {trouble}. Build it anew: `{say_rebuild(index.name)}`."


def _note_store(index: Index, store: MilvusStore) -> Iterator[str]:
    if not store.holds(index.generation):
        yield (
            "Milvus does not hold this index yet, which is searched in this process. "
            f"Put it there with `rag index --index {index.name}`."
        )
    for collection in store.list_others(index):
        yield (
            f"Milvus keeps the collection {collection} for those who opened the index before its last build: numbers "
            "and names of articles, no words. The next build removes it."
        )
