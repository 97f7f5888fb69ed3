"""The shipped reports tell a judge from a generator that answers at random."""

import numpy as np
import pytest

from rag.reading.acceptance import says
from rag.reading.calibration import Observation, ReportGroup, ReportQuestion, assess, load_cases
from rag.types import Passage

CASES = load_cases()
ASKED = [(group, question) for group in CASES for question in group.questions]
ANSWERABLE = [(group, question) for group, question in ASKED if question.right is not None]


@pytest.mark.parametrize("helpful", [0.0, 0.03], ids=["blind retrieval", "retrieval that helps"])
def test_hardly_any_of_a_hundred_generators_that_answer_at_random_is_a_judge(helpful: float) -> None:
    random = np.random.default_rng(0)

    def observe(asked: int) -> Observation:
        answers = np.arange(4) == (asked % 4 if asked < 32 else -1)
        evidence = [random.normal(0.0, 2.0, 4), random.normal(0.5, 0.03, 4) + helpful * answers]
        return Observation(asked // 4, np.column_stack(evidence), answers)

    judges = [assess([observe(asked) for asked in range(42)]).judge for _ in range(100)]
    assert sum(judge is not None for judge in judges) <= 5


def test_there_are_four_questions_in_each_language_and_some_that_nothing_answers() -> None:
    languages = [question.language.code for _, question in ANSWERABLE]
    assert {languages.count(language) for language in languages} == {4}
    assert {"cs", "de", "el", "en", "es", "et", "pl", "sr"} <= set(languages)
    assert 8 <= len(ASKED) - len(ANSWERABLE) <= 12
    assert all(len(passage.text.split()) <= 60 for group in CASES for passage in group.passages)


def test_each_report_answers_one_question_so_none_is_right_for_its_looks() -> None:
    for group in CASES:
        right = [question.right for question in group.questions if question.right is not None]
        assert sorted(right) == list(range(len(group.passages)))


@pytest.mark.parametrize(("group", "question"), ANSWERABLE, ids=lambda one: getattr(one, "text", ""))
def test_only_the_right_report_contains_an_accepted_answer(group: ReportGroup, question: ReportQuestion) -> None:
    def holds(passage: Passage) -> bool:
        return any(says(passage.text, variant) for variant in question.accept)

    assert [holds(passage) for passage in group.passages] == [
        number == question.right for number in range(len(group.passages))
    ]
    assert not any(says(question.text, variant) for variant in question.accept)
    assert group.passages[question.right or 0].language != question.language.code
