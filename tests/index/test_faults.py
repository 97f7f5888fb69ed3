"""An index survives a full disk, missing permissions, damaged files, and readers while it changes."""

import os
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest

from rag.config import ROOT, Config
from rag.errors import StoreError
from rag.index.index import Index
from rag.index.manifest import SEGMENTS, STAGED, find_unused_files
from rag.index.merging import MergePolicy
from rag.index.segment import SEGMENT_INFO, TOKENS
from rag.ingest.build import build_index
from rag.testing import WordEncoder

POLICY = MergePolicy(batch=4, exact=8, small=6, most=60)
LIMITED = """
import resource, sys
from pathlib import Path
from rag.ingest.build import build_index
from rag.index.merging import MergePolicy
from rag.config import Config
from rag.errors import StoreError
from rag.testing import WordEncoder

config = Config(corpus=Path(sys.argv[1]), indexes=Path(sys.argv[2]))
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), resource.RLIM_INFINITY))
try:
    build_index(config=config, encoder=WordEncoder(), policy=MergePolicy(batch=4, exact=8, small=6, most=60))
except StoreError as error:
    print(error)
"""


@pytest.fixture
def config(tmp_path: Path) -> Config:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    config = Config(corpus=corpus, indexes=tmp_path / "indexes", cache=tmp_path / "cache")
    write(config, range(10), "first")
    build(config)
    return config


def write(config: Config, numbers: range, said: str) -> None:
    for number in numbers:
        (config.corpus / f"{number}.txt").write_text(f"Article {number} says {said} of harbour {number}.\n" * 3)


def build(config: Config) -> None:
    build_index(config=config, encoder=WordEncoder(), policy=POLICY)


def read_state(config: Config) -> set[str]:
    with closing(Index.open(config.indexes / config.index)) as index:
        return {index.open_article(article.source).text for article in index.list_articles()}


@pytest.mark.parametrize("limit", [10, 300, 2_000, 8_000, 12_500, 20_000, 30_000])
def test_on_a_full_disk_the_old_index_stays_and_the_next_build_succeeds(config: Config, limit: int) -> None:
    before = read_state(config)
    write(config, range(3, 20), "second")
    command = [sys.executable, "-c", LIMITED, str(config.corpus), str(config.indexes), str(limit)]
    printed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    if limit < 20_000:
        assert "cannot be written" in printed
        assert "Free some disk space" in printed
        assert read_state(config) == before
    build(config)
    assert len(read_state(config)) == 20
    assert find_unused_files(config.indexes / config.index) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_write_permission_is_named(config: Config) -> None:
    before = read_state(config)
    write(config, range(20), "second")
    folder = config.indexes / config.index / SEGMENTS
    folder.chmod(0o500)
    with pytest.raises(StoreError, match=f"cannot be written to .*{config.index}.*permissions"):
        build(config)
    folder.chmod(0o700)
    assert read_state(config) == before


def test_a_file_in_place_of_the_segments_folder_is_an_error_that_names_the_folder(tmp_path: Path) -> None:
    config = Config(corpus=tmp_path / "corpus", indexes=tmp_path / "indexes", cache=tmp_path / "cache")
    config.corpus.mkdir()
    write(config, range(3), "first")
    folder = config.indexes / config.index
    folder.mkdir(parents=True)
    (folder / SEGMENTS).write_text("a file")
    with pytest.raises(StoreError, match="cannot be written to"):
        build(config)


@pytest.mark.parametrize("harm", ["tokens", "segment.json", "STAGED", "all files"])
def test_damaged_segments_of_an_interrupted_build_are_encoded_again(config: Config, harm: str) -> None:
    folder = config.indexes / config.index

    class Interrupted(WordEncoder):
        def encode(self, *arguments: object, **named: object) -> None:  # type: ignore[override]
            if self.encoded:
                raise KeyboardInterrupt
            return super().encode(*arguments, **named)  # type: ignore[arg-type, return-value]

    write(config, range(20, 30), "third")
    with pytest.raises(KeyboardInterrupt):
        build_index(config=config, encoder=Interrupted(), policy=POLICY)
    (staged,) = (folder / STAGED).read_text().split()
    if harm == "tokens":
        content = bytearray((folder / SEGMENTS / staged / TOKENS).read_bytes())
        content[5] ^= 255
        (folder / SEGMENTS / staged / TOKENS).write_bytes(content)
    elif harm == "segment.json":
        (folder / SEGMENTS / staged / SEGMENT_INFO).write_text('{"articles": []}')
    elif harm == "STAGED":
        (folder / STAGED).write_bytes(b"\xff\xfe../..")
    else:
        for file in (folder / SEGMENTS / staged).iterdir():
            file.unlink()
    encoder = WordEncoder()
    build_index(config=config, encoder=encoder, policy=POLICY)
    assert len(encoder.encoded) == 10
    assert len(read_state(config)) == 20
    assert find_unused_files(folder) == []


def test_ten_readers_always_see_a_complete_generation_during_builds(config: Config) -> None:
    states = [read_state(config)]
    seen: list[set[str]] = []
    errors: list[Exception] = []
    done = threading.Event()
    question = WordEncoder().encode(["harbour 4"], "query").vectors[0]

    def read_repeatedly() -> None:
        while not done.is_set():
            try:
                with closing(Index.open(config.indexes / config.index)) as index:
                    assert "harbour" in index.read_passage(index.search(question, 1)[0][0]).text
                    texts = {index.open_article(article.source).text for article in index.list_articles()}
                    seen.append(texts)
            except Exception as error:
                errors.append(error)
                return

    readers = [threading.Thread(target=read_repeatedly) for _ in range(10)]
    for reader in readers:
        reader.start()
    for turn in range(6):
        write(config, range(turn * 3, turn * 3 + 8), f"turn {turn}")
        (config.corpus / f"{turn}.txt").unlink()
        build(config)
        states.append(read_state(config))
    done.set()
    for reader in readers:
        reader.join()
    assert errors == []
    assert seen
    assert all(state in states for state in seen)
