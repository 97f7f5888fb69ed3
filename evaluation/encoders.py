"""Wrappers of an Encoder: one that caches, and one without anything that this project adds."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from rag.config import Config
from rag.encoding.encoder import SentenceEncoder
from rag.protocols import Encoder
from rag.types import Embeddings, EncoderSettings, Progress, Projection, Role, Tokens, Vectors


class WrappedEncoder:
    """An Encoder that delegates to another."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder

    @property
    def name(self) -> str:
        return self._encoder.name

    @property
    def dimension(self) -> int:
        return self._encoder.dimension

    @property
    def max_tokens(self) -> int:
        return self._encoder.max_tokens

    @property
    def projection(self) -> Projection:
        return self._encoder.projection

    @property
    def settings(self) -> EncoderSettings:
        return self._encoder.settings

    def describe(self) -> dict[str, object]:
        return self._encoder.describe()

    def warm(self) -> None:
        self._encoder.warm()

    def encode(self, texts: Sequence[str], role: Role, progress: Progress | None = None) -> Embeddings:
        return self._encoder.encode(texts, role, progress)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return self._encoder.count_tokens(texts)


class CachingEncoder(WrappedEncoder):
    """An Encoder that keeps all embeddings in memory, as draws of a mixed pool share passages and questions."""

    def __init__(self, encoder: Encoder) -> None:
        super().__init__(encoder)
        self._known: dict[tuple[Role, str], tuple[Vectors, Tokens]] = {}

    def encode(self, texts: Sequence[str], role: Role, progress: Progress | None = None) -> Embeddings:
        new = [text for text in dict.fromkeys(texts) if (role, text) not in self._known]
        embeddings = super().encode(new, role, progress)
        for text, vector, tokens in zip(new, embeddings.vectors, embeddings.tokens, strict=True):
            self._known[role, text] = vector, tokens
        known = [self._known[role, text] for text in texts]
        vectors = np.array([vector for vector, _ in known], dtype=np.float32).reshape(len(texts), self.dimension)
        return Embeddings(vectors, tuple(tokens for _, tokens in known))


class PlainEncoder(WrappedEncoder):
    """An Encoder that leaves the language in the vectors and matches no tokens: the nearest vector comes first."""

    @classmethod
    def load(cls, config: Config, projection: Projection) -> "PlainEncoder":
        """Load the configured encoder without its projection. Raises ModelError."""
        return cls(SentenceEncoder.load(config, replace(projection, directions=projection.directions[:0])))

    def encode(self, texts: Sequence[str], role: Role, progress: Progress | None = None) -> Embeddings:
        embeddings = super().encode(texts, role, progress)
        return Embeddings(embeddings.vectors, tuple(tokens[:0] for tokens in embeddings.tokens))
