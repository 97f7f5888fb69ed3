"""A corpus encoded by several worker processes, one of which is killed: every bit is the same."""

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
from rag.encoding.load import load_encoder
from rag.encoding.ray_workers import RayEncoder
from rag.encoding.transformer import GROUP, arrange
from rag.errors import ModelError, ModelMissing
from rag.index.index import Index
from rag.ingest.build import build_index
from rag.testing import WordEncoder
from rag.types import Embeddings, Progress, Role
from tests.served import wait_until

TEXTS = [" ".join(f"word{number % 7}" for _ in range(1 + number % 50)) for number in range(5 * GROUP + 3)]


class GroupEncoder(WordEncoder):
    """An encoder whose vectors depend on the other texts of a group, as those of a model depend on their batch."""

    def encode(self, texts: Sequence[str], role: Role, progress: Progress | None = None) -> Embeddings:
        embeddings = super().encode(texts, role, progress)
        for rows in arrange(texts):
            embeddings.vectors[rows] *= np.float32(1 / (1 + sum(len(texts[row]) for row in rows)))
        return embeddings


class MortalEncoder(GroupEncoder):
    """An encoder that leaves a note and kills its process, in the first worker that encodes."""

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
        raise AssertionError("The process was killed.")


class FailingEncoder(GroupEncoder):
    def encode(self, texts: Sequence[str], role: Role, progress: Progress | None = None) -> Embeddings:
        raise ModelError("There is no memory left.")


def spread(make: Callable[[], WordEncoder], workers: int = 2) -> RayEncoder:
    return RayEncoder(GroupEncoder(), make, Config(workers=workers))


def assert_same(one: Embeddings, other: Embeddings) -> None:
    assert one.vectors.tobytes() == other.vectors.tobytes()
    assert [tokens.tobytes() for tokens in one.tokens] == [tokens.tobytes() for tokens in other.tokens]
    assert {tokens.shape[1:] for tokens in one.tokens} == {tokens.shape[1:] for tokens in other.tokens}


def test_two_workers_encode_the_same_although_one_is_killed(tmp_path: Path) -> None:
    reported = []
    before = list_family(os.getpid())
    listening: set[str] = set()

    def note(*progress: int) -> None:
        reported.append(progress)
        listening.update(list_listeners(list_family(os.getpid())))

    embeddings = spread(partial(MortalEncoder, tmp_path)).encode(TEXTS, "passage", note)
    assert_same(embeddings, GroupEncoder().encode(TEXTS, "passage"))
    assert (tmp_path / "killed").exists()
    assert list(tmp_path.glob("worker *"))
    assert [total for _, total in reported] == [len(TEXTS)] * 6
    assert [done for done, _ in reported] == sorted(done for done, _ in reported)
    assert reported[-1][0] == len(TEXTS)
    # All processes listen on 127.0.0.0/8 and ::1 only, and the use of Ray is not reported.
    assert listening
    assert {one for one in listening if not one.endswith("7F") and one != f"{'0' * 24}01000000"} == set()
    assert os.environ["RAY_USAGE_STATS_ENABLED"] == "0"
    # Other tests of this process may have left processes, but Ray leaves none.
    wait_until(lambda: list_family(os.getpid()) <= before, seconds=60)


def test_a_failure_of_the_workers_is_reported_with_its_reason() -> None:
    with pytest.raises(ModelError, match=r"Ray's workers on this machine failed: .*There is no memory left"):
        spread(FailingEncoder).encode(TEXTS, "passage")


def test_a_worker_with_a_different_encoder_is_refused() -> None:
    with pytest.raises(ModelError, match="different encoder"):
        spread(partial(GroupEncoder, "other")).encode(TEXTS, "passage")


def test_an_unreachable_cluster_is_named() -> None:
    encoder = RayEncoder(GroupEncoder(), GroupEncoder, Config(ray="127.0.0.1:1"))
    with pytest.raises(ModelError, match=r"Ray's workers on 127.0.0.1:1 failed: .* Check RAG_RAY"):
        encoder.encode(TEXTS, "passage")


def test_questions_and_a_few_passages_are_encoded_in_this_process() -> None:
    encoder = spread(FailingEncoder)
    assert_same(encoder.encode(TEXTS, "query"), GroupEncoder().encode(TEXTS, "query"))
    assert_same(encoder.encode(TEXTS[:GROUP], "passage"), GroupEncoder().encode(TEXTS[:GROUP], "passage"))
    assert encoder.encode([], "passage").vectors.shape == (0, 64)


def list_family(process: int) -> set[int]:
    """Return a process and all its running descendants."""
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


def list_listeners(processes: set[int]) -> Iterator[str]:
    """Yield the addresses on which processes listen, in the notation of /proc/net."""
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
    for number in range(3 * GROUP):
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


def test_without_workers_the_encoder_runs_in_this_process_and_ray_is_not_imported(tmp_path: Path) -> None:
    code = "import sys, rag.encoding.load, rag.ingest.build; assert 'ray' not in sys.modules"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    with pytest.raises(ModelMissing):
        load_encoder(Config(cache=tmp_path), corpus=True)


def test_without_the_ray_package_the_message_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    for config in (Config(workers=2), Config(ray="10.0.0.1:6379")):
        with pytest.raises(ModelError, match=r"pip install -e '\.\[ray\]'"):
            load_encoder(config, corpus=True)


def test_a_question_is_encoded_without_workers_whatever_is_configured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ModelMissing):
        load_encoder(Config(cache=tmp_path, workers=2))
