"""The losses that training lowers."""

import torch
from torch import Tensor
from torch.nn import functional

from rag.reading.network import Scores
from training.sampling import Batch


def measure(scores: Scores, batch: Batch) -> tuple[Tensor, Tensor]:
    """Return the loss of the span, over examples with a marked one, and the loss of answerability."""
    marked = batch.first >= 0
    answerable = functional.binary_cross_entropy_with_logits(scores.answerable, batch.answerable)
    if not marked.any():
        return torch.zeros(()), answerable
    first = functional.cross_entropy(scores.first[marked], batch.first[marked])
    last = functional.cross_entropy(scores.last[marked], batch.last[marked])
    return (first + last) / 2, answerable
