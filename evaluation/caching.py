"""An Encoder that encodes nothing twice: the draws of a mixed pool share passages, and all of them the questions."""

from collections.abc import Sequence

import numpy as np

from rag.types import Encoder, Progress, Role, Vectors


class CachingEncoder:
    """Any Encoder, with every vector that it gave kept in memory."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._known: dict[tuple[Role, str], Vectors] = {}

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
    def directions(self) -> Vectors:
        return self._encoder.directions

    def describe(self) -> dict[str, object]:
        return self._encoder.describe()

    def encode(self, texts: Sequence[str], role: Role, progress: Progress | None = None) -> Vectors:
        new = [text for text in dict.fromkeys(texts) if (role, text) not in self._known]
        for text, vector in zip(new, self._encoder.encode(new, role, progress) if new else (), strict=True):
            self._known[role, text] = vector
        vectors = np.empty((len(texts), self.dimension), dtype=np.float32)
        for row, text in enumerate(texts):
            vectors[row] = self._known[role, text]
        return vectors

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return self._encoder.count_tokens(texts)
