"""A question as search, reading and citing need it: checked, with its language and its embedding."""

from dataclasses import dataclass, field
from functools import cached_property

from rag.errors import QuestionError
from rag.protocols import Encoder
from rag.text.language import Language
from rag.types import Embeddings, Tokens, Vectors


@dataclass(frozen=True)
class Query:
    """A question, the language it is asked in, and its embedding.

    The embedding is computed when it is first needed and kept, so a question is embedded at most once.
    """

    text: str
    language: Language
    encoder: Encoder = field(repr=False)

    @property
    def vector(self) -> Vectors:
        """The vector of the question, of shape `(dimension,)`."""
        vector: Vectors = self._embeddings.vectors[0]
        return vector

    @property
    def tokens(self) -> Tokens:
        """The vectors of its tokens, of shape `(tokens, layers, kept)`."""
        return self._embeddings.tokens[0]

    @cached_property
    def _embeddings(self) -> Embeddings:
        return self.encoder.encode([self.text], "query")


def check_question(question: str, most: int) -> str:
    """Return the question on one line. Raises QuestionError if it is empty or has more than `most` characters."""
    # A shell may hand over bytes that are not text; they are dropped.
    question = " ".join(question.encode("utf-8", "ignore").decode().split())
    if not question:
        raise QuestionError("The question is empty. Ask something about the articles.", "empty_question")
    if len(question) > most:
        raise QuestionError(
            f"The question has {len(question)} characters; at most {most} are read. Ask it more briefly.",
            "long_question",
            length=len(question),
            most=most,
        )
    return question
