"""A changing corpus, its index, and child processes that are killed while they update it."""

import ctypes
import multiprocessing
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
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
from rag.testing import HashEncoder
from rag.text.language import detect

POLICY = MergePolicy(batch=8, exact=30, small=12, most=150, removed_share=0.4)
FILES = 40
WORDS = ("harbour", "orchard", "lake", "tower", "bridge", "river", "market", "school", "winter", "summer", "train")
LAST = 40
"""File operations at the end of a build, in which it switches generations and cleans up."""
HANGS = 300.0
"""Seconds after which a running build counts as hanging."""
FINISHED = 0.3
"""Share of the kills after which the build is run again to completion."""
MOMENTS = {"open", "os.rename", "os.remove", "os.mkdir", "os.link", "shutil.rmtree", "sqlite3.connect"}
"""Python's audit events for file operations."""
State = dict[str, str]
"""Text of each article by its source."""


# Children are forked from a process that has imported this, so none of them loads the language models again.
detect(" ".join(WORDS))


class Children:
    """Builds in child processes, one at a time, and the number of file operations of the last."""

    def __init__(self, *preload: str) -> None:
        # Not forked from this process: threads of the libraries it has used would be missing.
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["stress.killed_builds", "faiss", *preload])
        # No lock: a process killed while holding one would leave all others waiting.
        self._seen: ctypes.c_int = self._context.Value("i", 0, lock=False)

    @property
    def moments(self) -> int:
        """Return the number of file operations of the last build."""
        return self._seen.value

    def start(self, work: Callable[..., None], *told: object) -> BaseProcess:
        """Start `work(*told, seen)` in a child process."""
        self._seen.value = 0
        child = self._context.Process(target=work, args=(*told, self._seen))
        child.start()
        return child


def await_end(child: BaseProcess) -> bool:
    """Return whether a build ended by itself rather than being killed. Raises AssertionError if it hangs or fails."""
    child.join(HANGS)
    if child.exitcode is None:
        child.kill()
        raise AssertionError(f"a build goes on after {HANGS:.0f} seconds")
    check(child.exitcode in (0, -signal.SIGKILL), f"a build ended with {child.exitcode}")
    return child.exitcode == 0


def build(
    config: Config, load: Callable[[Config], Encoder], policy: MergePolicy, fatal: int, seen: ctypes.c_int
) -> None:
    """Update the index, counting file operations, and die at the given one; 0 means none."""
    encoder = load(config)
    count_moments(fatal, seen)
    build_index(config=config, encoder=encoder, policy=policy)


def count_moments(fatal: int, seen: ctypes.c_int) -> None:
    """Count this process's file operations from now on, and die at the given one; 0 means none."""

    def count(event: str, _: object) -> None:
        if event in MOMENTS:
            seen.value += 1
            if seen.value == fatal:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(count)


class Trial:
    """A corpus and its index under random changes and kills."""

    def __init__(self, folder: Path, seed: int = 0) -> None:
        self.config = Config(corpus=folder / "corpus", indexes=folder / "indexes")
        self.config.corpus.mkdir()
        self._chance = random.Random(seed)  # noqa: S311 - nothing is to be kept secret
        self._children = Children()
        self.outcomes: Counter[str] = Counter()
        """Number of killed builds that left the old state, and the new one."""
        self._moments = LAST
        self._seconds = 1.0
        self._write({number: self._compose(number) for number in range(FILES // 2)})

    def run(self, kills: int, advance: Callable[[int], object]) -> Counter[str]:
        """Kill this many builds and count the states they left. Raises AssertionError if a state is neither."""
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
        """Start a build, and return whether it was killed before it ended."""
        # Every other time near the end, where it switches generations and cleans up.
        first = self._chance.choice((1, max(1, self._moments - LAST)))
        began = time.monotonic()
        child = self._begin(0 if by_time else self._chance.randint(first, max(first, self._moments)))
        if by_time:
            child.join(self._chance.uniform(self._seconds / 2, self._seconds))
            child.kill()
        ended = await_end(child)
        if ended:
            # Kill the next build sooner.
            self._moments = self._children.moments
            self._seconds = time.monotonic() - began
        return not ended

    def _finish(self) -> None:
        """Run a build to completion, and compare the index with the corpus."""
        began = time.monotonic()
        ended = await_end(self._begin(0))
        # A build that had to wait for the machine says nothing about the next.
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
        """Return the text of each article in the index, after checking that all its passages exist and are found."""
        try:
            index = Index.open(self.config.indexes / self.config.index)
        except IndexMissing:
            return {}
        with closing(index):
            state = {}
            for article in index.list_articles():
                document = index.open_article(article.source)
                passages, embeddings = index.read_passages(article.source), index.read_embeddings(article.source)
                check(len(passages) == article.passages, "a passage is missing")
                for passage, vector in zip(passages, embeddings.vectors, strict=True):
                    check(document.text[passage.start : passage.end] == passage.text, "a passage is not of its article")
                    check(
                        bool(np.allclose(vector, HashEncoder.make_vector(passage.text), atol=2e-3)),
                        "a vector is another's",
                    )
                    ((row, _),) = index.search(vector, 1)
                    check(index.read_passage(row).text == passage.text, "a passage is not found")
                state[article.source] = document.text
            return state


def check(holds: bool, what: str) -> None:
    """Raise AssertionError unless the condition holds."""
    if not holds:
        raise AssertionError(what)
