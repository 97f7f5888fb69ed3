"""The evaluation's questions: each stands on words that are in the articles, and the two halves stay fair."""

import hashlib
import json
import re
import unicodedata
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
SEEDS = ROOT / "seeds"
CASES = ROOT / "evaluation" / "cases"
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

Case = dict[str, Any]


def read(name: str) -> list[Case]:
    return [json.loads(line) for line in (CASES / name).read_text(encoding="utf-8").splitlines()]


ANSWERABLE = read("articles.jsonl")
UNANSWERABLE = read("unanswerable.jsonl")
BOTH = pytest.mark.parametrize("cases", [ANSWERABLE, UNANSWERABLE], ids=["articles", "unanswerable"])


def names(cases: list[Case]) -> list[str]:
    return [case["id"] for case in cases]


def fold(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c)).casefold()


def says(text: str, variant: str) -> bool:
    """The judge's rule: the folded variant occurs, and a number does not go on beyond it."""
    wanted = fold(variant)
    before = r"(?<!\d)" if wanted[0].isdigit() else ""
    after = r"(?!\d)" if wanted[-1].isdigit() else ""
    return re.search(before + re.escape(wanted) + after, fold(text)) is not None


def held_back(fact: str) -> bool:
    return hashlib.sha256(fact.encode()).hexdigest()[0] in "89abcdef"


def test_there_are_enough_cases() -> None:
    assert len(ANSWERABLE) >= 160
    assert len(UNANSWERABLE) >= 60


def test_no_id_is_used_twice() -> None:
    assert [name for name, count in Counter(names(ANSWERABLE + UNANSWERABLE)).items() if count > 1] == []


def test_no_question_is_asked_twice() -> None:
    asked = Counter(fold(case["question"]) for case in ANSWERABLE + UNANSWERABLE)
    assert [question for question, count in asked.items() if count > 1] == []


@BOTH
def test_each_question_is_in_a_known_language_and_written_in_its_script(cases: list[Case]) -> None:
    for case in cases:
        assert (case["language"], case["script"]) in TONGUES, case["id"]
        letters = [c for c in case["question"] if c.isalpha()]
        own = sum(unicodedata.name(c).startswith(LETTERS[case["script"]]) for c in letters)
        assert own > len(letters) / 2, case["id"]


@BOTH
def test_every_language_has_its_share(cases: list[Case]) -> None:
    counts = Counter((case["language"], case["script"]) for case in cases)
    least = 6 if cases is ANSWERABLE else 3
    assert counts.keys() == TONGUES
    assert {tongue: count for tongue, count in counts.items() if count < least} == {}


@BOTH
def test_the_held_back_half_is_about_a_half(cases: list[Case]) -> None:
    share = sum(held_back(case["fact"]) for case in cases) / len(cases)
    assert 0.4 <= share <= 0.6


@pytest.mark.parametrize("case", ANSWERABLE, ids=names(ANSWERABLE))
def test_each_gold_span_stands_exactly_once_in_its_article(case: Case) -> None:
    for place in [{"source": case["source"], "gold": case["gold"]}, *case["also"]]:
        text = (SEEDS / place["source"]).read_text(encoding="utf-8")
        assert text.count(place["gold"]) == 1, place


@pytest.mark.parametrize("case", ANSWERABLE, ids=names(ANSWERABLE))
def test_the_reference_answer_is_judged_right_and_the_question_alone_is_not(case: Case) -> None:
    assert any(says(case["answer"], variant) for variant in case["accept"])
    assert [variant for variant in case["accept"] if says(case["question"], variant)] == []


def test_questions_about_one_fact_share_its_places() -> None:
    places: dict[str, tuple[str, str, list[Case]]] = {}
    for case in ANSWERABLE:
        place = (case["source"], case["gold"], case["also"])
        assert places.setdefault(case["fact"], place) == place, case["id"]


def test_most_questions_are_in_another_language_than_the_article() -> None:
    foreign = sum(case["language"] != ARTICLES[case["source"]] for case in ANSWERABLE)
    assert foreign >= 0.75 * len(ANSWERABLE)


def test_every_article_is_asked_about() -> None:
    facts = {source: {case["fact"] for case in ANSWERABLE if case["source"] == source} for source in ARTICLES}
    assert {source: len(keys) for source, keys in facts.items() if len(keys) < 10} == {}


def test_kinds_and_styles_are_among_those_described() -> None:
    assert {case["kind"] for case in ANSWERABLE} == KINDS
    assert {case["style"] for case in ANSWERABLE} == STYLES
    assert {case["kind"] for case in UNANSWERABLE} == GAPS


def test_an_unanswerable_question_says_why_and_what_is_near() -> None:
    for case in UNANSWERABLE:
        assert case["why"], case["id"]
        assert case["near"] is None or case["near"] in ARTICLES, case["id"]
