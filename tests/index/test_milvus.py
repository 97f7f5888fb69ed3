"""Milvus, here as milvus-lite in a file, finds the same passages as FAISS, whatever the filter."""

import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from rag.assistant import Assistant
from rag.config import ROOT, Config
from rag.doctor import examine
from rag.errors import StoreError
from rag.index.index import Index
from rag.index.milvus import MilvusStore, open_store, write_condition
from rag.ingest.audit import verify_index
from rag.ingest.build import build_index
from rag.testing import SPEAKING, ScriptedGenerator, WordEncoder
from rag.text.prompts import Prompts
from rag.types import Filter

WORDS = ("harbour", "boat", "apple", "night", "mayor", "nine", "million", "valley", "quay", "red", "cheese", "river")
DATES = ("2023", "2023-09", "2023-09-12", "2023-10-01", "2024-02", "2025-07-12", None)
QUESTIONS = ("harbour boat", "red apple valley", "mayor million nine", "cheese", "river night quay")
FILTERS = (
    None,
    Filter(),
    Filter(languages=("en",)),
    Filter(languages=("cs", "de")),
    Filter(languages=("fi",)),
    Filter(sources=("old/*",)),
    Filter(sources=("new/a_1.txt", "old/a_?0.txt")),
    Filter(sources=("nowhere/*",)),
    Filter(since="2023-09"),
    Filter(until="2023-09"),
    Filter(since="2023-09-12", until="2024"),
    Filter(languages=("en",), sources=("new/*",), since="2023"),
)


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(
        corpus=tmp_path / "corpus",
        indexes=tmp_path / "indexes",
        cache=tmp_path / "cache",
        milvus=str(tmp_path / "milvus.db"),
        generator="none",
    )


@pytest.fixture
def store(config: Config) -> Iterator[MilvusStore]:
    store = open_store(config)
    assert store
    with closing(store):
        yield store


def write(config: Config, number: int, text: str | None = None) -> None:
    folder = config.corpus / ("old" if number % 3 else "new")
    folder.mkdir(parents=True, exist_ok=True)
    date = f" date {DATES[number % len(DATES)]} " if DATES[number % len(DATES)] else ""
    said = " ".join(WORDS[(number * step) % len(WORDS)] for step in range(1, 9))
    tongue = ("It was said that the", "Bylo řečeno, že tady je", "Es wurde gesagt, dass die")[number % 3]
    (folder / f"a_{number}.txt").write_text(text or f"{date}{tongue} {said} {number}.\n", encoding="utf-8")


def build(config: Config) -> None:
    build_index(config=config, encoder=WordEncoder())


def assert_same(config: Config, store: MilvusStore) -> None:
    folder = config.indexes / config.index
    with closing(Index.open(folder)) as plain, closing(Index.open(folder, store)) as stored:
        assert store.holds(stored.generation)
        for vector in WordEncoder().encode(QUESTIONS, "query").vectors:
            for among in FILTERS:
                # All hits are compared, because the last of a few may be one of several that are equally near.
                expected, found = (dict(index.search(vector, 200, among)) for index in (plain, stored))
                assert found.keys() == expected.keys()
                assert found == pytest.approx(expected, abs=1e-5)
                few = stored.search(vector, 3, among)
                assert [cosine for _, cosine in few] == sorted((c for _, c in few), reverse=True)
                assert len(few) == min(3, len(expected))


def test_the_same_passages_are_found_after_a_build_and_after_an_update(config: Config, store: MilvusStore) -> None:
    for number in range(60):
        write(config, number)
    build(config)
    assert_same(config, store)
    write(config, 7, "The harbour was closed again by the mayor, and the boats stay away from the quay.\n")
    write(config, 61)
    (config.corpus / "new" / "a_12.txt").unlink()
    build(config)
    assert_same(config, store)


def test_the_alias_points_to_the_current_generation_and_the_previous_one_remains(
    config: Config, store: MilvusStore
) -> None:
    generations = []
    for number in range(3):
        write(config, number)
        build(config)
        with closing(Index.open(config.indexes / config.index)) as index:
            generations.append(index.generation.replace("-", "_"))
    client = store._client
    assert sorted(client.list_collections()) == [f"rag_default_{one}" for one in sorted(generations[1:])]
    assert client.describe_alias("rag_default")["collection_name"] == f"rag_default_{generations[2]}"


def test_a_generation_without_a_collection_is_searched_in_process_until_the_next_build(
    config: Config, store: MilvusStore
) -> None:
    write(config, 1)
    build_index(config=Config(corpus=config.corpus, indexes=config.indexes), encoder=WordEncoder())
    with closing(Index.open(config.indexes / config.index, store)) as index:
        assert not store.holds(index.generation)
        assert index.search(WordEncoder().encode(["harbour"], "query").vectors[0], 1)
        # A killed build leaves an incomplete collection.
        store._create(store._name_collection(index.generation), index)
        assert not store.holds(index.generation)
    build(config)
    assert_same(config, store)


def test_an_answer_from_milvus_has_the_same_citations(config: Config, store: MilvusStore) -> None:
    for number in range(20):
        write(config, number)
    write(config, 21, "The harbour cost nine million in the end.\n")
    build(config)
    question = "How many million has the harbour cost in the end?"
    answers = []
    for where in (None, store):
        generator = ScriptedGenerator("It cost nine million in the end.")
        with closing(Index.open(config.indexes / config.index, where)) as index:
            assistant = Assistant(config, index, WordEncoder(), generator, Prompts.load(ROOT / "prompts"), SPEAKING)
            answers.append(assistant.answer(question))
    assert answers[0].citations == answers[1].citations
    assert answers[0].citations[0].quote == "The harbour cost nine million in the end."
    assert [hit.passage for hit in answers[0].hits] == [hit.passage for hit in answers[1].hits]


def test_names_in_a_filter_are_quoted() -> None:
    source = 'a" or row >= 0 or source == "b\\'
    assert write_condition(Filter(sources=(source,)), [source]) == (
        'source in ["a\\" or row >= 0 or source == \\"b\\\\"]'
    )


def test_each_index_has_its_own_alias(tmp_path: Path) -> None:
    names = ("news", "a-b", "a_b", "zprávy")
    stores = [open_store(Config(milvus=str(tmp_path / "milvus.db"), index=name)) for name in names]
    assert len({store._alias for store in stores if store}) == 4
    for store in stores:
        if store:
            store.close()


def test_a_server_that_does_not_respond_is_named() -> None:
    with pytest.raises(StoreError, match=r"Milvus at http://127\.0\.0\.1:1 cannot be used: .* RAG_MILVUS"):
        open_store(Config(milvus="http://127.0.0.1:1"))


def test_without_the_package_the_message_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pymilvus", None)
    with pytest.raises(StoreError, match=r"pip install -e '\.\[milvus\]'"):
        open_store(Config(milvus="milvus.db"))
    assert open_store(Config()) is None


def test_verification_compares_an_index_with_its_collection_and_notes_older_collections(
    config: Config, store: MilvusStore
) -> None:
    for number in range(4):
        write(config, number)
    build(config)
    audit = verify_index(config)
    assert (audit.wrong, audit.noted) == ((), ())
    (config.corpus / "new" / "a_3.txt").unlink()
    build(config)
    audit = verify_index(config)
    assert audit.wrong == ()
    assert any("before its last build" in note for note in audit.noted)
    with closing(Index.open(config.indexes / config.index)) as index:
        collection = store._name_collection(index.generation)
        rows = [row for of_some, _, _ in index.read_rows(10) for row in of_some]
        vector = [0.0] * index.projection.directions.shape[1]
    astray = {"vector": vector, "language": "en", "source": "a.txt", "first_day": 0, "last_day": 0}
    store._client.delete(collection, ids=rows[:1])
    store._client.insert(collection, [{"row": 1000 + number, **astray} for number in range(2)])
    wrong = " ".join(verify_index(config).wrong)
    assert "holds 2 passages not in the index" in wrong
    assert "lacks 1 passage of the index" in wrong
    assert wrong.count("rag index --rebuild") == 2


def test_doctor_reports_whether_milvus_holds_the_index(config: Config) -> None:
    write(config, 1)
    build_index(config=config.replace(milvus=None), encoder=WordEncoder())
    (check,) = [check for check in examine(config, ("false",)) if check.name == "Milvus"]
    assert check.ok is False
    assert check.remedy == "Store it there: rag index --index default"
    build(config)
    (check,) = [check for check in examine(config, ("false",)) if check.name == "Milvus"]
    assert check.ok is True
    assert "“default” is searched at" in check.detail
