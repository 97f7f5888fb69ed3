"""Ordering by tokens: rare ones of the question decide, whatever the nearest vector was."""

import numpy as np

from rag.retrieval import match
from rag.types import Tokens


def tokens(*axes: int) -> Tokens:
    """Tokens along the axes of a space of eight dimensions."""
    return (np.eye(8)[list(axes)] * 127).astype(np.int8)


def test_a_passage_with_all_tokens_of_the_question_scores_one() -> None:
    assert match(tokens(0, 1), [tokens(1, 0, 5)])[0] == np.float32(1)


def test_the_order_of_tokens_and_what_else_a_passage_says_do_not_matter() -> None:
    plain, long = match(tokens(0, 1), [tokens(0, 1), tokens(7, 1, 6, 0, 5)])
    assert plain == long


def test_a_rare_token_of_the_question_counts_more_than_common_ones() -> None:
    question = tokens(0, 1, 2)
    common = [tokens(0, 1, axis) for axis in (4, 5, 6)]
    rare = tokens(2, 7)
    scores = match(question, [*common, rare])
    assert scores[3] > scores[:3].max()


def test_a_single_passage_and_none_are_scored_too() -> None:
    assert match(tokens(0), [tokens(3)])[0] == 0
    assert match(tokens(0), []).shape == (0,)
