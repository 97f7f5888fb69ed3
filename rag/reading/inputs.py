"""Arrange the tokens of questions and passages as the reader takes them: as the encoder reads them for the index."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Tokens = Sequence[int] | NDArray[np.int32]

START, PAD, END = 0, 1, 2
QUESTION_PROMPT = (41, 1294, 12)
"""The tokens of `query:` in the vocabulary of the encoder."""
PASSAGE_PROMPT = (46692, 12)
"""The tokens of `passage:`."""
BEFORE = 1 + len(PASSAGE_PROMPT)
"""Number of tokens before the text of a passage."""


def arrange_questions(questions: Sequence[Tokens]) -> Tensor:
    """Return the tokens of questions with the prompt, padded, of shape `(questions, length)`."""
    return _pad([(START, *QUESTION_PROMPT, *tokens, END) for tokens in questions])


def arrange_passages(passages: Sequence[Tokens]) -> Tensor:
    """Return the tokens of passages with the prompt, padded, of shape `(passages, length)`."""
    return _pad([(START, *PASSAGE_PROMPT, *tokens, END) for tokens in passages])


def mark_text(lengths: Sequence[int], passages: Tensor) -> Tensor:
    """Return which tokens of arranged passages belong to their text. `lengths` are the numbers of these tokens."""
    places = torch.arange(passages.shape[1])
    return (places >= BEFORE) & (places < BEFORE + torch.tensor(lengths)[:, None])


def _pad(rows: Sequence[Sequence[int]]) -> Tensor:
    padded = torch.full((len(rows), max(map(len, rows))), PAD, dtype=torch.long)
    for at, row in enumerate(rows):
        padded[at, : len(row)] = torch.as_tensor(row)
    return padded
