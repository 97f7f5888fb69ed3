"""A watched index follows real files that are added, changed, removed and replaced, in bursts."""

import shutil
import signal
import threading
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
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
News = Generator[Summary | RagError, None, None]


@pytest.fixture(autouse=True)
def deadline() -> Iterator[None]:
    """End a test that waits for a change which is never noticed."""

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
def news(config: Config) -> Iterator[News]:
    """Yields the results of updates, after a first one that found nothing to do."""
    build_index(config=config, encoder=WordEncoder())
    with watching(config) as news:
        yield news


@contextmanager
def watching(config: Config, encoder: WordEncoder | None = None) -> Iterator[News]:
    news = keep_index(config, encoder or WordEncoder())
    with closing(news):
        assert counts(next(news)) == (0, 0, 0)
        yield news


def counts(result: Summary | RagError) -> tuple[int, int, int]:
    """Return the number of new, changed and removed files."""
    assert isinstance(result, Summary)
    return result.new, result.changed, result.removed


def test_added_changed_and_removed_files_are_noticed(config: Config, news: News) -> None:
    lake = config.corpus / "lake.txt"
    lake.write_text("The lake froze.\n")
    assert counts(next(news)) == (1, 0, 0)
    lake.write_text("The lake thawed again.\n")
    assert counts(next(news)) == (0, 1, 0)
    lake.unlink()
    assert counts(next(news)) == (0, 0, 1)


def test_only_new_text_is_encoded_and_an_open_assistant_switches_to_it(config: Config) -> None:
    build_index(config=config, encoder=WordEncoder())
    index = Index.open(config.indexes / config.index)
    prompts = Prompts.load(ROOT / "prompts")
    encoder = WordEncoder()
    assistant = Assistant(config, index, WordEncoder(), ScriptedGenerator(""), prompts, SPEAKING)
    with closing(index), watching(config, encoder) as news:
        (config.corpus / "lake.txt").write_text("The lake froze.\n")
        next(news)
        assert encoder.encoded == ["The lake froze."]
        assert assistant.refresh()
        assert assistant.search("lake froze")[0].passage.source == "lake.txt"
        assistant.index.close()


def test_changes_during_a_build_are_processed_together(config: Config, news: News) -> None:
    for number in range(BURST):
        (config.corpus / f"{number}.txt").write_text(f"Report {number}.\n")
    assert counts(next(news)) == (BURST, 0, 0)


def test_a_burst_of_changes_takes_few_builds_and_loses_nothing(config: Config, news: News) -> None:
    def add_files() -> None:
        for number in range(BURST):
            (config.corpus / f"{number}.txt").write_text(f"Report {number}.\n")
            pause.wait(0.02)

    pause = threading.Event()
    thread = threading.Thread(target=add_files)
    thread.start()
    added = []
    while sum(added) < BURST:
        added.append(counts(next(news))[0])
    thread.join()
    assert sum(added) == BURST
    assert len(added) < BURST / 2


def test_folders_moved_in_and_out_are_noticed(config: Config, news: News, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "lake.txt").write_text("The lake froze.\n")
    outside.rename(config.corpus / "inside")
    assert counts(next(news)) == (1, 0, 0)
    (config.corpus / "inside" / "tower.txt").write_text("The tower leans.\n")
    assert counts(next(news)) == (1, 0, 0)
    (config.corpus / "inside").rename(outside)
    assert counts(next(news)) == (0, 0, 2)


def test_hidden_files_and_the_index_itself_do_not_start_a_build(config: Config) -> None:
    build_index([config.corpus.parent], config, WordEncoder())
    with watching(config) as news:
        (config.corpus / ".lake.txt.swp").write_text("The lake")
        (config.indexes / "other").mkdir()
        (config.indexes / "other" / "manifest.json").write_text("{}")
        threading.Timer(2, (config.corpus / "tower.txt").write_text, ["The tower leans.\n"]).start()
        assert counts(next(news)) == (1, 0, 0)


def test_a_single_file_is_watched_even_if_editors_replace_it(config: Config, tmp_path: Path) -> None:
    harbour = config.corpus / "harbour.txt"
    build_index([harbour], config, WordEncoder())
    with watching(config) as news:
        for text in ("The harbour closed in June.", "The harbour opened again in July."):
            (tmp_path / "new").write_text(text)
            (tmp_path / "new").replace(harbour)
            while counts(next(news)) != (0, 1, 0):
                pass


def test_a_missing_folder_is_an_error_until_it_is_back(config: Config, news: News) -> None:
    shutil.rmtree(config.corpus)
    result = next(news)
    while not isinstance(result, DocumentError):
        result = next(news)
    with closing(Index.open(config.indexes / config.index)) as index:
        assert index.read_document("harbour.txt")
    config.corpus.mkdir()
    (config.corpus / "lake.txt").write_text("The lake froze.\n")
    while isinstance(result := next(news), DocumentError):
        pass
    assert counts(result) == (1, 0, 1)


def test_an_update_waits_while_another_process_builds(config: Config, news: News) -> None:
    lock = FileLock(config.indexes / config.index / LOCK, thread_local=False)
    lock.acquire()
    threading.Timer(1.5, lock.release).start()
    (config.corpus / "lake.txt").write_text("The lake froze.\n")
    assert counts(next(news)) == (1, 0, 0)


def test_a_missing_index_is_an_error(config: Config) -> None:
    with pytest.raises(IndexMissing):
        next(keep_index(config, WordEncoder()))
