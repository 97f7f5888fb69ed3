"""The interfaces of encoders, readers, generators and vector stores."""

from collections.abc import Sequence
from typing import Protocol

from rag.types import (
    Embeddings,
    EncoderSettings,
    Filter,
    Passage,
    PassageReading,
    Progress,
    Projection,
    Reply,
    Role,
    Vectors,
)


class Encoder(Protocol):
    """Turns text into unit vectors."""

    @property
    def name(self) -> str: ...

    @property
    def dimension(self) -> int: ...

    @property
    def max_tokens(self) -> int:
        """The longest passage that is encoded whole, in tokens without the prompt and special tokens."""
        ...

    @property
    def projection(self) -> Projection:
        """The projection that removes the language from vectors."""
        ...

    @property
    def settings(self) -> EncoderSettings:
        """The thresholds and weights that were measured for this encoder."""
        ...

    def describe(self) -> dict[str, object]:
        """Return, as plain JSON values, the properties that an index must share to be searched with this encoder."""
        ...

    def warm(self) -> None:
        """Load what the first texts would otherwise wait for. Raises ModelError."""
        ...

    def encode(self, texts: Sequence[str], role: Role, progress: Progress | None = None) -> Embeddings:
        """Return the vectors of the texts and of their tokens."""
        ...

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Return the number of tokens of each text, without the prompt and special tokens."""
        ...


class Reader(Protocol):
    """Tells which passages answer a question, and with which words."""

    @property
    def name(self) -> str: ...

    def warm(self) -> None:
        """Load what the first question would otherwise wait for. Raises ModelError."""
        ...

    def read(self, question: str, passages: Sequence[Passage]) -> list[PassageReading]:
        """Return the result of reading each passage for the question."""
        ...


class VectorStore(Protocol):
    """Keeps the vectors of generations of an index outside this process, and searches them."""

    def holds(self, generation: str) -> bool:
        """Return whether a generation can be searched. Raises StoreError."""
        ...

    def search(
        self, generation: str, vector: Vectors, count: int, among: Filter, sources: Sequence[str] | None
    ) -> list[tuple[int, float]]:
        """Return the nearest rows and their cosines, as Index.search does.

        `sources` lists the sources that the patterns of `among` match; None means all. Raises StoreError.
        """
        ...


class Generator(Protocol):
    """Continues a prompt with text."""

    @property
    def name(self) -> str: ...

    def identify(self) -> str:
        """Return what distinguishes this model from any other of the same name. Raises ModelError."""
        ...

    def warm(self) -> None:
        """Load what the first reply would otherwise wait for. Raises ModelError."""
        ...

    def prepare(self, prefix: str) -> None:
        """Compute and keep the state that later replies to a prefix start from. Raises ModelError, GenerationError."""
        ...

    def weigh(self, prefixes: Sequence[str], suffix: str, replies: tuple[str, str]) -> list[float]:
        """Return, for each prefix followed by the suffix, the log-odds of the first of `replies` against the other.

        These are the log-odds that the model's reply begins with the first rather than with the second. No two
        prefixes may be equal. Raises GenerationError.
        """
        ...

    def generate(self, prefix: str, suffix: str, max_tokens: int, stop: Sequence[str] = ()) -> Reply:
        """Stream the reply to `prefix + suffix`, decoded greedily.

        `prefix` does not depend on the question, so an implementation may keep what it computed for it.
        Raises GenerationError.
        """
        ...
