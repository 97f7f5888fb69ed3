"""What `rag index --verify` counts, and that nothing that is wrong escapes it."""

from contextlib import closing
from pathlib import Path

import pytest

from rag.config import Config
from rag.errors import IndexDamaged, IndexMissing
from rag.generation.cache import StateCache, name_subject
from rag.index.index import Index
from rag.index.manifest import SEGMENTS, STAGED
from rag.index.merging import Policy
from rag.index.segment import ARTICLES, VECTORS
from rag.ingest.audit import Audit, verify_index
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


def build(config: Config, policy: Policy | None = None) -> None:
    build_index(config=config, encoder=WordEncoder(), policy=policy)


def look(config: Config) -> Audit:
    return verify_index(config)


def test_a_sound_index_is_counted_and_nothing_is_wrong(config: Config) -> None:
    build(config)
    audit = look(config)
    assert str(audit) == "12 articles, 12 passages, 12 vectors in 1 segments of “default”: all as it should be"
    assert (audit.wrong, audit.noted) == ((), ())


def test_a_missing_index_is_named_and_not_made(config: Config) -> None:
    with pytest.raises(IndexMissing):
        look(config)
    assert not config.indexes.exists()


def test_what_differs_from_the_corpus_is_told_file_by_file(config: Config) -> None:
    build(config)
    (config.corpus / "1.txt").write_text("It says something else.\n")
    (config.corpus / "2.txt").unlink()
    (config.corpus / "new.txt").write_text("This one is new.\n")
    (config.corpus / "empty.txt").write_text("")
    wrong = look(config).wrong
    assert [said.partition(" ")[0] for said in wrong] == ["1.txt", "new.txt", "2.txt"]
    assert all("`rag index --index default`" in said for said in wrong)


def test_a_file_that_is_damaged_is_found_by_reading_it_whole(config: Config) -> None:
    build(config)
    with closing(Index.open(config.indexes / "default")) as index:
        (segment,) = index.segments
        file = segment.folder / VECTORS
        content = bytearray(file.read_bytes())
        content[-1] ^= 1
        file.write_bytes(content)
        assert segment.find_damage() == "vectors.faiss does not match its checksum"


def test_a_small_file_that_is_damaged_is_refused(config: Config) -> None:
    build(config)
    (file,) = config.indexes.rglob(ARTICLES)
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(IndexDamaged):
        look(config)


def test_what_a_stopped_build_left_is_told(config: Config) -> None:
    build(config)
    folder = config.indexes / "default"
    (folder / SEGMENTS / "20200101T000000-0123abcd").mkdir()
    (folder / STAGED).write_text("20200101T000000-0123abcd")
    assert len(look(config).wrong) == 2
    build(config)
    assert look(config).wrong == ()


def test_numbers_of_removed_articles_in_a_large_segment_are_noted(config: Config) -> None:
    policy = Policy(small=2, decayed=0.5)
    build(config, policy)
    (config.corpus / "3.txt").unlink()
    build(config, policy)
    audit = look(config)
    assert audit.wrong == ()
    assert "the numbers, not the words, of 1 passages" in audit.noted[0]
    assert (audit.passages, audit.vectors) == (11, 12)


def test_what_the_generator_keeps_goes_with_the_article(config: Config) -> None:
    build(config)
    prompts = Prompts.load(config.prompts)
    states = StateCache(config.cache / "states", 10**6)
    for number in (3, 4):
        text = f"Article {number} tells of harbour {number}."
        states.put(f"{name_subject(prompts.fill('excerpt', passage=text))}-0", b"numbers")
    assert look(config).wrong == ()
    (config.corpus / "3.txt").unlink()
    build(config)
    assert look(config).wrong == ()
    assert states.count_subjects().total() == 1
    states.put(f"{name_subject('of nobody knows what')}-0", b"numbers")
    (said,) = look(config).wrong
    assert "1 files" in said
    assert name_subject("of nobody knows what") in said
    for number in range(100):
        states.put(f"{name_subject(f'of nobody knows what {number}')}-0", b"numbers")
    (said,) = look(config).wrong
    assert "101 files" in said
    assert sum(subject in said for subject in states.count_subjects()) == 3
    assert "and 98 others" in said
