"""Corpus to index: only what changed is encoded, what is gone is removed, and the old index is never harmed."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import unicodedata
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.config import ROOT, Config
from rag.errors import DocumentError, IndexBusy, IndexDamaged, IndexMismatch, StoreError
from rag.index.index import Index
from rag.index.manifest import MANIFEST, find_leftovers, read_manifest
from rag.index.merging import Policy
from rag.index.segment import VECTORS
from rag.ingest.build import LOCK, Summary, build_index
from rag.testing import WordEncoder
from rag.types import Embeddings, Filter, Progress, Role

HARBOUR = "The harbour opened in May after nine years of work.\n\nIt cost nine million.\n"
ORCHARD = "Apples ripened early this year in the whole valley.\n"


@pytest.fixture
def config(tmp_path: Path) -> Config:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    (corpus / "harbour.txt").write_text(HARBOUR)
    (corpus / "orchard.txt").write_text(ORCHARD)
    return Config(corpus=corpus, indexes=tmp_path / "indexes")


def build(config: Config, *paths: Path, encoder: WordEncoder | None = None, rebuild: bool = False) -> Summary:
    return build_index(paths, config, encoder or WordEncoder(), rebuild)


def open_index(config: Config) -> Index:
    return Index.open(config.indexes / config.index)


def test_builds_over_the_configured_corpus_and_says_what_it_did(config: Config) -> None:
    summary = build(config)
    assert str(summary) == "2 files: 2 new; 2 passages in “default”"
    index = open_index(config)
    assert [article.source for article in index.list_articles()] == ["harbour.txt", "orchard.txt"]
    document = index.read_document("harbour.txt")
    assert document is not None
    assert document.text == HARBOUR


def test_run_again_it_encodes_nothing_and_leaves_the_generation(config: Config) -> None:
    build(config)
    generation = read_manifest(config.indexes / "default")[1]
    encoder = WordEncoder()
    assert str(build(config, encoder=encoder)) == "2 files: 2 unchanged; 2 passages in “default”"
    assert encoder.encoded == []
    assert read_manifest(config.indexes / "default")[1] == generation


def test_encodes_only_what_is_new_or_changed_and_removes_what_is_gone(config: Config) -> None:
    (config.corpus / "lake.txt").write_text("The lake froze.\n")
    build(config)
    (config.corpus / "orchard.txt").write_text("Pears ripened late.\n")
    (config.corpus / "tower.txt").write_text("The tower leans.\n")
    (config.corpus / "lake.txt").unlink()
    encoder = WordEncoder()
    summary = build(config, encoder=encoder)
    assert str(summary) == "4 files: 1 new, 1 changed, 1 unchanged, 1 removed; 3 passages in “default”"
    assert sorted(encoder.encoded) == ["Pears ripened late.", "The tower leans."]
    assert open_index(config).read_document("lake.txt") is None


@settings(max_examples=15, deadline=None)
@given(
    states=st.lists(
        st.dictionaries(st.sampled_from("abcde"), st.sampled_from(["One.", "Two.", "Three.\n\nFour.", "Five five."])),
        min_size=1,
        max_size=4,
    )
)
def test_an_index_brought_up_to_date_equals_one_built_anew(
    states: list[dict[str, str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("states")
    corpus = folder / "corpus"
    corpus.mkdir()
    (corpus / "always.txt").write_text("Always here.")
    config = Config(corpus=corpus, indexes=folder / "indexes")
    for state in states:
        for name in "abcde":
            (corpus / f"{name}.txt").unlink(missing_ok=True)
        for name, text in state.items():
            (corpus / f"{name}.txt").write_text(f"{name}: {text}")
        build(config)
    fresh = Config(corpus=corpus, indexes=folder / "indexes", index="fresh")
    build(fresh)
    updated, anew = open_index(config), open_index(fresh)
    assert updated.list_articles() == anew.list_articles()
    assert updated.read_checksums() == anew.read_checksums()
    for article in anew.list_articles():
        passages, encodings = anew.read_passages(article.source), anew.read_embeddings(article.source)
        same_passages = updated.read_passages(article.source)
        same_encodings = updated.read_embeddings(article.source)
        assert same_passages == passages
        np.testing.assert_array_equal(same_encodings.vectors, encodings.vectors)
        assert [tokens.tolist() for tokens in same_encodings.tokens] == [t.tolist() for t in encodings.tokens]


def test_without_paths_those_of_the_last_build_are_taken(config: Config, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "lake.txt").write_text("The lake froze.\n")
    build(config, other)
    assert build(config).unchanged == 1
    assert [article.source for article in open_index(config).list_articles()] == ["lake.txt"]


def test_what_cannot_be_an_article_is_reported_and_the_rest_is_indexed(config: Config) -> None:
    (config.corpus / "empty.txt").write_bytes(b"")
    (config.corpus / "picture.txt").write_bytes(bytes(range(256)) * 40)
    (config.corpus / "twin.txt").write_text(ORCHARD)
    (config.corpus / "wide.txt").write_bytes("Jezero zamrzlo dříve než loni.\n".encode("utf-16"))
    sentence = "Řeka se vylila z břehů a zaplavila louky pod městem. "
    (config.corpus / "long.txt").write_text(sentence * (5_000_000 // len(sentence.encode())))
    summary = build(config)
    assert {skipped.source for skipped in summary.skipped} == {"empty.txt", "picture.txt", "twin.txt"}
    assert all(skipped.reason for skipped in summary.skipped)
    assert summary.new == 4
    wide = open_index(config).read_document("wide.txt")
    assert wide is not None
    assert wide.text.startswith("Jezero zamrzlo")


def test_an_article_that_cannot_be_read_any_more_is_kept_as_it_was(config: Config) -> None:
    build(config)
    orchard = config.corpus / "orchard.txt"
    orchard.unlink()
    # A link to itself cannot be opened by anybody, not even by root.
    orchard.symlink_to(orchard)
    summary = build(config)
    assert str(summary) == "2 files: 1 unchanged, 1 kept; 2 passages in “default”"
    assert [entry.source for entry in summary.kept] == ["orchard.txt"]
    (config.corpus / "harbour.txt").write_text("The harbour closed.\n")
    assert build(config).changed == 1
    kept = open_index(config).read_document("orchard.txt")
    assert kept is not None
    assert kept.text == ORCHARD
    orchard.unlink()
    assert build(config).removed == 1


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_cannot_be_read_any_more_keeps_its_articles(config: Config) -> None:
    folder = config.corpus / "fruit"
    folder.mkdir()
    (config.corpus / "orchard.txt").rename(folder / "orchard.txt")
    build(config)
    folder.chmod(0)
    summary = build(config)
    folder.chmod(0o700)
    assert [entry.source for entry in summary.kept] == ["fruit/orchard.txt"]


def test_a_corpus_without_articles_leaves_the_old_index(config: Config) -> None:
    build(config)
    for file in config.corpus.iterdir():
        file.unlink()
    with pytest.raises(DocumentError, match=r"no article in .*left as it was"):
        build(config)
    assert open_index(config).read_document("harbour.txt") is not None


def test_where_no_file_is_an_article_the_reasons_are_told(config: Config) -> None:
    (config.corpus / "harbour.txt").write_bytes(b"")
    (config.corpus / "orchard.txt").rename(config.corpus / "orchard.odt")
    with pytest.raises(DocumentError, match=r"harbour\.txt: It is empty\. orchard\.odt: It is none of the formats"):
        build(config)


def test_a_name_is_found_however_its_marks_are_written(config: Config) -> None:
    apart = unicodedata.normalize("NFD", "Žluťoučký kůň.txt")
    (config.corpus / apart).write_text("The horse was yellow.\n")
    build(config)
    index = open_index(config)
    typed = unicodedata.normalize("NFC", apart)
    assert typed != apart
    assert index.open_article(typed).source == apart
    vector = WordEncoder().encode(["horse"], "query").vectors[0]
    for pattern in (typed, "Žluťoučký*"):
        assert len(index.search(vector, 3, Filter(sources=(pattern,)))) == 1


def test_a_filter_takes_hundreds_of_names(config: Config) -> None:
    build(config)
    names = tuple(f"článek {number}.txt" for number in range(700))
    vector = WordEncoder().encode(["harbour"], "query").vectors[0]
    assert len(open_index(config).search(vector, 9, Filter(sources=(*names, "harbour.txt", "orch*")))) == 2


def test_a_missing_folder_is_named(config: Config, tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="nowhere"):
        build(config, tmp_path / "nowhere")


def test_an_index_of_another_encoder_is_refused_until_it_is_rebuilt(config: Config) -> None:
    build(config)
    with pytest.raises(IndexMismatch, match="rag index --rebuild --index default"):
        build(config, encoder=WordEncoder("other"))
    assert build(config, encoder=WordEncoder("other"), rebuild=True).new == 2


def test_a_damaged_index_is_refused_until_it_is_rebuilt(config: Config) -> None:
    build(config)
    (vectors,) = config.indexes.rglob(VECTORS)
    vectors.write_bytes(vectors.read_bytes()[:-1] + b"\0\0")
    with pytest.raises(IndexDamaged, match="rag index --rebuild --index default"):
        build(config)
    build(config, rebuild=True)
    assert open_index(config).manifest.passages == 2


def test_rebuilding_an_index_of_another_format_keeps_what_it_was_built_over(config: Config, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "lake.txt").write_text("The lake froze.\n")
    build(config, other)
    manifest = read_manifest(config.indexes / "default")[1] / MANIFEST
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "format": 99}))
    build(config, rebuild=True)
    assert [article.source for article in open_index(config).list_articles()] == ["lake.txt"]


def test_an_index_that_does_not_say_what_it_was_built_over_is_not_replaced_by_another_corpus(config: Config) -> None:
    build(config)
    (read_manifest(config.indexes / "default")[1] / MANIFEST).write_text("{")
    with pytest.raises(IndexDamaged, match="Name the folders"):
        build(config, rebuild=True)
    assert build(config, config.corpus, rebuild=True).new == 2


def test_a_folder_that_cannot_be_written_to_is_named(config: Config) -> None:
    config.indexes.write_text("a file, not a folder")
    with pytest.raises(StoreError, match=r"Nothing can be written to .*RAG_INDEXES"):
        build(config)


def test_two_builders_at_once_do_not_meet(config: Config) -> None:
    folder = config.indexes / config.index
    folder.mkdir(parents=True)
    with FileLock(folder / LOCK), pytest.raises(IndexBusy, match="Another process"):
        build(config)


SLOW_BUILD = """
import sys, time
from pathlib import Path
from rag.ingest.build import build_index
from rag.config import Config
from rag.testing import WordEncoder

class SlowEncoder(WordEncoder):
    def encode(self, texts, role, progress=None):
        print("encoding", flush=True)
        time.sleep(float(sys.argv[3]))
        return super().encode(texts, role, progress)

build_index((), Config(corpus=Path(sys.argv[1]), indexes=Path(sys.argv[2])), SlowEncoder())
"""


@pytest.mark.parametrize("delay", [0.0, 0.002, 0.005, 0.01, 0.02, 0.05])
def test_killed_at_any_moment_the_index_holds_the_whole_old_or_the_whole_new_state(
    config: Config, delay: float
) -> None:
    build(config)
    before = open_index(config).list_articles()
    for number in range(200):
        (config.corpus / f"new{number}.txt").write_text(f"Number {number} came.\n")
    command = [sys.executable, "-c", SLOW_BUILD, str(config.corpus), str(config.indexes), "0.005"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT, env={**os.environ}) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"encoding\n"
        time.sleep(delay)
        child.send_signal(signal.SIGKILL)
    articles = open_index(config).list_articles()
    assert articles == before or len(articles) == len(before) + 200
    assert build(config).passages == 202
    assert len(open_index(config).list_articles()) == 202
    assert find_leftovers(config.indexes / "default") == []


class Interrupted(WordEncoder):
    """Stops like Ctrl-C at its last call of so many."""

    def __init__(self, calls: int) -> None:
        super().__init__()
        self.calls = calls

    def encode(self, texts: Sequence[str], role: Role, progress: Progress | None = None) -> Embeddings:
        self.calls -= 1
        if self.calls == 0:
            raise KeyboardInterrupt
        return super().encode(texts, role, progress)


def write_many(config: Config) -> None:
    for number in range(20):
        (config.corpus / f"new{number:02}.txt").write_text(f"Number {number} came.\n")


@pytest.mark.parametrize("rebuild", [False, True])
def test_a_build_that_was_stopped_is_gone_on_with(config: Config, rebuild: bool) -> None:
    write_many(config)
    policy = Policy(batch=5, small=3)
    stopped = Interrupted(calls=4)
    with pytest.raises(KeyboardInterrupt):
        build_index((), config, stopped, rebuild, policy=policy)
    assert len(stopped.encoded) == 15
    (config.corpus / "new00.txt").write_text("Number 0 changed its mind.\n")
    (config.corpus / "new01.txt").unlink()
    encoder = WordEncoder()
    assert build_index((), config, encoder, rebuild, policy=policy).new == 21
    assert set(encoder.encoded).isdisjoint(set(stopped.encoded))
    assert "Number 0 changed its mind." in encoder.encoded
    assert len(encoder.encoded) == 8
    index = open_index(config)
    assert {article.source for article in index.list_articles()} == {file.name for file in config.corpus.iterdir()}
    assert find_leftovers(config.indexes / "default") == []
    content = b"".join(file.read_bytes() for file in config.indexes.rglob("*") if file.is_file())
    assert b"Number 1 came" not in content


def test_what_a_stopped_build_with_another_encoder_left_is_not_used(config: Config) -> None:
    write_many(config)
    stopped = Interrupted(calls=4)
    with pytest.raises(KeyboardInterrupt):
        build_index((), config, stopped, policy=Policy(batch=5))
    encoder = WordEncoder("other")
    build(config, encoder=encoder)
    assert len(encoder.encoded) == 22
    assert find_leftovers(config.indexes / "default") == []


def test_a_corpus_of_any_size_is_encoded_in_batches_and_an_article_larger_than_one_in_several(config: Config) -> None:
    write_many(config)
    paragraphs = [f"Paragraph {number} of a long article. " + "Words follow words here. " * 30 for number in range(40)]
    (config.corpus / "long.txt").write_text("\n\n".join(paragraphs))
    told: list[tuple[int, int]] = []
    sizes: list[int] = []

    class Counting(WordEncoder):
        def encode(self, texts: Sequence[str], role: Role, progress: Progress | None = None) -> Embeddings:
            sizes.append(len(texts))
            return super().encode(texts, role, progress)

    summary = build_index((), config, Counting(), progress=lambda *done: told.append(done), policy=Policy(batch=8))
    assert max(sizes) <= 16
    assert sum(sizes) == summary.passages == open_index(config).manifest.passages
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert told[-1] == (summary.passages, summary.passages)
    assert len(open_index(config).read_passages("long.txt")) > 16


def test_a_small_corpus_is_encoded_all_at_once(config: Config) -> None:
    write_many(config)
    calls = Interrupted(calls=2)
    build(config, encoder=calls)
    assert calls.calls == 1


def test_a_build_with_nothing_to_do_removes_what_a_killed_one_left_after_its_switch(config: Config) -> None:
    build(config)
    generation = open_index(config).generation
    folder = config.indexes / config.index
    left = folder / "20200101T000000-0123abcd"
    shutil.copytree(folder / generation, left)
    build(config)
    assert not left.exists()
    assert open_index(config).generation == generation
