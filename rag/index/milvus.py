"""Nearest-neighbour search by Milvus: a vector store outside this process. Only this module imports pymilvus.

Each generation of an index has a collection of its own, which is not written to once it is complete. The alias of the
index points to the collection that was completed last. The segments on disk hold everything that a collection does, so
a collection can always be recreated, and a generation without one is searched in this process.
"""

import hashlib
import json
import logging
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Self

from rag.config import Config, say_install
from rag.errors import StoreError
from rag.index.index import Index
from rag.text.dates import PartialDate
from rag.text.plurals import count_noun
from rag.types import Filter, Vectors

if TYPE_CHECKING:
    from pymilvus import MilvusClient  # type: ignore[import-untyped]

EXACT = 50_000
"""The maximum number of vectors that a search compares one by one; for more, Milvus chooses the method (AUTOINDEX)."""
BATCH = 1000
"""The number of passages per request."""
TIMEOUT_SECONDS = 60.0
MAX_HITS = 16_384
"""The maximum number of hits that Milvus returns for one search."""
MAX_SOURCE_BYTES = 4096
FILE_OPTIONS = {"grpc_options": {"grpc.keepalive_time_ms": 2**31 - 1}}
"""Turns off keepalive pings, which pymilvus sends every ten seconds. milvus-lite drops clients that ping so often, even
in the middle of a call. It needs no pings, because it runs as long as this process."""
UNDATED = (99_999_999, 0)
"""The first and the last day of an undated article: later and earlier than any date, so that no period matches."""


def open_store(config: Config) -> "MilvusStore | None":
    """Return the vector store of the configured index, or None if RAG_MILVUS is not set. Raises StoreError."""
    if not config.milvus:
        return None
    if find_spec("pymilvus") is None:
        raise StoreError(
            "RAG_MILVUS is set, but the pymilvus package is not installed. "
            f"{say_install('milvus', 'milvus-lite pymilvus')}"
        )
    return MilvusStore.connect(config.milvus, config.milvus_token, config.index)


class MilvusStore:
    """A VectorStore in a Milvus server, or in a file by milvus-lite. Safe to use from several threads."""

    def __init__(self, client: "MilvusClient", uri: str, alias: str) -> None:
        self._client = client
        self._uri = uri
        self._alias = alias
        self._complete: set[str] = set()
        """The collections that were found complete; complete collections do not change."""

    @classmethod
    def connect(cls, uri: str, token: str | None, index: str) -> Self:
        """Connect to the store of an index; `uri` is `http://host:19530` or the path of a file. Raises StoreError."""
        from pymilvus import MilvusClient

        # pymilvus logs the traceback of each error that is raised here as one sentence.
        logging.getLogger("pymilvus").setLevel(logging.CRITICAL)
        options = FILE_OPTIONS if uri.endswith(".db") else {}
        with _translate_errors(uri):
            client = MilvusClient(uri, token=token or "", timeout=TIMEOUT_SECONDS, **options)
            return cls(client, uri, _make_alias(index))

    def holds(self, generation: str) -> bool:
        """Return whether the generation has a complete collection. Raises StoreError.

        The alias points to the last complete one, so an unknown collection counts as complete only if it is that.
        """
        collection = self._name_collection(generation)
        if collection not in self._complete:
            with _translate_errors(self._uri):
                if collection != self._find_current():
                    return False
            self._complete.add(collection)
        return True

    def publish(self, index: Index) -> None:
        """Store an opened generation, and remove the collections older than the one before it. Raises StoreError."""
        if self.holds(index.generation):
            return
        collection = self._name_collection(index.generation)
        with _translate_errors(self._uri):
            if self._client.has_collection(collection):
                # An interrupted build left it incomplete.
                self._client.drop_collection(collection)
            self._create(collection, index)
            for rows, vectors, facts in index.read_rows(BATCH):
                self._client.insert(collection, _write(rows, vectors, facts))
            self._client.flush(collection)
            self._client.load_collection(collection)
            self._check_count(collection, index)
            previous = self._find_current()
            switch = self._client.alter_alias if previous else self._client.create_alias
            switch(collection, self._alias)
            # Processes that opened the previous generation go on searching its collection.
            self._remove_except(collection, previous)

    def search(
        self, generation: str, vector: Vectors, count: int, among: Filter, sources: Sequence[str] | None
    ) -> list[tuple[int, float]]:
        """Return the rows of the `count` passages nearest to a unit vector, best first, with their cosines.

        `sources` are the sources that match the filter's names and patterns, or None for all. Raises StoreError.
        """
        condition, count = write_condition(among, sources), min(count, MAX_HITS)
        with _translate_errors(self._uri):
            (hits,) = self._client.search(
                self._name_collection(generation), [vector], condition, limit=count, output_fields=[]
            )
        found = [(int(hit["row"]), float(hit["distance"])) for hit in hits]
        return sorted(found, key=lambda hit: (-hit[1], hit[0]))

    def compare(self, index: Index) -> Iterator[str]:
        """Yield each difference between an opened generation and its collection; none if there is no collection.

        The differences are predicates, such as “lacks 2 passages of the index”. Raises StoreError.
        """
        if not self.holds(index.generation):
            return
        expected = {
            row: source
            for rows, _, facts in index.read_rows(BATCH)
            for row, (_, source, _) in zip(rows, facts, strict=True)
        }
        with _translate_errors(self._uri):
            found = dict(self._read_sources(self._name_collection(index.generation)))
        wrong = {row for row, source in found.items() if expected.get(row) != source}
        if wrong:
            yield f"holds {count_noun(len(wrong), 'passage')} not in the index"
        if missing := expected.keys() - found.keys():
            yield f"lacks {count_noun(len(missing), 'passage')} of the index"

    def list_others(self, index: Index) -> list[str]:
        """Return the sorted names of the collections of the index's other generations. Raises StoreError."""
        with _translate_errors(self._uri):
            return sorted({*self._list_own()} - {self._name_collection(index.generation)})

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def _read_sources(self, collection: str) -> Iterator[tuple[int, str]]:
        rows = self._client.query_iterator(collection, batch_size=BATCH, output_fields=["row", "source"])
        while found := rows.next():
            yield from ((int(one["row"]), str(one["source"])) for one in found)
        rows.close()

    def _create(self, collection: str, index: Index) -> None:
        from pymilvus import DataType

        fields = self._client.create_schema(auto_id=False, enable_dynamic_field=False)
        fields.add_field("row", DataType.INT64, is_primary=True)
        fields.add_field("vector", DataType.FLOAT_VECTOR, dim=index.projection.directions.shape[1])
        fields.add_field("language", DataType.VARCHAR, max_length=8)
        fields.add_field("source", DataType.VARCHAR, max_length=MAX_SOURCE_BYTES)
        fields.add_field("first_day", DataType.INT64)
        fields.add_field("last_day", DataType.INT64)
        kind = "FLAT" if index.manifest.passages <= EXACT else "AUTOINDEX"
        searched = self._client.prepare_index_params()
        searched.add_index("vector", index_type=kind, metric_type="IP")
        self._client.create_collection(collection, schema=fields, index_params=searched, consistency_level="Strong")

    def _check_count(self, collection: str, index: Index) -> None:
        (counted,) = self._client.query(collection, output_fields=["count(*)"])
        if counted["count(*)"] != index.manifest.passages:
            raise StoreError(
                f"Milvus at {self._uri} holds {count_noun(counted['count(*)'], 'passage')} of “{index.name}” "
                f"instead of {index.manifest.passages}. Run `rag index --index {index.name}` again."
            )

    def _find_current(self) -> str | None:
        """Return the collection that the alias points to, or None if there is no alias."""
        from pymilvus import MilvusException

        try:
            return str(self._client.describe_alias(self._alias)["collection_name"])
        except MilvusException:
            # pymilvus cannot check whether an alias exists. If the cause is another, such as no server, this raises.
            self._client.list_collections()
            return None

    def _remove_except(self, *kept: str | None) -> None:
        """Remove all collections of the index except these."""
        for collection in {*self._list_own()} - {*kept}:
            self._client.drop_collection(collection)
            self._complete.discard(collection)

    def _list_own(self) -> list[str]:
        pattern = rf"{self._alias}_\d{{8}}T\d{{6}}_[0-9a-f]{{8}}"
        return [name for name in self._client.list_collections() if re.fullmatch(pattern, name)]

    def _name_collection(self, generation: str) -> str:
        return f"{self._alias}_{generation.replace('-', '_')}"


def write_condition(among: Filter, sources: Sequence[str] | None) -> str:
    """Return a filter as a Milvus expression; `sources` are the sources that match its names and patterns, or None."""
    conditions = []
    if among.languages:
        conditions.append(f"language in {json.dumps(list(among.languages))}")
    if sources is not None:
        conditions.append(f"source in {json.dumps(list(sources), ensure_ascii=False)}")
    if among.since:
        conditions.append(f"last_day >= {_read_days(among.since)[0]}")
    if among.until:
        conditions.append(f"first_day <= {_read_days(among.until)[1]}")
    return " and ".join(conditions)


def _write(
    rows: Sequence[int], vectors: Vectors, facts: Sequence[tuple[str, str, str | None]]
) -> list[dict[str, object]]:
    written: list[dict[str, object]] = []
    for row, vector, (language, source, date) in zip(rows, vectors, facts, strict=True):
        first_day, last_day = _read_days(date) if date else UNDATED
        written.append({
            "row": row, "vector": vector, "language": language, "source": source,
            "first_day": first_day, "last_day": last_day,
        })  # fmt: skip
    return written


def _read_days(date: str) -> tuple[int, int]:
    """Return the first and the last day of an ISO 8601 date of any precision, as YYYYMMDD."""
    known = PartialDate.parse(date)
    first, last = (int(day.isoformat().replace("-", "")) for day in (known.first_day, known.last_day))
    return first, last


def _make_alias(index: str) -> str:
    """Return a name that Milvus accepts and that differs for each index."""
    plain = re.sub(r"\W", "_", index, flags=re.ASCII)
    return f"rag_{plain}" if plain == index else f"rag_{plain}_{hashlib.sha256(index.encode()).hexdigest()[:8]}"


@contextmanager
def _translate_errors(uri: str) -> Iterator[None]:
    from pymilvus import MilvusException

    try:
        yield
    except (MilvusException, OSError) as error:
        reason = getattr(error, "message", None) or str(error)
        raise StoreError(
            f"Milvus at {uri} cannot be used: {reason}. Check that it is running and that RAG_MILVUS is correct, or "
            "unset RAG_MILVUS to search in this process."
        ) from error
