"""A corpus encoded by several worker processes, one of them killed in the middle: not a bit is different."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from rag.config import Config
from rag.encoding.encoder import CHUNK, arrange
from rag.encoding.ray_workers import RayEncoder, load_encoder
from rag.errors import ModelError, ModelMissing
from rag.index.index import Index
from rag.ingest.build import build_index
from rag.testing import WordEncoder
from rag.types import Embeddings, Progress, Role
from tests.served import wait_until

TEXTS = [" ".join(f"word{number % 7}" for _ in range(1 + number % 50)) for number in range(5 * CHUNK + 3)]


class ChunkEncoder(WordEncoder):
    """Its vectors depend on the texts that share a chunk, as those of a model do on those that share a batch."""

    def encode(self, texts: Sequence[str], role: Role, progress: Progress | None = None) -> Embeddings:
        encodings = super().encode(texts, role, progress)
        for rows in arrange(texts):
            encodings.vectors[rows] *= np.float32(1 / (1 + sum(len(texts[row]) for row in rows)))
        return encodings


class MortalEncoder(ChunkEncoder):
    """The first worker that encodes leaves a note of it and is killed."""

    def __init__(self, notes: Path) -> None:
        super().__init__()
        self.notes = notes

    def encode(self, texts: Sequence[str], role: Role, progress: Progress | None = None) -> Embeddings:
        try:
            (self.notes / "killed").touch(exist_ok=False)
        except FileExistsError:
            (self.notes / f"worker {os.getpid()}").touch()
            return super().encode(texts, role, progress)
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError("it is dead")


class FailingEncoder(ChunkEncoder):
    def encode(self, texts: Sequence[str], role: Role, progress: Progress | None = None) -> Embeddings:
        raise ModelError("There is no memory left.")


def spread(make: Callable[[], WordEncoder], workers: int = 2) -> RayEncoder:
    return RayEncoder(ChunkEncoder(), make, Config(workers=workers))


def assert_same(one: Embeddings, other: Embeddings) -> None:
    assert one.vectors.tobytes() == other.vectors.tobytes()
    assert [tokens.tobytes() for tokens in one.tokens] == [tokens.tobytes() for tokens in other.tokens]
    assert {tokens.shape[1:] for tokens in one.tokens} == {tokens.shape[1:] for tokens in other.tokens}


def test_what_two_workers_make_is_the_same_although_one_is_killed_in_the_middle(tmp_path: Path) -> None:
    done = []
    before = descend(os.getpid())
    heard: set[str] = set()

    def note(*progress: int) -> None:
        done.append(progress)
        heard.update(listen(descend(os.getpid())))

    encodings = spread(partial(MortalEncoder, tmp_path)).encode(TEXTS, "passage", note)
    assert_same(encodings, ChunkEncoder().encode(TEXTS, "passage"))
    assert (tmp_path / "killed").exists()
    assert list(tmp_path.glob("worker *"))
    assert [total for _, total in done] == [len(TEXTS)] * 6
    assert [count for count, _ in done] == sorted(count for count, _ in done)
    assert done[-1][0] == len(TEXTS)
    # Nothing listens but on 127.0.0.0/8 and ::1, and nothing is reported.
    assert heard
    assert {one for one in heard if not one.endswith("7F") and one != f"{'0' * 24}01000000"} == set()
    assert os.environ["RAY_USAGE_STATS_ENABLED"] == "0"
    # Servers of other tests in this process may still listen: nothing of Ray's is left.
    wait_until(lambda: descend(os.getpid()) <= before, seconds=60)


def test_what_workers_fail_at_is_told_in_a_sentence_with_the_remedy() -> None:
    with pytest.raises(ModelError, match=r"Ray's workers on this machine failed: .*There is no memory left"):
        spread(FailingEncoder).encode(TEXTS, "passage")


def test_a_worker_with_another_encoder_is_refused() -> None:
    with pytest.raises(ModelError, match="another encoder"):
        spread(partial(ChunkEncoder, "other")).encode(TEXTS, "passage")


def test_a_cluster_that_is_not_there_is_named() -> None:
    encoder = RayEncoder(ChunkEncoder(), ChunkEncoder, Config(ray="127.0.0.1:1"))
    with pytest.raises(ModelError, match=r"Ray's workers on 127.0.0.1:1 failed: .* Check RAG_RAY"):
        encoder.encode(TEXTS, "passage")


def test_questions_and_a_few_passages_are_encoded_in_this_process() -> None:
    encoder = spread(FailingEncoder)
    assert_same(encoder.encode(TEXTS, "query"), ChunkEncoder().encode(TEXTS, "query"))
    assert_same(encoder.encode(TEXTS[:CHUNK], "passage"), ChunkEncoder().encode(TEXTS[:CHUNK], "passage"))
    assert encoder.encode([], "passage").vectors.shape == (0, 64)


def descend(process: int) -> set[int]:
    """A process and all those that came of it and have not ended."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, parent = stat.read_text().rpartition(")")[2].split()[:2]
            if state != "Z":
                parents[int(stat.parent.name)] = int(parent)
    family = {process}
    while more := {child for child, parent in parents.items() if parent in family} - family:
        family |= more
    return family


def listen(processes: set[int]) -> Iterator[str]:
    """The addresses, as the system writes them, on which processes listen."""
    sockets = set()
    for one in processes:
        for descriptor in Path(f"/proc/{one}/fd").glob("*"):
            with suppress(OSError):
                sockets.add(str(descriptor.readlink()))
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            _, local, _, state, *_, inode = line.split()[:10]
            if state == "0A" and f"socket:[{inode}]" in sockets:
                yield local.partition(":")[0]


def test_an_index_built_by_workers_is_the_same(tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for number in range(3 * CHUNK):
        text = " ".join(f"boat{number} came in" for _ in range(1 + number % 9))
        (corpus / f"{number:03}.txt").write_text(f"{text}.\n", encoding="utf-8")
    config = Config(corpus=corpus, indexes=tmp_path / "indexes", workers=2)
    hits = []
    for encoder in (WordEncoder(), RayEncoder(WordEncoder(), WordEncoder, config)):
        build_index(config=config, encoder=encoder, rebuild=True)
        index = Index.open(tmp_path / "indexes" / "default")
        hits.append([index.search(vector, 5) for vector in WordEncoder().encode(["boat7", "boat99"], "query").vectors])
        index.close()
    assert hits[0] == hits[1]


def test_without_workers_the_encoder_is_that_of_this_process_and_ray_is_not_imported(tmp_path: Path) -> None:
    code = "import sys, rag.encoding.ray_workers, rag.ingest.build; assert 'ray' not in sys.modules"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    with pytest.raises(ModelMissing):
        load_encoder(Config(cache=tmp_path))


def test_without_the_ray_package_the_message_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    for config in (Config(workers=2), Config(ray="10.0.0.1:6379")):
        with pytest.raises(ModelError, match=r"pip install -e '\.\[ray\]'"):
            load_encoder(config)
