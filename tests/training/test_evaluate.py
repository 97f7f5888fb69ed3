from pathlib import Path

import pytest

from rag.reading.network import Network
from training.data import Table
from training.evaluate import auroc, choose, evaluate, examine, overlap, tabulate


@pytest.mark.parametrize(
    ("answer", "truth", "expected"),
    [
        ("The House!", "the house", 1.0),
        ("house", "the house", 2 / 3),
        ("東京都", "東京", 0.8),
        ("", "the house", 0.0),
    ],
)
def test_words_that_two_answers_share(answer: str, truth: str, expected: float) -> None:
    assert overlap(answer, truth) == pytest.approx(expected)


def test_auroc_counts_a_tie_half() -> None:
    assert auroc([2, 3], [1, 2]) == pytest.approx(0.875)


def test_a_sample_is_the_same_every_time_and_of_answered_questions(table: Table) -> None:
    rows = [case.row for case in choose(table, 6)]
    assert rows == [case.row for case in choose(table, 6)]
    assert len(rows) == 6
    assert all(row.answerable for row in rows)


def test_figures_are_shares(encoder: Path, table: Table) -> None:
    reader = Network.start(encoder)
    cases = choose(table, 8)
    assert all(0 <= value <= 2 for value in evaluate(reader, cases).values())
    lines = list(tabulate(examine(reader, cases)))
    assert lines[2].startswith("| all | 8 |")
