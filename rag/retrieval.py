"""Question to hits."""

from rag.index import Index
from rag.types import Encoder, Hit


def retrieve(question: str, index: Index, encoder: Encoder, count: int) -> tuple[Hit, ...]:
    """The `count` passages nearest in meaning to the question, best first, whatever their language."""
    vector = encoder.encode([question], "query")[0]
    return tuple(
        Hit(rank, score, passage) for rank, (score, passage) in enumerate(index.search(vector, count), start=1)
    )
