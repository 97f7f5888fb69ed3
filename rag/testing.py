"""Stand-ins for the models, to be passed in by tests, evaluation and stress runs.

They are small, deterministic and need no files:

>>> assistant = Assistant(config, index, WordEncoder(), ScriptedGenerator("In May."), prompts, QUOTING)

With `QUOTING`, as with the default generator, articles are quoted and the generator's replies are never shown.
Pass `SPEAKING` to a test of what happens to these replies.
"""

import hashlib
import threading
import time
from collections import deque
from collections.abc import MutableSequence, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from rag.config import Config
from rag.errors import GenerationError
from rag.models.settings import find_encoder_settings
from rag.reading.judge import Judge
from rag.types import (
    AnswerSpan,
    Embeddings,
    Passage,
    PassageReading,
    Progress,
    Projection,
    Reply,
    Role,
    Tokens,
    Vectors,
)

DIMENSION = 64
"""Length of a vector of `WordEncoder`."""
UNLIKELY = -9.0
"""The log-odds of a `ScriptedGenerator` that finds the answer in no passage."""
QUOTING = Judge(weight=1.0, least=0.0, speaks=())
"""A judge that trusts every passage unless the generator finds it unlikely to hold the answer. Articles are quoted."""
SPEAKING = replace(QUOTING, speaks=("cs", "de", "el", "en", "et", "hr", "la", "pl", "sk", "sr"))
"""`QUOTING`, except that in these languages the generator's own words are shown if the passage supports them."""


class WordEncoder:
    """Encodes a text as the bag of its words, so texts that share words are near each other.

    `encoded` holds the passages that it was given. With `remember=False` it stays empty, for a process that runs for
    hours and whose memory is watched.
    """

    def __init__(self, name: str = "words", remember: bool = True) -> None:
        self.name = name
        self.dimension = DIMENSION
        self.max_tokens = 500
        self.projection = make_projection(DIMENSION)
        self.settings = find_encoder_settings(name)
        self.encoded: MutableSequence[str] = _make_log(remember)

    def describe(self) -> dict[str, object]:
        return {"name": self.name, "dimension": self.dimension}

    def warm(self) -> None:
        pass

    def encode(self, texts: Sequence[str], role: Role, progress: Progress | None = None) -> Embeddings:
        if role == "passage":
            self.encoded.extend(texts)
        if progress:
            progress(len(texts), len(texts))
        vectors = np.array([_embed(text) for text in texts], dtype=np.float32).reshape(len(texts), self.dimension)
        return Embeddings(vectors, tuple(_embed_words(text) for text in texts))

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(text.split()) for text in texts]


class HashEncoder:
    """Makes the vector of a text from its checksum, so a test can tell which vectors an index must hold."""

    name = "hash"
    dimension = 32
    max_tokens = 500
    projection: Projection

    def __init__(self) -> None:
        self.projection = make_projection(self.dimension)
        self.settings = find_encoder_settings(self.name)

    @classmethod
    def load(cls, _: Config) -> "HashEncoder":
        """Return an encoder, whatever is configured."""
        return cls()

    def describe(self) -> dict[str, object]:
        return {"name": self.name}

    def warm(self) -> None:
        pass

    def encode(self, texts: Sequence[str], role: Role, progress: Progress | None = None) -> Embeddings:
        vectors = np.array([self.make_vector(text) for text in texts], np.float32).reshape(len(texts), self.dimension)
        tokens = (np.rint(vector * 127).astype(np.int8).reshape(1, 1, -1) for vector in vectors)
        return Embeddings(vectors, tuple(tokens))

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(text.split()) for text in texts]

    @classmethod
    def make_vector(cls, text: str) -> Vectors:
        """Return a unit vector that is unique to the text."""
        random = np.random.default_rng(int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]))
        vector = random.normal(size=cls.dimension).astype(np.float32)
        return np.asarray(vector / np.linalg.norm(vector), dtype=np.float32)


class ScriptedGenerator:
    """Replies with the given texts, word by word: one after another, then the last again and again.

    `pause` is the number of seconds before each word. Every passage holds the answer with the log-odds `odds`.
    `prompts` and `prepared` hold what it was asked, unless `remember` is False.
    """

    def __init__(self, *replies: str, pause: float = 0.0, odds: float = 0.0, remember: bool = True) -> None:
        self.name = "scripted"
        self.prompts: MutableSequence[tuple[str, str]] = _make_log(remember)
        self.prepared: MutableSequence[str] = _make_log(remember)
        self.warmed = 0
        """Number of calls of `warm`."""
        self.running = 0
        """Number of replies under way."""
        self.most_running = 0
        """Most replies that were under way at once."""
        self._replies = list(replies)
        self._pause = pause
        self._odds = odds
        self._counting = threading.Lock()

    def identify(self) -> str:
        return self.name

    def warm(self) -> None:
        self.warmed += 1

    def prepare(self, prefix: str) -> None:
        self.prepared.append(prefix)

    def weigh(self, prefixes: Sequence[str], suffix: str, replies: tuple[str, str]) -> list[float]:
        return [self._odds for _ in prefixes]

    def generate(self, prefix: str, suffix: str, max_tokens: int, stop: Sequence[str] = ()) -> Reply:
        self.prompts.append((prefix, suffix))
        reply = self._replies.pop(0) if len(self._replies) > 1 else self._replies[0]
        with self._counting:
            self.running += 1
            self.most_running = max(self.most_running, self.running)
        try:
            for word in reply.split(" ")[:max_tokens]:
                time.sleep(self._pause)
                yield word + " "
        finally:
            with self._counting:
                self.running -= 1


class HeldGenerator(ScriptedGenerator):
    """Sends empty pieces for as long as `held` is true, and then its reply."""

    held = False

    def say(self, reply: str) -> None:
        """Set the reply from now on."""
        self._replies = [reply]

    def generate(self, prefix: str, suffix: str, max_tokens: int, stop: Sequence[str] = ()) -> Reply:
        for word in super().generate(prefix, suffix, max_tokens, stop):
            while self.held:
                time.sleep(0.1)
                yield ""
            yield word


class BrokenGenerator(ScriptedGenerator):
    """Fails after the first word of its reply, with a GenerationError unless another error is given."""

    def __init__(self, error: Exception | None = None) -> None:
        super().__init__("It cost")
        self._error = error or GenerationError("The generator broke. Ask again.")

    def generate(self, prefix: str, suffix: str, max_tokens: int, stop: Sequence[str] = ()) -> Reply:
        yield "It "
        raise self._error


class MarkingReader:
    """Marks one of the given words in each passage, and finds passages without any of them unlikely to answer.

    `read_passages` holds the passages that it was given.
    """

    name = "marking"

    def __init__(self, *words: str) -> None:
        self.read_passages: list[Passage] = []
        self._words = words

    def warm(self) -> None:
        pass

    def read(self, question: str, passages: Sequence[Passage]) -> list[PassageReading]:
        self.read_passages += passages
        return [self._mark(passage.text) for passage in passages]

    def _mark(self, text: str) -> PassageReading:
        spans = tuple(
            AnswerSpan(text.index(word), text.index(word) + len(word), 3.0) for word in self._words if word in text
        )
        return PassageReading(3.0 if spans else -3.0, spans[:1])


def make_projection(dimension: int) -> Projection:
    """Return a projection that leaves vectors and tokens as they are."""
    return Projection(
        directions=np.empty((0, dimension), np.float32),
        means=np.zeros((2, 1, dimension), np.float32),
        bases=np.eye(dimension, dtype=np.float32)[np.newaxis],
        languages=(),
        neutral=np.empty((0, 1, dimension), np.int8),
        ends=np.empty((0, 1), np.int64),
    )


def _make_log(remember: bool) -> MutableSequence[Any]:
    return [] if remember else deque(maxlen=0)


def _embed_words(text: str) -> Tokens:
    words = text.split() or [text]
    return np.asarray(np.rint(np.array([_embed(word) for word in words]) * 127)[:, np.newaxis], dtype=np.int8)


def _embed(text: str) -> Vectors:
    vector = np.full(DIMENSION, 1e-3, dtype=np.float32)
    for word in text.casefold().split():
        digest = hashlib.sha256(word.strip(".,;:!?„“”\"'()").encode()).digest()
        vector[digest[0] % DIMENSION] += 1.0
    return vector / np.float32(np.linalg.norm(vector))
