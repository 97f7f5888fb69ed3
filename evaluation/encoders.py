"""Encoders around an Encoder: one that encodes nothing twice, and one that is what is common."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from rag.config import Config
from rag.encoding.encoder import SentenceEncoder
from rag.protocols import Encoder
from rag.types import Embeddings, Progress, Projection, Role, Tokens, Vectors


class WrappedEncoder:
    """An Encoder that does as another does."""

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

    def describe(self) -> dict[str, object]:
        return self._encoder.describe()

    def warm(self) -> None:
        self._encoder.warm()

    def encode(self, texts: Sequence[str], role: Role, progress: Progress | None = None) -> Embeddings:
        return self._encoder.encode(texts, role, progress)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return self._encoder.count_tokens(texts)


class CachingEncoder(WrappedEncoder):
    """It keeps in memory all that it gave: draws of a mixed pool share passages, and all of them the questions."""

    def __init__(self, encoder: Encoder) -> None:
        super().__init__(encoder)
        self._known: dict[tuple[Role, str], tuple[Vectors, Tokens]] = {}

    def encode(self, texts: Sequence[str], role: Role, progress: Progress | None = None) -> Embeddings:
        new = [text for text in dict.fromkeys(texts) if (role, text) not in self._known]
        encodings = super().encode(new, role, progress)
        for text, vector, tokens in zip(new, encodings.vectors, encodings.tokens, strict=True):
            self._known[role, text] = vector, tokens
        known = [self._known[role, text] for text in texts]
        vectors = np.array([vector for vector, _ in known], dtype=np.float32).reshape(len(texts), self.dimension)
        return Embeddings(vectors, tuple(tokens for _, tokens in known))


class PlainEncoder(WrappedEncoder):
    """The language stays in the vectors, and no tokens are matched: the nearest vector comes first."""

    @classmethod
    def load(cls, config: Config, projection: Projection) -> "PlainEncoder":
        """The configured encoder so. Raises ModelError."""
        return cls(SentenceEncoder.load(config, replace(projection, directions=projection.directions[:0])))

    def encode(self, texts: Sequence[str], role: Role, progress: Progress | None = None) -> Embeddings:
        encodings = super().encode(texts, role, progress)
        return Embeddings(encodings.vectors, tuple(tokens[:0] for tokens in encodings.tokens))
