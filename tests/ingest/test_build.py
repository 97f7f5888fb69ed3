"""Builds encode only what changed, remove what is gone, and never harm the old index."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.config import ROOT, Config
from rag.errors import DocumentError, IndexBusy, IndexDamaged, IndexMismatch, StoreError
from rag.index.index import Index
from rag.index.manifest import LOCK, MANIFEST, find_unused_files, read_manifest
from rag.index.merging import MergePolicy
from rag.index.segment import VECTORS
from rag.ingest.build import Summary, build_index
from rag.testing import WordEncoder
from rag.types import Embeddings, Filter, Progress, Role

HARBOUR = "The harbour opened in May after nine years of work.\n\nIt cost nine million.\n"
ORCHARD = "Apples ripened early this year in the whole valley.\n"
OpenIndex = Callable[[], Index]


@pytest.fixture
def config(tmp_path: Path) -> Config:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    (corpus / "harbour.txt").write_text(HARBOUR)
    (corpus / "orchard.txt").write_text(ORCHARD)
    return Config(corpus=corpus, indexes=tmp_path / "indexes")


def build(config: Config, *paths: Path, encoder: WordEncoder | None = None, rebuild: bool = False) -> Summary:
    return build_index(paths, config, encoder or WordEncoder(), rebuild)


@pytest.fixture
def open_index(config: Config) -> Iterator[OpenIndex]:
    """Yield a function that opens the current generation, and close all that it opened when the test ends."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(closing(Index.open(config.indexes / config.index)))


class RecordingEncoder(WordEncoder):
    """Keeps the passages that it encodes."""

    def __init__(self) -> None:
        super().__init__()
        self.passages: list[str] = []

    def encode(self, texts: Sequence[str], role: Role, progress: Progress | None = None) -> Embeddings:
        self.passages += texts
        return super().encode(texts, role, progress)


def test_invisible_characters_are_kept_in_the_index_and_not_encoded(config: Config, open_index: OpenIndex) -> None:
    (config.corpus / "orchard.txt").write_text("Ap\u00adples ripened\u200b early.\n", encoding="utf-8")
    encoder = RecordingEncoder()
    build(config, encoder=encoder)
    assert "Apples ripened early." in encoder.passages
    assert open_index().read_passages("orchard.txt")[0].text == "Ap\u00adples ripened\u200b early."


def test_a_build_reads_the_configured_corpus_and_summarises_what_it_did(config: Config, open_index: OpenIndex) -> None:
    summary = build(config)
    assert str(summary) == "2 files: 2 new; 2 passages in “default”"
    index = open_index()
    assert [article.source for article in index.list_articles()] == ["harbour.txt", "orchard.txt"]
    document = index.read_document("harbour.txt")
    assert document is not None
    assert document.text == HARBOUR


def test_a_second_build_encodes_nothing_and_keeps_the_generation(config: Config) -> None:
    build(config)
    generation = read_manifest(config.indexes / "default")[1]
    encoder = WordEncoder()
    assert str(build(config, encoder=encoder)) == "2 files: 2 unchanged; 2 passages in “default”"
    assert encoder.encoded == []
    assert read_manifest(config.indexes / "default")[1] == generation


def test_a_build_encodes_only_what_is_new_or_changed_and_removes_what_is_gone(
    config: Config, open_index: OpenIndex
) -> None:
    (config.corpus / "lake.txt").write_text("The lake froze.\n")
    build(config)
    (config.corpus / "orchard.txt").write_text("Pears ripened late.\n")
    (config.corpus / "tower.txt").write_text("The tower leans.\n")
    (config.corpus / "lake.txt").unlink()
    encoder = WordEncoder()
    summary = build(config, encoder=encoder)
    assert str(summary) == "4 files: 1 new, 1 changed, 1 unchanged, 1 removed; 3 passages in “default”"
    assert sorted(encoder.encoded) == ["Pears ripened late.", "The tower leans."]
    assert open_index().read_document("lake.txt") is None


@settings(max_examples=15, deadline=None)
@given(
    states=st.lists(
        st.dictionaries(st.sampled_from("abcde"), st.sampled_from(["One.", "Two.", "Three.\n\nFour.", "Five five."])),
        min_size=1,
        max_size=4,
    )
)
def test_an_updated_index_equals_a_new_one(
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
    with (
        closing(Index.open(config.indexes / config.index)) as updated,
        closing(Index.open(fresh.indexes / fresh.index)) as rebuilt,
    ):
        assert updated.list_articles() == rebuilt.list_articles()
        assert updated.read_checksums() == rebuilt.read_checksums()
        for article in rebuilt.list_articles():
            assert updated.read_passages(article.source) == rebuilt.read_passages(article.source)
            ours, theirs = updated.read_embeddings(article.source), rebuilt.read_embeddings(article.source)
            np.testing.assert_array_equal(ours.vectors, theirs.vectors)
            assert [tokens.tolist() for tokens in ours.tokens] == [tokens.tolist() for tokens in theirs.tokens]


def test_without_paths_those_of_the_last_build_are_used(config: Config, open_index: OpenIndex, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "lake.txt").write_text("The lake froze.\n")
    build(config, other)
    assert build(config).unchanged == 1
    assert [article.source for article in open_index().list_articles()] == ["lake.txt"]


def test_files_that_cannot_be_articles_are_reported_and_the_rest_is_indexed(
    config: Config, open_index: OpenIndex
) -> None:
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
    wide = open_index().read_document("wide.txt")
    assert wide is not None
    assert wide.text.startswith("Jezero zamrzlo")


def test_an_article_that_can_no_longer_be_read_is_kept_as_it_was(config: Config, open_index: OpenIndex) -> None:
    build(config)
    orchard = config.corpus / "orchard.txt"
    orchard.unlink()
    # Nobody can open a link to itself, not even root.
    orchard.symlink_to(orchard)
    summary = build(config)
    assert str(summary) == "2 files: 1 unchanged, 1 kept; 2 passages in “default”"
    assert [entry.source for entry in summary.kept] == ["orchard.txt"]
    (config.corpus / "harbour.txt").write_text("The harbour closed.\n")
    assert build(config).changed == 1
    kept = open_index().read_document("orchard.txt")
    assert kept is not None
    assert kept.text == ORCHARD
    orchard.unlink()
    assert build(config).removed == 1


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_can_no_longer_be_read_keeps_its_articles(config: Config) -> None:
    folder = config.corpus / "fruit"
    folder.mkdir()
    (config.corpus / "orchard.txt").rename(folder / "orchard.txt")
    build(config)
    folder.chmod(0)
    summary = build(config)
    folder.chmod(0o700)
    assert [entry.source for entry in summary.kept] == ["fruit/orchard.txt"]


def test_a_corpus_without_articles_does_not_replace_the_old_index(config: Config, open_index: OpenIndex) -> None:
    build(config)
    for file in config.corpus.iterdir():
        file.unlink()
    with pytest.raises(DocumentError, match=r"no article in .*left unchanged"):
        build(config)
    assert open_index().read_document("harbour.txt") is not None


def test_if_no_file_is_an_article_the_error_gives_the_reasons(config: Config) -> None:
    (config.corpus / "harbour.txt").write_bytes(b"")
    (config.corpus / "orchard.txt").rename(config.corpus / "orchard.doc")
    with pytest.raises(DocumentError, match=r"harbour\.txt: It is empty\. orchard\.doc: This format is not supported"):
        build(config)


def test_a_file_name_is_found_composed_or_decomposed(config: Config, open_index: OpenIndex) -> None:
    decomposed = unicodedata.normalize("NFD", "Žluťoučký kůň.txt")
    (config.corpus / decomposed).write_text("The horse was yellow.\n")
    build(config)
    index = open_index()
    typed = unicodedata.normalize("NFC", decomposed)
    assert typed != decomposed
    assert index.open_article(typed).source == decomposed
    vector = WordEncoder().encode(["horse"], "query").vectors[0]
    for pattern in (typed, "Žluťoučký*"):
        assert len(index.search(vector, 3, Filter(sources=(pattern,)))) == 1


def test_a_filter_accepts_hundreds_of_names(config: Config, open_index: OpenIndex) -> None:
    build(config)
    names = tuple(f"článek {number}.txt" for number in range(700))
    vector = WordEncoder().encode(["harbour"], "query").vectors[0]
    assert len(open_index().search(vector, 9, Filter(sources=(*names, "harbour.txt", "orch*")))) == 2


def test_a_missing_folder_is_named(config: Config, tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="nowhere"):
        build(config, tmp_path / "nowhere")


def test_an_index_of_another_encoder_is_refused_until_it_is_rebuilt(config: Config) -> None:
    build(config)
    with pytest.raises(IndexMismatch, match="rag index --rebuild --index default"):
        build(config, encoder=WordEncoder("other"))
    assert build(config, encoder=WordEncoder("other"), rebuild=True).new == 2


def test_a_damaged_index_is_refused_until_it_is_rebuilt(config: Config, open_index: OpenIndex) -> None:
    build(config)
    (vectors,) = config.indexes.rglob(VECTORS)
    vectors.write_bytes(vectors.read_bytes()[:-1] + b"\0\0")
    with pytest.raises(IndexDamaged, match="rag index --rebuild --index default"):
        build(config)
    build(config, rebuild=True)
    assert open_index().manifest.passages == 2


def test_rebuilding_an_index_of_another_format_uses_its_paths(
    config: Config, open_index: OpenIndex, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "lake.txt").write_text("The lake froze.\n")
    build(config, other)
    manifest = read_manifest(config.indexes / "default")[1] / MANIFEST
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "format": 99}))
    build(config, rebuild=True)
    assert [article.source for article in open_index().list_articles()] == ["lake.txt"]


def test_an_index_with_an_unreadable_manifest_is_not_rebuilt_from_another_corpus(config: Config) -> None:
    build(config)
    (read_manifest(config.indexes / "default")[1] / MANIFEST).write_text("{")
    with pytest.raises(IndexDamaged, match="Name the folders"):
        build(config, rebuild=True)
    assert build(config, config.corpus, rebuild=True).new == 2


def test_a_folder_that_cannot_be_written_to_is_named(config: Config) -> None:
    config.indexes.write_text("a file, not a folder")
    with pytest.raises(StoreError, match=r"Nothing can be written to .*RAG_INDEXES"):
        build(config)


def test_only_one_process_builds_at_a_time(config: Config) -> None:
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
def test_after_a_kill_at_any_moment_the_index_holds_the_whole_old_or_the_whole_new_state(
    config: Config, open_index: OpenIndex, delay: float
) -> None:
    build(config)
    before = open_index().list_articles()
    for number in range(200):
        (config.corpus / f"new{number}.txt").write_text(f"Number {number} came.\n")
    command = [sys.executable, "-c", SLOW_BUILD, str(config.corpus), str(config.indexes), "0.005"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT, env={**os.environ}) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"encoding\n"
        time.sleep(delay)
        child.send_signal(signal.SIGKILL)
    articles = open_index().list_articles()
    assert articles == before or len(articles) == len(before) + 200
    assert build(config).passages == 202
    assert len(open_index().list_articles()) == 202
    assert find_unused_files(config.indexes / "default") == []


class Interrupted(WordEncoder):
    """An encoder that raises KeyboardInterrupt, like Ctrl-C, at the last of its permitted calls."""

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
def test_an_interrupted_build_is_resumed(config: Config, open_index: OpenIndex, rebuild: bool) -> None:
    write_many(config)
    policy = MergePolicy(batch=5, small=3)
    interrupted = Interrupted(calls=4)
    with pytest.raises(KeyboardInterrupt):
        build_index((), config, interrupted, rebuild, policy=policy)
    assert len(interrupted.encoded) == 15
    (config.corpus / "new00.txt").write_text("Number 0 changed its mind.\n")
    (config.corpus / "new01.txt").unlink()
    encoder = WordEncoder()
    assert build_index((), config, encoder, rebuild, policy=policy).new == 21
    assert set(encoder.encoded).isdisjoint(set(interrupted.encoded))
    assert "Number 0 changed its mind." in encoder.encoded
    assert len(encoder.encoded) == 8
    index = open_index()
    assert {article.source for article in index.list_articles()} == {file.name for file in config.corpus.iterdir()}
    assert find_unused_files(config.indexes / "default") == []
    content = b"".join(file.read_bytes() for file in config.indexes.rglob("*") if file.is_file())
    assert b"Number 1 came" not in content


def test_an_interrupted_build_with_another_encoder_is_not_resumed(config: Config) -> None:
    write_many(config)
    interrupted = Interrupted(calls=4)
    with pytest.raises(KeyboardInterrupt):
        build_index((), config, interrupted, policy=MergePolicy(batch=5))
    encoder = WordEncoder("other")
    build(config, encoder=encoder)
    assert len(encoder.encoded) == 22
    assert find_unused_files(config.indexes / "default") == []


def test_a_corpus_is_encoded_in_batches_and_a_large_article_in_several_calls(
    config: Config, open_index: OpenIndex
) -> None:
    write_many(config)
    paragraphs = [f"Paragraph {number} of a long article. " + "Words follow words here. " * 30 for number in range(40)]
    (config.corpus / "long.txt").write_text("\n\n".join(paragraphs))
    reported: list[tuple[int, int]] = []
    sizes: list[int] = []

    class Counting(WordEncoder):
        def encode(self, texts: Sequence[str], role: Role, progress: Progress | None = None) -> Embeddings:
            sizes.append(len(texts))
            return super().encode(texts, role, progress)

    summary = build_index(
        (), config, Counting(), progress=lambda *done: reported.append(done), policy=MergePolicy(batch=8)
    )
    assert max(sizes) <= 16
    assert sum(sizes) == summary.passages == open_index().manifest.passages
    assert [done for done, _ in reported] == sorted(done for done, _ in reported)
    assert reported[-1] == (summary.passages, summary.passages)
    assert len(open_index().read_passages("long.txt")) > 16


def test_a_small_corpus_is_encoded_in_one_call(config: Config) -> None:
    write_many(config)
    calls = Interrupted(calls=2)
    build(config, encoder=calls)
    assert calls.calls == 1


def test_a_build_with_nothing_to_do_removes_what_a_killed_build_left(config: Config, open_index: OpenIndex) -> None:
    build(config)
    generation = open_index().generation
    folder = config.indexes / config.index
    left = folder / "20200101T000000-0123abcd"
    shutil.copytree(folder / generation, left)
    build(config)
    assert not left.exists()
    assert open_index().generation == generation
