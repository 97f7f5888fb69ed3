"""`rag index --verify` finds everything that is wrong with an index."""

from contextlib import closing
from pathlib import Path

import pytest

from rag.config import Config
from rag.errors import IndexDamaged, IndexMissing
from rag.generation.cache import StateCache, name_subject
from rag.index.index import Index
from rag.index.manifest import SEGMENTS, STAGED
from rag.index.merging import MergePolicy
from rag.index.segment import ARTICLES, VECTORS
from rag.ingest.audit import verify_index
from rag.ingest.build import build_index
from rag.testing import WordEncoder
from rag.text.prompts import Prompts


@pytest.fixture
def config(tmp_path: Path) -> Config:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for number in range(12):
        (corpus / f"{number}.txt").write_text(f"Article {number} tells of harbour {number}.\n")
    return Config(corpus=corpus, indexes=tmp_path / "indexes", cache=tmp_path / "cache")


def build(config: Config, policy: MergePolicy | None = None) -> None:
    build_index(config=config, encoder=WordEncoder(), policy=policy)


def test_nothing_is_wrong_with_a_new_index(config: Config) -> None:
    build(config)
    audit = verify_index(config)
    assert str(audit) == "12 articles, 12 passages, 12 vectors in 1 segment of “default”: nothing wrong"
    assert (audit.wrong, audit.noted) == ((), ())


def test_a_missing_index_is_reported_and_not_created(config: Config) -> None:
    with pytest.raises(IndexMissing):
        verify_index(config)
    assert not config.indexes.exists()


def test_differences_from_the_corpus_are_reported_by_file(config: Config) -> None:
    build(config)
    (config.corpus / "1.txt").write_text("It says something else.\n")
    (config.corpus / "2.txt").unlink()
    (config.corpus / "new.txt").write_text("This one is new.\n")
    (config.corpus / "empty.txt").write_text("")
    wrong = verify_index(config).wrong
    assert [problem.partition(" ")[0] for problem in wrong] == ["1.txt", "new.txt", "2.txt"]
    assert all("`rag index --index default`" in problem for problem in wrong)


def test_a_damaged_file_is_found_by_reading_it(config: Config) -> None:
    build(config)
    with closing(Index.open(config.indexes / "default")) as index:
        (segment,) = index.segments
        file = segment.folder / VECTORS
        content = bytearray(file.read_bytes())
        content[-1] ^= 1
        file.write_bytes(content)
        assert segment.find_damage() == "vectors.faiss does not match its checksum"


def test_an_index_with_a_damaged_small_file_is_not_opened(config: Config) -> None:
    build(config)
    (file,) = config.indexes.rglob(ARTICLES)
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(IndexDamaged):
        verify_index(config)


def test_files_of_an_interrupted_build_are_reported(config: Config) -> None:
    build(config)
    folder = config.indexes / "default"
    (folder / SEGMENTS / "20200101T000000-0123abcd").mkdir()
    (folder / STAGED).write_text("20200101T000000-0123abcd")
    assert len(verify_index(config).wrong) == 2
    build(config)
    assert verify_index(config).wrong == ()


def test_vectors_of_removed_articles_in_a_large_segment_are_noted(config: Config) -> None:
    policy = MergePolicy(small=2, removed_share=0.5)
    build(config, policy)
    (config.corpus / "3.txt").unlink()
    build(config, policy)
    audit = verify_index(config)
    assert audit.wrong == ()
    assert "the vectors, not the text, of 1 passage" in audit.noted[0]
    assert (audit.passages, audit.vectors) == (11, 12)


def test_cached_states_of_the_generator_are_removed_with_the_article(config: Config) -> None:
    build(config)
    prompts = Prompts.load(config.prompts)
    states = StateCache(config.cache / "states", 10**6)
    for number in (3, 4):
        text = f"Article {number} tells of harbour {number}."
        states.put(f"{name_subject(prompts.fill('excerpt', passage=text))}-0", b"numbers")
    assert verify_index(config).wrong == ()
    (config.corpus / "3.txt").unlink()
    build(config)
    assert verify_index(config).wrong == ()
    assert states.count_subjects().total() == 1
    states.put(f"{name_subject('of an unknown passage')}-0", b"numbers")
    (problem,) = verify_index(config).wrong
    assert "1 file" in problem
    assert name_subject("of an unknown passage") in problem
    for number in range(100):
        states.put(f"{name_subject(f'of an unknown passage {number}')}-0", b"numbers")
    (problem,) = verify_index(config).wrong
    assert "101 file" in problem
    assert sum(subject in problem for subject in states.count_subjects()) == 3
    assert "and 98 others" in problem
