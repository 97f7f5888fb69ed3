"""Which vectors are nearest, told by Milvus. No other room imports pymilvus.

Each generation of an index has a collection of its own, which nobody writes to once it is whole; the index's alias
leads to the one that was finished last. The segments on disk hold everything that a collection does, so that one can
be made anew, and a generation whose collection is not there is searched in this process.
"""

import hashlib
import json
import logging
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Self

from rag.config import Config
from rag.errors import StoreError
from rag.index.index import Index
from rag.text.dates import PartialDate
from rag.types import Filter, Vectors

if TYPE_CHECKING:
    from pymilvus import MilvusClient  # type: ignore[import-untyped]

EXACT = 50_000
"""Up to so many vectors are compared one by one; beyond, the server's own choice is taken (AUTOINDEX)."""
BATCH = 1000
"""Passages that are sent at once."""
SECONDS = 60.0
MOST = 16_384
"""Passages that Milvus gives at once."""
LONGEST_SOURCE = 4096
"""Bytes."""
IN_A_FILE = {"grpc_options": {"grpc.keepalive_time_ms": 2**31 - 1}}
"""Not to ask every ten seconds whether the server is there: milvus-lite hangs up on clients that do, at times in the
middle of a call, and is there as long as this process is."""
UNDATED = (99_999_999, 0)
"""The first and the last day of an article that has no date: later than any, and earlier."""


def open_store(config: Config) -> "MilvusStore | None":
    """Where the configured index is searched; None where that is this process. Raises StoreError."""
    if not config.milvus:
        return None
    if find_spec("pymilvus") is None:
        raise StoreError(
            "RAG_MILVUS needs the pymilvus package. In the project's folder run: pip install -e '.[milvus]'"
        )
    return MilvusStore.connect(config.milvus, config.milvus_token, config.index)


class MilvusStore:
    """A VectorStore in a Milvus server, or in a file through milvus-lite. Safe to use from several threads."""

    def __init__(self, client: "MilvusClient", uri: str, alias: str) -> None:
        self._client = client
        self._uri = uri
        self._alias = alias
        self._whole: set[str] = set()
        """Collections that were found to be whole; they stay so."""

    @classmethod
    def connect(cls, uri: str, token: str | None, index: str) -> Self:
        """The store of an index at `http://host:19530`, or in a file. Raises StoreError."""
        from pymilvus import MilvusClient

        # It would write what is told in a sentence, and where it happened, to the terminal.
        logging.getLogger("pymilvus").setLevel(logging.CRITICAL)
        options = IN_A_FILE if uri.endswith(".db") else {}
        with _translated(uri):
            return cls(MilvusClient(uri, token=token or "", timeout=SECONDS, **options), uri, _name(index))

    def holds(self, generation: str) -> bool:
        """Whether a generation can be searched here. Raises StoreError."""
        collection = self._locate(generation)
        if collection not in self._whole:
            with _translated(self._uri):
                if collection != self._lead():
                    return False
            self._whole.add(collection)
        return True

    def publish(self, index: Index) -> None:
        """Have an opened generation searched here, and let go of those before the last. Raises StoreError."""
        if self.holds(index.generation):
            return
        collection = self._locate(index.generation)
        with _translated(self._uri):
            if self._client.has_collection(collection):
                # A build that was stopped left it.
                self._client.drop_collection(collection)
            self._create(collection, index)
            for rows, vectors, facts in index.read_rows(BATCH):
                self._client.insert(collection, _write(rows, vectors, facts))
            self._client.flush(collection)
            self._client.load_collection(collection)
            self._check(collection, index)
            last = self._lead()
            switch = self._client.alter_alias if last else self._client.create_alias
            switch(collection, self._alias)
            self._remove_but(collection, last)

    def search(
        self, generation: str, vector: Vectors, count: int, among: Filter, sources: Sequence[str] | None
    ) -> list[tuple[int, float]]:
        """The rows of the passages nearest to a unit vector, best first, with cosines; in `sources` alone, if given.

        Raises StoreError.
        """
        condition, count = write_condition(among, sources), min(count, MOST)
        with _translated(self._uri):
            (hits,) = self._client.search(self._locate(generation), [vector], condition, limit=count, output_fields=[])
        found = [(int(hit["row"]), float(hit["distance"])) for hit in hits]
        return sorted(found, key=lambda hit: (-hit[1], hit[0]))

    def compare(self, index: Index) -> Iterator[str]:
        """What an opened generation has that its collection lacks, and the other way round; nothing if there is none.

        Raises StoreError.
        """
        if not self.holds(index.generation):
            return
        expected = {
            row: source
            for rows, _, facts in index.read_rows(BATCH)
            for row, (_, source, _) in zip(rows, facts, strict=True)
        }
        with _translated(self._uri):
            found = dict(self._read_sources(self._locate(index.generation)))
        wrong = {row for row, source in found.items() if expected.get(row) != source}
        if wrong:
            yield f"holds {len(wrong)} passages that the index does not"
        if missing := expected.keys() - found.keys():
            yield f"lacks {len(missing)} passages of the index"

    def list_others(self, index: Index) -> list[str]:
        """The collections of the index's generations before this one. Raises StoreError."""
        with _translated(self._uri):
            return sorted({*self._list_own()} - {self._locate(index.generation)})

    def close(self) -> None:
        """Let go of the connection."""
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
        fields.add_field("source", DataType.VARCHAR, max_length=LONGEST_SOURCE)
        fields.add_field("first_day", DataType.INT64)
        fields.add_field("last_day", DataType.INT64)
        kind = "FLAT" if index.manifest.passages <= EXACT else "AUTOINDEX"
        searched = self._client.prepare_index_params()
        searched.add_index("vector", index_type=kind, metric_type="IP")
        self._client.create_collection(collection, schema=fields, index_params=searched, consistency_level="Strong")

    def _check(self, collection: str, index: Index) -> None:
        (counted,) = self._client.query(collection, output_fields=["count(*)"])
        if counted["count(*)"] != index.manifest.passages:
            raise StoreError(
                f"Milvus at {self._uri} holds {counted['count(*)']} of {index.manifest.passages} passages of "
                f"“{index.name}”. Run `rag index --index {index.name}` again."
            )

    def _lead(self) -> str | None:
        """The collection that the alias leads to."""
        from pymilvus import MilvusException

        try:
            return str(self._client.describe_alias(self._alias)["collection_name"])
        except MilvusException:
            # It has no way to ask whether there is one; a server that is gone fails at what comes next.
            self._client.list_collections()
            return None

    def _remove_but(self, *kept: str | None) -> None:
        """Remove all collections of the index but these: whoever asks the last generation goes on doing so."""
        for collection in {*self._list_own()} - {*kept}:
            self._client.drop_collection(collection)
            self._whole.discard(collection)

    def _list_own(self) -> list[str]:
        pattern = rf"{self._alias}_\d{{8}}T\d{{6}}_[0-9a-f]{{8}}"
        return [name for name in self._client.list_collections() if re.fullmatch(pattern, name)]

    def _locate(self, generation: str) -> str:
        return f"{self._alias}_{generation.replace('-', '_')}"


def write_condition(among: Filter, sources: Sequence[str] | None) -> str:
    """A filter in Milvus' language, in which `sources` are the names that those of the filter stand for."""
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


def _name(index: str) -> str:
    """A name that Milvus allows, and another for each index."""
    plain = re.sub(r"\W", "_", index, flags=re.ASCII)
    return f"rag_{plain}" if plain == index else f"rag_{plain}_{hashlib.sha256(index.encode()).hexdigest()[:8]}"


@contextmanager
def _translated(uri: str) -> Iterator[None]:
    from pymilvus import MilvusException

    try:
        yield
    except (MilvusException, OSError) as error:
        words = getattr(error, "message", None) or str(error)
        raise StoreError(
            f"Milvus at {uri} cannot be used: {words}. Check that it runs and that RAG_MILVUS is right, or unset that "
            "to search in this process."
        ) from error
