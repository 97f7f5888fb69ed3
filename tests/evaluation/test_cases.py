"""Every case refers to words that are in the articles, and the two halves are fair."""

import unicodedata
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from evaluation.cases import (
    Answerable,
    Place,
    Unanswerable,
    half_of,
    load_answerable,
    load_followups,
    load_own_words,
    load_pairs,
    load_short,
    load_unanswerable,
)
from rag.reading.acceptance import says
from rag.text.folding import fold_in_script

SEEDS = Path(__file__).parents[2] / "seeds"
ARTICLES = {
    "000_6546eb5d104e4df2.txt": "cs",
    "001_a8bb7df5b9a08b73.txt": "el",
    "002_f479d6fd843f1435.txt": "et",
    "003_6cba2d2d06e482cc.txt": "sr",
    "004_1f69318a9cec8a4d.txt": "pl",
}
LATIN = ("cs", "de", "en", "es", "et", "fi", "fr", "hu", "pl", "sr", "tr")
TONGUES = {(language, "Latn") for language in LATIN} | {
    ("el", "Grek"),
    ("ko", "Kore"),
    ("ru", "Cyrl"),
    ("sr", "Cyrl"),
    ("uk", "Cyrl"),
    ("zh", "Hani"),
}
LETTERS = {"Latn": "LATIN", "Grek": "GREEK", "Cyrl": "CYRILLIC", "Kore": "HANGUL", "Hani": "CJK"}
KINDS = {"who", "where", "when", "how-many", "what", "why", "yes-no"}
STYLES = {"short", "long", "name-variant", "date", "number", "plain"}
GAPS = {"near-miss", "false-premise", "other-topic", "future", "wrong-person", "wrong-number", "south-north"}

CORRUPTIONS = {
    "none",
    "number",
    "month",
    "date",
    "name",
    "place",
    "negation",
    "swap",
    "way",
    "unit",
    "quotation",
    "other",
}

Cases = Sequence[Answerable | Unanswerable]

ANSWERABLE = load_answerable()
UNANSWERABLE = load_unanswerable()
BOTH = pytest.mark.parametrize("cases", [ANSWERABLE, UNANSWERABLE], ids=["articles", "unanswerable"])


def names(cases: Cases) -> list[str]:
    return [case.id for case in cases]


def test_there_are_enough_cases() -> None:
    assert len(ANSWERABLE) >= 160
    assert len(UNANSWERABLE) >= 60


def test_no_id_is_used_twice() -> None:
    assert [name for name, count in Counter(names(ANSWERABLE + UNANSWERABLE)).items() if count > 1] == []


def test_no_question_is_asked_twice() -> None:
    asked = Counter(fold_in_script(case.question) for case in ANSWERABLE + UNANSWERABLE)
    assert [question for question, count in asked.items() if count > 1] == []


@BOTH
def test_each_question_is_in_a_known_language_and_written_in_its_script(cases: Cases) -> None:
    for case in cases:
        assert (case.language, case.script) in TONGUES, case.id
        letters = [c for c in case.question if c.isalpha()]
        own = sum(unicodedata.name(c).startswith(LETTERS[case.script]) for c in letters)
        assert own > len(letters) / 2, case.id


@BOTH
def test_every_language_has_its_share(cases: Cases) -> None:
    counts = Counter((case.language, case.script) for case in cases)
    least = 6 if cases is ANSWERABLE else 3
    assert counts.keys() == TONGUES
    assert {tongue: count for tongue, count in counts.items() if count < least} == {}


@BOTH
def test_the_held_back_half_is_about_a_half(cases: Cases) -> None:
    share = sum(half_of(case.fact) == "held-back" for case in cases) / len(cases)
    assert 0.4 <= share <= 0.6


@pytest.mark.parametrize("case", ANSWERABLE, ids=names(ANSWERABLE))
def test_each_gold_span_is_exactly_once_in_its_article(case: Answerable) -> None:
    for place in case.places:
        text = (SEEDS / place.source).read_text(encoding="utf-8")
        assert text.count(place.gold) == 1, place


@pytest.mark.parametrize("case", ANSWERABLE, ids=names(ANSWERABLE))
def test_the_reference_answer_is_judged_right_and_the_question_alone_is_not(case: Answerable) -> None:
    assert any(says(case.answer, variant) for variant in case.accept)
    assert [variant for variant in case.accept if says(case.question, variant)] == []


def test_questions_about_one_fact_share_its_places() -> None:
    places: dict[str, tuple[str, str, tuple[Place, ...]]] = {}
    for case in ANSWERABLE:
        place = (case.source, case.gold, case.also)
        assert places.setdefault(case.fact, place) == place, case.id


def test_most_questions_are_in_another_language_than_the_article() -> None:
    foreign = sum(case.language != ARTICLES[case.source] for case in ANSWERABLE)
    assert foreign >= 0.75 * len(ANSWERABLE)


def test_every_article_is_asked_about() -> None:
    facts = {source: {case.fact for case in ANSWERABLE if case.source == source} for source in ARTICLES}
    assert {source: len(keys) for source, keys in facts.items() if len(keys) < 10} == {}


def test_kinds_and_styles_are_among_those_described() -> None:
    assert {case.kind for case in ANSWERABLE} == KINDS
    assert {case.style for case in ANSWERABLE} == STYLES
    assert {case.kind for case in UNANSWERABLE} == GAPS


def test_an_unanswerable_question_says_why_and_what_is_near() -> None:
    for case in UNANSWERABLE:
        assert case.why, case.id
        assert case.near is None or case.near in ARTICLES, case.id


def test_follow_ups_ask_for_known_facts_in_many_languages_and_both_halves() -> None:
    cases = load_followups()
    assert len({case.id for case in cases}) == len(cases) >= 40
    assert {case.fact for case in cases} <= {case.fact for case in ANSWERABLE}
    assert len({case.language for case in cases}) >= 8
    assert all(case.before and case.question == unicodedata.normalize("NFC", case.question) for case in cases)
    for depends in (True, False):
        halves = Counter(half_of(case.fact) for case in cases if case.depends == depends)
        assert min(halves.values()) * 3 >= halves.total()


def test_each_pair_has_words_of_its_article_and_half_of_the_pairs_are_corrupted() -> None:
    pairs = load_pairs()
    assert len(pairs) >= 240
    assert sum(pair.supported for pair in pairs) * 2 == len(pairs)
    assert len({pair.id for pair in pairs}) == len(pairs)
    assert {pair.corruption for pair in pairs} == CORRUPTIONS
    for pair in pairs:
        assert (SEEDS / pair.source).read_text(encoding="utf-8").count(pair.gold) == 1, pair
        assert pair.supported == (pair.corruption == "none"), pair
        assert pair.statement == unicodedata.normalize("NFC", pair.statement), pair


def test_most_pairs_cross_languages_and_each_half_has_every_corruption() -> None:
    pairs = load_pairs()
    crossing = [pair for pair in pairs if ARTICLES[pair.source] != pair.language]
    assert len(crossing) * 2 >= len(pairs)
    assert {pair.language for pair in pairs} >= {"cs", "el", "et", "sr", "pl", "en", "de"}
    for half in ("development", "held-back"):
        assert {pair.corruption for pair in pairs if half_of(pair.fact) == half} == CORRUPTIONS


def test_own_words_are_asked_for_often_enough_and_no_echo_of_a_question_is_right() -> None:
    cases = load_own_words()
    assert len({case.question for case in cases}) == len(cases) >= 50
    assert sum(not case.accept for case in cases) >= 10
    assert [case.question for case in cases if any(says(case.question, variant) for variant in case.accept)] == []


def test_short_articles_name_their_subject_once_and_hold_each_answer_once() -> None:
    for article in load_short():
        for question in article.questions:
            assert (question.gold is None) == (question.kind == "none"), question.id
            assert question.gold is None or article.text.count(question.gold) == 1, question.id


def test_short_articles_are_in_ten_languages_and_half_of_each_is_held_back() -> None:
    articles = load_short()
    assert len({article.id for article in articles}) == len(articles) == 40
    halves = Counter((article.language, half_of(article.id)) for article in articles)
    assert set(halves.values()) == {2}
    assert len(halves) == 20
    answered = [question for article in articles for question in article.questions if question.gold]
    assert (len(answered), sum(len(article.questions) for article in articles)) == (200, 240)
    assert {question.kind for question in answered} == {"who", "where", "when", "how-many", "what", "why", "how"}
