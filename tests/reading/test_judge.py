"""Hits are ordered by the generator's own odds together with the score of retrieval."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from rag.reading.judge import Judge, rank_by_judge
from rag.reading.known_judges import find_shipped
from rag.types import Passage
from tests.reading.reports import HITS

JUDGE = Judge(weight=10.0, least=7.0, speaks=("en",))
QUESTION = "What did the harbour cost?"


class Asked:
    """Finds passages likely that hold a word, and counts those that it was asked about."""

    def __init__(self, likely: str) -> None:
        self.count = 0
        self._likely = likely

    def __call__(self, question: str, passages: Sequence[Passage]) -> list[float]:
        self.count += len(passages)
        return [6.0 if self._likely in passage.text else -6.0 for passage in passages]


def test_evidence_is_the_odds_plus_the_weighted_score_plus_agreement_with_retrieval() -> None:
    disagreed, *_ = rank_by_judge(QUESTION, HITS, JUDGE, Asked("million"))
    agreed, other, *_ = rank_by_judge(QUESTION, HITS, JUDGE, Asked("Pears"))
    assert disagreed.evidence == pytest.approx(6.0 + 10.0 * HITS[2].score)
    assert agreed.evidence == pytest.approx(6.0 + 10.0 * HITS[0].score + JUDGE.agreement)
    assert other.evidence == pytest.approx(-6.0 + 10.0 * HITS[1].score)


def test_likely_passages_come_first_and_those_not_judged_last() -> None:
    ask = Asked("million")
    judged = rank_by_judge(QUESTION, HITS, JUDGE, ask)
    assert [hit.passage.source for hit in judged] == ["2.txt", "0.txt", "1.txt", "3.txt", "4.txt"]
    assert [hit.rank for hit in judged] == [1, 2, 3, 4, 5]
    assert [hit.odds for hit in judged] == [6.0, -6.0, -6.0, -6.0, None]
    assert ask.count == JUDGE.judged


def test_passages_far_behind_in_retrieval_are_not_judged() -> None:
    ask = Asked("million")
    first, second, third, *_ = HITS
    far = (first, second, replace(third, score=second.score - 0.1))
    judged = rank_by_judge(QUESTION, far, JUDGE, ask)
    assert [hit.odds for hit in judged] == [-6.0, -6.0, None]
    assert [hit.passage for hit in judged] == [hit.passage for hit in far]
    assert ask.count == 2


def test_hits_that_have_odds_are_not_asked_about_again() -> None:
    ask = Asked("million")
    judged = rank_by_judge(QUESTION, HITS, JUDGE, ask)
    assert rank_by_judge(QUESTION, judged, JUDGE, ask)[0].odds == 6.0
    assert ask.count == JUDGE.judged


def test_retrieval_decides_between_passages_of_equal_odds() -> None:
    judged = rank_by_judge(QUESTION, HITS, JUDGE, Asked("nowhere"))
    assert [hit.passage for hit in judged] == [hit.passage for hit in HITS]


@pytest.mark.parametrize(("generator", "is_one"), [("qwen2.5-coder-1.5b", True), ("qwen2.5-coder-0.5b", False)])
def test_only_generators_that_were_measured_are_judges(generator: str, is_one: bool) -> None:
    assert (find_shipped(generator) is not None) == is_one
