"""An index that is kept up to date: real files that come, change, go, and come back, in bursts."""

import shutil
import signal
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from filelock import FileLock

from rag.assistant import Assistant
from rag.config import ROOT, Config
from rag.errors import DocumentError, IndexMissing, RagError
from rag.index.index import Index
from rag.ingest.build import LOCK, Summary, build_index
from rag.ingest.watch import keep_index
from rag.testing import SPEAKING, ScriptedGenerator, WordEncoder
from rag.text.prompts import Prompts

SECONDS = 60
BURST = 20
News = Iterator[Summary | RagError]


@pytest.fixture(autouse=True)
def deadline() -> Iterator[None]:
    """A change that is not noticed would be waited for without end."""

    def end(*_: object) -> None:
        raise TimeoutError

    signal.signal(signal.SIGALRM, end)
    signal.alarm(SECONDS)
    yield
    signal.alarm(0)


@pytest.fixture
def config(tmp_path: Path) -> Config:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    (corpus / "harbour.txt").write_text("The harbour opened in May.\n")
    return Config(corpus=corpus, indexes=tmp_path / "indexes", cache=tmp_path / "cache")


@pytest.fixture
def news(config: Config) -> News:
    """What is told from the moment on that watching has begun and nothing was found to do."""
    build_index(config=config, encoder=WordEncoder())
    news = keep_index(config, WordEncoder())
    assert counts(next(news)) == (0, 0, 0)
    return news


def counts(told: Summary | RagError) -> tuple[int, int, int]:
    """New, changed and removed files."""
    assert isinstance(told, Summary)
    return told.new, told.changed, told.removed


def test_files_that_come_change_and_go_are_taken_up(config: Config, news: News) -> None:
    lake = config.corpus / "lake.txt"
    lake.write_text("The lake froze.\n")
    assert counts(next(news)) == (1, 0, 0)
    lake.write_text("The lake thawed again.\n")
    assert counts(next(news)) == (0, 1, 0)
    lake.unlink()
    assert counts(next(news)) == (0, 0, 1)


def test_only_what_is_new_is_encoded_and_an_open_assistant_goes_over_to_it(config: Config) -> None:
    build_index(config=config, encoder=WordEncoder())
    index = Index.open(config.indexes / config.index)
    prompts = Prompts.load(ROOT / "prompts")
    assistant = Assistant(config, index, WordEncoder(), ScriptedGenerator(""), prompts, SPEAKING)
    encoder = WordEncoder()
    news = keep_index(config, encoder)
    next(news)
    (config.corpus / "lake.txt").write_text("The lake froze.\n")
    next(news)
    assert encoder.encoded == ["The lake froze."]
    assert assistant.refresh()
    assert assistant.search("lake froze")[0].passage.source == "lake.txt"


def test_what_changes_while_it_builds_is_taken_up_together(config: Config, news: News) -> None:
    for number in range(BURST):
        (config.corpus / f"{number}.txt").write_text(f"Report {number}.\n")
    assert counts(next(news)) == (BURST, 0, 0)


def test_a_burst_takes_few_builds_and_loses_nothing(config: Config, news: News) -> None:
    def arrive() -> None:
        for number in range(BURST):
            (config.corpus / f"{number}.txt").write_text(f"Report {number}.\n")
            pause.wait(0.02)

    pause = threading.Event()
    thread = threading.Thread(target=arrive)
    thread.start()
    taken = []
    while sum(taken) < BURST:
        taken.append(counts(next(news))[0])
    thread.join()
    assert sum(taken) == BURST
    assert len(taken) < BURST / 2


def test_folders_that_are_moved_in_and_out_are_taken_up(config: Config, news: News, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "lake.txt").write_text("The lake froze.\n")
    outside.rename(config.corpus / "inside")
    assert counts(next(news)) == (1, 0, 0)
    (config.corpus / "inside" / "tower.txt").write_text("The tower leans.\n")
    assert counts(next(news)) == (1, 0, 0)
    (config.corpus / "inside").rename(outside)
    assert counts(next(news)) == (0, 0, 2)


def test_hidden_files_and_the_index_itself_wake_nobody(config: Config) -> None:
    build_index([config.corpus.parent], config, WordEncoder())
    news = keep_index(config, WordEncoder())
    assert counts(next(news)) == (0, 0, 0)
    (config.corpus / ".lake.txt.swp").write_text("The lake")
    (config.indexes / "other").mkdir()
    (config.indexes / "other" / "manifest.json").write_text("{}")
    threading.Timer(2, (config.corpus / "tower.txt").write_text, ["The tower leans.\n"]).start()
    assert counts(next(news)) == (1, 0, 0)


def test_a_file_that_was_named_is_followed_when_editors_replace_it(config: Config, tmp_path: Path) -> None:
    harbour = config.corpus / "harbour.txt"
    build_index([harbour], config, WordEncoder())
    news = keep_index(config, WordEncoder())
    next(news)
    for words in ("The harbour closed in June.", "The harbour opened again in July."):
        (tmp_path / "draft").write_text(words)
        (tmp_path / "draft").replace(harbour)
        while counts(next(news)) != (0, 1, 0):
            pass


def test_a_folder_that_vanishes_and_comes_back_is_an_error_only_meanwhile(config: Config, news: News) -> None:
    shutil.rmtree(config.corpus)
    told = next(news)
    while not isinstance(told, DocumentError):
        told = next(news)
    with closing(Index.open(config.indexes / config.index)) as index:
        assert index.read_document("harbour.txt")
    config.corpus.mkdir()
    (config.corpus / "lake.txt").write_text("The lake froze.\n")
    while isinstance(told := next(news), DocumentError):
        pass
    assert counts(told) == (1, 0, 1)


def test_while_another_process_builds_it_waits_for_its_turn(config: Config, news: News) -> None:
    lock = FileLock(config.indexes / config.index / LOCK, thread_local=False)
    lock.acquire()
    threading.Timer(1.5, lock.release).start()
    (config.corpus / "lake.txt").write_text("The lake froze.\n")
    assert counts(next(news)) == (1, 0, 0)


def test_there_must_be_an_index(config: Config) -> None:
    with pytest.raises(IndexMissing):
        next(keep_index(config, WordEncoder()))
