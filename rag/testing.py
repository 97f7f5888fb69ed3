"""Small real stand-ins for the two models, to be handed in."""

import hashlib
import threading
import time
from collections.abc import Sequence

import numpy as np

from rag.reading.judge import Judge
from rag.types import Embeddings, Progress, Projection, Reply, Role, Tokens, Vectors

DIMENSION = 64
UNLIKELY = -9.0
"""Odds by which no passage holds the answer."""
BELIEVED = Judge(weight=1.0, least=0.0, speaks=("cs", "de", "el", "en", "et", "hr", "la", "pl", "sk", "sr"))
"""Whose words are shown, unless it says that it is unlikely."""


def make_projection(dimension: int) -> Projection:
    """One that leaves vectors and tokens as they are."""
    return Projection(
        directions=np.empty((0, dimension), np.float32),
        means=np.zeros((2, 1, dimension), np.float32),
        bases=np.eye(dimension, dtype=np.float32)[np.newaxis],
        languages=(),
        neutral=np.empty((0, 1, dimension), np.int8),
        ends=np.empty((0, 1), np.int64),
    )


class WordEncoder:
    """Encodes a text as the bag of its words, so that texts which share words are near."""

    def __init__(self, name: str = "words") -> None:
        self.name = name
        self.dimension = DIMENSION
        self.max_tokens = 500
        self.projection = make_projection(DIMENSION)
        self.encoded: list[str] = []

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


class ScriptedGenerator:
    """Replies with what it was given, word by word, and remembers what it was asked.

    By the `odds` that it was given every passage holds the answer.
    """

    def __init__(self, *replies: str, pause: float = 0.0, odds: float = 0.0) -> None:
        self.name = "scripted"
        self.prompts: list[tuple[str, str]] = []
        self.prepared: list[str] = []
        self.warmed = 0
        self.running = 0
        self.most_running = 0
        self._replies = list(replies)
        self._pause = pause
        self._odds = odds
        self._count = threading.Lock()

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
        with self._count:
            self.running += 1
            self.most_running = max(self.most_running, self.running)
        try:
            for word in reply.split(" ")[:max_tokens]:
                time.sleep(self._pause)
                yield word + " "
        finally:
            with self._count:
                self.running -= 1


class HeldGenerator(ScriptedGenerator):
    """Goes on saying nothing for as long as it is held, and then what it was given."""

    held = False

    def say(self, reply: str) -> None:
        """What it says from now on."""
        self._replies = [reply]

    def generate(self, prefix: str, suffix: str, max_tokens: int, stop: Sequence[str] = ()) -> Reply:
        for word in super().generate(prefix, suffix, max_tokens, stop):
            while self.held:
                time.sleep(0.1)
                yield ""
            yield word


def _embed_words(text: str) -> Tokens:
    words = text.split() or [text]
    return np.asarray(np.rint(np.array([_embed(word) for word in words]) * 127)[:, np.newaxis], dtype=np.int8)


def _embed(text: str) -> Vectors:
    vector = np.full(DIMENSION, 1e-3, dtype=np.float32)
    for word in text.casefold().split():
        digest = hashlib.sha256(word.strip(".,;:!?„“”\"'()").encode()).digest()
        vector[digest[0] % DIMENSION] += 1.0
    return vector / np.float32(np.linalg.norm(vector))
