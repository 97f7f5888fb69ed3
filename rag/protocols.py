"""What a model or a store must be able to do to take part."""

from collections.abc import Sequence
from typing import Protocol

from rag.types import Embeddings, Filter, Progress, Projection, Reply, Role, Vectors


class Encoder(Protocol):
    """Text to unit vectors."""

    @property
    def name(self) -> str: ...

    @property
    def dimension(self) -> int: ...

    @property
    def max_tokens(self) -> int:
        """The longest passage in tokens that is encoded whole, prompt and special tokens left out."""
        ...

    @property
    def projection(self) -> Projection:
        """How it takes the language out."""
        ...

    def describe(self) -> dict[str, object]:
        """What an index must agree on to be searched with this encoder, as plain JSON."""
        ...

    def warm(self) -> None:
        """Load what the first texts would otherwise wait for. Raises ModelError."""
        ...

    def encode(self, texts: Sequence[str], role: Role, progress: Progress | None = None) -> Embeddings:
        """Vectors of the texts and of their tokens."""
        ...

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, prompt and special tokens left out."""
        ...


class VectorStore(Protocol):
    """Vectors of whole generations of an index, searched elsewhere than in this process."""

    def holds(self, generation: str) -> bool:
        """Whether a generation can be searched there. Raises StoreError."""
        ...

    def search(
        self, generation: str, vector: Vectors, count: int, among: Filter, sources: Sequence[str] | None
    ) -> list[tuple[int, float]]:
        """What Index.search gives; `sources` are those that the filter's stand for, or None for all.

        Raises StoreError.
        """
        ...


class Generator(Protocol):
    """Prompt to text."""

    @property
    def name(self) -> str: ...

    def identify(self) -> str:
        """What tells it from any other model under the same name. Raises ModelError."""
        ...

    def warm(self) -> None:
        """Load what the first reply would otherwise wait for. Raises ModelError."""
        ...

    def prepare(self, prefix: str) -> None:
        """Compute what later replies to a prefix need, and keep it. Raises ModelError, GenerationError."""
        ...

    def weigh(self, prefixes: Sequence[str], suffix: str, replies: tuple[str, str]) -> list[float]:
        """How much likelier the reply to each prefix and the suffix begins with the first of `replies` than with
        the other, as the logarithm of the odds. The prefixes are different ones.

        Raises GenerationError.
        """
        ...

    def generate(self, prefix: str, suffix: str, max_tokens: int, stop: Sequence[str] = ()) -> Reply:
        """Stream the reply to `prefix + suffix`, greedily.

        `prefix` does not depend on the question: an implementation may keep what it computed for it.
        Raises GenerationError.
        """
        ...
