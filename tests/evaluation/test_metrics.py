"""The measures agree with TREC's on random runs, and those of the mixed pool with figures worked out by hand."""

import random
from collections.abc import Callable

import ir_measures
import pytest

from evaluation.metrics import Judged, first_rank, ndcg, recall, reciprocal_rank, success
from evaluation.mixed_pool import PoolOutcome, summarise

PAIRS: list[tuple[Callable[[Judged], float], ir_measures.Measure]] = [
    (lambda judged: success(judged, 1), ir_measures.Success @ 1),
    (lambda judged: success(judged, 8), ir_measures.Success @ 8),
    (lambda judged: recall(judged, 1), ir_measures.R @ 1),
    (lambda judged: recall(judged, 5), ir_measures.R @ 5),
    (lambda judged: ndcg(judged, 10), ir_measures.nDCG @ 10),
    (reciprocal_rank, ir_measures.RR),
]
RIGHT, WRONG = Judged((True,), 1), Judged((False, False), 1)
SECOND = Judged((False, True), 1)


@pytest.mark.parametrize(("ours", "theirs"), PAIRS, ids=[str(theirs) for _, theirs in PAIRS])
def test_agrees_with_ir_measures_on_random_runs(ours: Callable[[Judged], float], theirs: ir_measures.Measure) -> None:
    chance = random.Random(5)  # noqa: S311 - a run to be repeated
    qrels, run, judged = {}, {}, {}
    for question in map(str, range(300)):
        things = [f"d{n}" for n in range(40)]
        relevant = set(chance.sample(things, chance.randint(1, 12)))
        found = chance.sample(things, chance.randint(1, 30))
        qrels[question] = dict.fromkeys(relevant, 1)
        run[question] = {thing: float(-rank) for rank, thing in enumerate(found)}
        judged[question] = Judged(tuple(thing in relevant for thing in found), len(relevant))
    expected = {value.query_id: value.value for value in ir_measures.iter_calc([theirs], qrels, run)}
    assert len(set(expected.values())) > 1
    assert {question: ours(of_one) for question, of_one in judged.items()} == pytest.approx(expected)


def test_a_question_without_anything_relevant_scores_nothing() -> None:
    nothing = Judged((False, False), 0)
    assert (success(nothing, 8), recall(nothing, 5), ndcg(nothing, 10), reciprocal_rank(nothing)) == (0, 0, 0, 0)
    assert first_rank(nothing) is None


def test_the_mixed_pool_averages_over_draws_and_not_over_all_their_questions() -> None:
    figures = summarise(
        [
            PoolOutcome(0, "el", "ru", RIGHT, own=0.2),
            PoolOutcome(1, "el", "ru", WRONG, own=0.6),
            PoolOutcome(1, "el", "ru", WRONG, own=0.4),
            PoolOutcome(1, "el", "ru", SECOND, own=0.2),
        ]
        + [PoolOutcome(draw, "el", "el", RIGHT, own=0.3) for draw in (0, 1)]
    )
    assert figures.cross == pytest.approx({"R@1": 1 / 2, "R@5": (1 + 1 / 3) / 2})
    assert figures.same == {"R@1": 1, "R@5": 1}
    assert figures.share == pytest.approx(((0.2 + 0.3) / 2 + (0.6 + 0.4 + 0.2 + 0.3) / 4) / 2)
    assert (figures.questions, figures.draws) == (6, 2)


def test_the_mixed_pool_tells_pairs_apart_by_direction_and_names_the_worst_across_languages() -> None:
    figures = summarise(
        [
            PoolOutcome(0, "el", "ru", RIGHT, own=0),
            PoolOutcome(0, "ru", "el", SECOND, own=0),
            PoolOutcome(0, "ru", "en", SECOND, own=0),
            PoolOutcome(0, "ru", "en", WRONG, own=0),
            PoolOutcome(0, "el", "el", WRONG, own=0),
        ]
    )
    assert figures.pairs == {
        "el": {"el": {"R@1": 0, "R@5": 0}, "ru": {"R@1": 1, "R@5": 1}},
        "ru": {"el": {"R@1": 0, "R@5": 1}, "en": {"R@1": 0, "R@5": 0.5}},
    }
    assert figures.worst == ("ru", "en")
