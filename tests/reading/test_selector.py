"""Promising hits are selected by the judge's evidence, or by the lead in retrieval without one."""

from collections.abc import Sequence
from dataclasses import replace

from rag.reading.judge import Judge
from rag.reading.selector import Ranking
from rag.testing import MarkingReader, ScriptedGenerator
from rag.types import Hit
from tests.reading.reports import HITS, JUDGE, QUESTION, WeighingGenerator, find_hits, make_query, make_selector


def select(
    generator: ScriptedGenerator,
    hits: Sequence[Hit],
    question: str = QUESTION,
    judge: Judge | None = JUDGE,
    raised: float = 0.0,
    **settings: float,
) -> Ranking:
    *_, ranking = make_selector(generator, judge, **settings).select(make_query(question), hits, raised)
    return ranking


def test_the_likeliest_hit_is_promising() -> None:
    ranking = select(WeighingGenerator("million"), HITS)
    assert [hit.passage.source for hit in ranking.promising] == ["2.txt"]
    assert ranking.hits[0] == ranking.promising[0]
    assert ranking.rejected == ()


def test_without_a_judge_the_generator_is_not_asked_and_a_hit_well_ahead_is_promising() -> None:
    first, *others = HITS
    generator = WeighingGenerator("million")
    ranking = select(generator, (replace(first, score=first.score + 0.2), *others), judge=None)
    assert [hit.passage for hit in ranking.promising] == [first.passage]
    assert generator.weighed == []


def test_without_a_judge_no_hit_is_promising_when_others_are_close_to_the_first() -> None:
    close = [replace(hit, score=0.4) for hit in HITS]
    assert select(WeighingGenerator("million"), close, judge=None).promising == ()


def test_without_a_judge_an_article_that_lacks_what_the_question_names_is_rejected() -> None:
    question = f"{QUESTION} Petrov says 5000."
    ranking = select(WeighingGenerator("million"), HITS[2:3], question, judge=None)
    assert ranking.promising == ()
    assert "5,000" in ranking.rejected[0].reason


def test_nothing_is_promising_when_the_generator_finds_no_hit_likely() -> None:
    assert select(WeighingGenerator("nowhere"), HITS).promising == ()


def test_caution_requires_more_evidence() -> None:
    found = [select(WeighingGenerator("million"), HITS, caution=caution).promising for caution in (-1.0, 0.0, 5.0)]
    assert [bool(promising) for promising in found] == [True, True, False]


def test_an_article_that_lacks_what_the_question_names_is_rejected() -> None:
    hits = find_hits("The harbour cost nine million, says Ivanov.", "The harbour cost nine million.")
    generator = WeighingGenerator("million")
    ranking = select(generator, hits, f"{QUESTION} Petrov says 5000.")
    assert len(generator.weighed) == len(hits)
    assert ranking.promising == ()
    assert len(ranking.rejected) == len(hits)
    assert all("5,000" in rejection.reason for rejection in ranking.rejected)


def test_hits_far_behind_are_judged_when_the_nearer_articles_lack_what_the_question_names() -> None:
    near, far = find_hits("The harbour cost nine million.", "The harbour of 5000 boats cost nine million.")
    hits = (near, replace(far, score=near.score - 0.2))
    generator = WeighingGenerator("million")
    first, second = make_selector(generator).select(make_query(f"{QUESTION} It has 5000 boats."), hits)
    assert first.promising == ()
    assert [hit.passage for hit in second.promising] == [far.passage]
    assert len(generator.weighed) == 2


def test_hits_raised_for_their_period_do_not_keep_others_from_being_judged() -> None:
    raised, other = find_hits("The harbour opened.", "The harbour cost nine million.")
    hits = (replace(raised, score=other.score + 0.05), other)
    generator = WeighingGenerator("million")
    select(generator, hits, raised=0.05)
    assert len(generator.weighed) == 2


def test_the_readers_odds_count_for_the_judge_as_far_as_its_table_says() -> None:
    reader = MarkingReader("million")
    deaf = replace(JUDGE, reading=0.0)
    for judge, expected in ((deaf, ()), (replace(JUDGE, reading=5.0), ("2.txt",))):
        *_, ranking = make_selector(WeighingGenerator("nowhere"), judge, reader=reader).select(make_query(), HITS)
        assert tuple(hit.passage.source for hit in ranking.promising) == expected


def test_a_passage_with_the_odds_of_an_unread_one_has_the_evidence_of_one() -> None:
    reader, generator = MarkingReader("million"), WeighingGenerator("million")
    judge = replace(JUDGE, reading=1.0, unread=3.0)
    *_, read = make_selector(generator, judge, reader=reader).select(make_query(), HITS)
    *_, alone = make_selector(generator, judge).select(make_query(), HITS)
    assert read.hits[0].evidence == alone.hits[0].evidence
    assert read.hits[0].reading is not None
    assert alone.hits[0].reading is None


def test_promising_hits_are_read_even_if_the_odds_do_not_count() -> None:
    *_, ranking = make_selector(WeighingGenerator("million"), reader=MarkingReader("million")).select(
        make_query(), HITS
    )
    assert ranking.promising[0].reading is not None
    assert ranking.hits[0] == ranking.promising[0]
