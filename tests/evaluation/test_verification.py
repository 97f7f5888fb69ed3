"""The tables of verification count the corrupted statements that were caught and the true ones that passed."""

from collections import Counter

from evaluation.cases import load_pairs
from evaluation.verification import measure, precision, render
from rag import Passage


def test_supported_true_statements_and_unsupported_corrupted_ones_are_right() -> None:
    outcomes = {"none": Counter(supported=9, undecided=1), "date": Counter(supported=1, unsupported=3)}
    assert precision(outcomes) == 0.9
    lines = render(outcomes).splitlines()
    assert lines[2:4] == ["| true | 10 | 9 | 0 | 1 | 0.90 |", "| date | 4 | 1 | 3 | 0 | 0.75 |"]
    assert lines[-1] == "precision of `supported` 0.900"


def test_each_statement_is_verified_against_the_passage_with_its_gold_words() -> None:
    pairs = [pair for pair in load_pairs() if pair.fact == "sr-last-met" and pair.language == "cs"]
    gold = pairs[0].gold
    others = "Путин и Ким нису разговарали у мају 2018."
    passages = {
        pairs[0].source: [
            Passage(pairs[0].source, text, 0, len(text), "sr", "Cyrl", "2023", None)
            for text in (others, f"Путин и Ким {gold}.")
        ]
    }
    outcomes = measure(pairs, passages, None)
    assert outcomes == {"none": Counter(supported=1), "date": Counter(unsupported=1)}
