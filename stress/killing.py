"""A corpus that changes, its index, and a child that is killed while it brings the one up to date with the other."""

import ctypes
import hashlib
import multiprocessing
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from multiprocessing.process import BaseProcess
from pathlib import Path

import numpy as np

from rag.config import Config
from rag.errors import IndexMissing
from rag.index.index import Index
from rag.index.manifest import find_unused_files
from rag.index.merging import MergePolicy
from rag.ingest.build import build_index
from rag.protocols import Encoder
from rag.testing import make_projection
from rag.text.language import detect
from rag.types import Embeddings, Progress, Role, Vectors

POLICY = MergePolicy(batch=8, exact=30, small=12, most=150, removed_share=0.4)
FILES = 40
WORDS = ("harbour", "orchard", "lake", "tower", "bridge", "river", "market", "school", "winter", "summer", "train")
DIMENSION = 32
LAST = 40
"""Moments at the end of a build in which it switches and cleans up, with some before."""
HANGS = 300.0
"""Seconds after which a build that goes on is taken for one that never ends."""
FINISHED = 0.3
"""Share of the kills after which the build is run again to its end."""
MOMENTS = {"open", "os.rename", "os.remove", "os.mkdir", "os.link", "shutil.rmtree", "sqlite3.connect"}
"""What Python tells of what a build does to files."""
State = dict[str, str]
"""Source of each article → its text."""


# Children are copies of a process that has imported this: none of them loads the models of languages again.
detect(" ".join(WORDS))


class HashEncoder:
    """An Encoder that makes a vector of a text's checksum, so that it is known what an index must hold."""

    name = "hash"
    dimension = DIMENSION
    max_tokens = 500
    projection = make_projection(DIMENSION)

    @classmethod
    def load(cls, _: Config) -> "HashEncoder":
        """One, whatever is configured."""
        return cls()

    def describe(self) -> dict[str, object]:
        """Its name."""
        return {"name": self.name}

    def warm(self) -> None:
        """It is."""

    def encode(self, texts: Sequence[str], role: Role, progress: Progress | None = None) -> Embeddings:  # noqa: ARG002
        """A vector and one token for each text."""
        vectors = np.array([make_vector(text) for text in texts], np.float32).reshape(len(texts), DIMENSION)
        return Embeddings(vectors, tuple(np.rint(vector * 127).astype(np.int8).reshape(1, 1, -1) for vector in vectors))

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Words."""
        return [len(text.split()) for text in texts]


def make_vector(text: str) -> Vectors:
    """A unit vector that no other text has."""
    chance = np.random.default_rng(int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]))
    vector = chance.normal(size=DIMENSION).astype(np.float32)
    return np.asarray(vector / np.linalg.norm(vector), dtype=np.float32)


class Children:
    """Builds in processes of their own, one at a time, and how many moments the last has seen."""

    def __init__(self, *preload: str) -> None:
        # Not copies of this process: threads of the libraries that it has used would be missing in them.
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["stress.killing", "faiss", *preload])
        # Whoever is killed while it holds a lock leaves everybody else waiting for it, so there is none.
        self._seen: ctypes.c_int = self._context.Value("i", 0, lock=False)

    @property
    def moments(self) -> int:
        """How many the last has seen."""
        return self._seen.value

    def start(self, work: Callable[..., None], *told: object) -> BaseProcess:
        """Begin `work(*told, seen)`."""
        self._seen.value = 0
        child = self._context.Process(target=work, args=(*told, self._seen))
        child.start()
        return child


def await_end(child: BaseProcess) -> bool:
    """Whether a build ended by itself, or was killed. Raises AssertionError where it goes on for ever, or fails."""
    child.join(HANGS)
    if child.exitcode is None:
        child.kill()
        raise AssertionError(f"a build goes on after {HANGS:.0f} seconds")
    check(child.exitcode in (0, -signal.SIGKILL), f"a build ended with {child.exitcode}")
    return child.exitcode == 0


def build(
    config: Config, load: Callable[[Config], Encoder], policy: MergePolicy, fatal: int, seen: ctypes.c_int
) -> None:
    """Bring the index up to date, counting moments, or die at the one of that number; 0 is none."""
    encoder = load(config)
    count_moments(fatal, seen)
    build_index(config=config, encoder=encoder, policy=policy)


def count_moments(fatal: int, seen: ctypes.c_int) -> None:
    """Count what this process does to files from now on, and die at the moment of that number; 0 is none."""

    def count(event: str, _: object) -> None:
        if event in MOMENTS:
            seen.value += 1
            if seen.value == fatal:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(count)


class Trial:
    """A corpus, its index, and what befalls them."""

    def __init__(self, folder: Path, seed: int = 0) -> None:
        self.config = Config(corpus=folder / "corpus", indexes=folder / "indexes")
        self.config.corpus.mkdir()
        self._chance = random.Random(seed)  # noqa: S311 - nothing is to be kept secret
        self._children = Children()
        self.outcomes: Counter[str] = Counter()
        """How many killed builds left the old and how many the new state."""
        self._moments = LAST
        self._seconds = 1.0
        self._write({number: self._compose(number) for number in range(FILES // 2)})

    def run(self, kills: int, advance: Callable[[int], object]) -> Counter[str]:
        """Kill so many builds; how many left the old and how many the new state. Raises AssertionError."""
        self._finish()
        outcomes = self.outcomes
        while outcomes.total() < kills:
            self._change()
            old, new = self._read_index(), self._read_corpus()
            if not self._kill(by_time=outcomes.total() % 2 == 0):
                check(self._read_index() == new, "a build that ended does not hold the corpus")
                continue
            now = self._read_index()
            check(now in (old, new), "neither the whole old nor the whole new state")
            outcomes["new" if now == new else "old"] += 1
            advance(1)
            if self._chance.random() < FINISHED:
                self._finish()
        return outcomes

    def _kill(self, by_time: bool) -> bool:
        """Begin a build; whether it was killed before it had ended."""
        # Every other time near the end, where it switches and cleans up.
        first = self._chance.choice((1, max(1, self._moments - LAST)))
        began = time.monotonic()
        child = self._begin(0 if by_time else self._chance.randint(first, max(first, self._moments)))
        if by_time:
            child.join(self._chance.uniform(self._seconds / 2, self._seconds))
            child.kill()
        ended = await_end(child)
        if ended:
            # The next is to be killed sooner.
            self._moments = self._children.moments
            self._seconds = time.monotonic() - began
        return not ended

    def _finish(self) -> None:
        """Let a build end, and compare what it leaves with the corpus."""
        began = time.monotonic()
        ended = await_end(self._begin(0))
        # One that had to wait for the machine says nothing of the next.
        self._seconds = min(time.monotonic() - began, 1.5 * self._seconds)
        self._moments = self._children.moments
        check(ended, "a build was killed by somebody else")
        check(self._read_index() == self._read_corpus(), "a build that ended does not hold the corpus")
        check(not find_unused_files(self.config.indexes / self.config.index), "a build that ended left something")

    def _begin(self, fatal: int) -> BaseProcess:
        return self._children.start(build, self.config, HashEncoder.load, POLICY, fatal)

    def _change(self) -> None:
        numbers = self._chance.sample(range(FILES), self._chance.choice((1, 3, 15)))
        self._write({number: self._compose(number) if self._chance.random() < 0.6 else None for number in numbers})

    def _compose(self, number: int) -> str:
        said = (" ".join(self._chance.choices(WORDS, k=120)) for _ in range(self._chance.randrange(1, 5)))
        return f"Article {number}.\n\n" + "\n\n".join(said)

    def _write(self, texts: dict[int, str | None]) -> None:
        (self.config.corpus / "always.txt").write_text("This one stays.\n")
        for number, text in texts.items():
            file = self.config.corpus / f"{number}.txt"
            if text:
                file.write_text(text)
            else:
                file.unlink(missing_ok=True)

    def _read_corpus(self) -> State:
        return {file.name: file.read_text() for file in self.config.corpus.iterdir()}

    def _read_index(self) -> State:
        """What the index holds: the text of each article, whose passages are all there and are found."""
        try:
            index = Index.open(self.config.indexes / self.config.index)
        except IndexMissing:
            return {}
        with closing(index):
            state = {}
            for article in index.list_articles():
                document = index.open_article(article.source)
                passages, encodings = index.read_passages(article.source), index.read_embeddings(article.source)
                check(len(passages) == article.passages, "a passage is missing")
                for passage, vector in zip(passages, encodings.vectors, strict=True):
                    check(document.text[passage.start : passage.end] == passage.text, "a passage is not of its article")
                    check(bool(np.allclose(vector, make_vector(passage.text), atol=2e-3)), "a vector is another's")
                    ((row, _),) = index.search(vector, 1)
                    check(index.read_passage(row).text == passage.text, "a passage is not found")
                state[article.source] = document.text
            return state


def check(holds: bool, what: str) -> None:
    """Raise AssertionError unless it holds."""
    if not holds:
        raise AssertionError(what)
