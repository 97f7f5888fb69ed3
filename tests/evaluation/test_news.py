"""The news corpus is well formed, so that its figures measure retrieval and not mistakes in the corpus."""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

CASES = Path(__file__).parents[2] / "evaluation" / "cases"
SCRIPTS = {"el": "Grek", "bg": "Cyrl", "ru": "Cyrl", "sr": "Cyrl", "uk": "Cyrl"}
LETTERS = {"Latn": r"[A-Za-zÀ-ɏ]", "Cyrl": r"[Ѐ-ӿ]", "Grek": r"[Ͱ-Ͽἀ-῿]"}
ITEM_LANGUAGES = {"bg", "cs", "de", "el", "en", "es", "et", "fi", "fr", "hu", "pl", "ro", "ru", "sr", "tr", "uk"}

Record = dict[str, Any]


def read(name: str) -> list[Record]:
    return [json.loads(line) for line in (CASES / name).read_text(encoding="utf-8").splitlines()]


ITEMS = {item["id"]: item for item in read("news.jsonl")}
QUESTIONS = read("news_questions.jsonl")
FAMILIES = {item["event"]: item["family"] for item in ITEMS.values()}


def in_development(family: str) -> bool:
    return hashlib.sha256(family.encode()).hexdigest()[0] in "01234567"


def fold(text: str) -> str:
    """Fold case and thousands separators, which depend on the language and not on the fact."""
    return re.sub(r"(?<=\d)[\s.,](?=\d{3}(?!\d))", "", text.casefold())


def holds(text: str, answer: str) -> bool:
    """Return whether the answer occurs by itself, not within a longer word or number."""
    return bool(re.search(rf"(?<!\w)(?<!\d[.,]){re.escape(fold(answer))}(?!\w)", fold(text)))


def spans() -> Iterator[tuple[Record, Record, str]]:
    for question in QUESTIONS:
        for item_id, span in question["gold"].items():
            yield question, ITEMS[item_id], span


def test_every_id_is_unique() -> None:
    assert len(ITEMS) == len(read("news.jsonl"))
    assert len({question["id"] for question in QUESTIONS}) == len(QUESTIONS)


def test_the_corpus_has_its_size() -> None:
    assert len(ITEMS) >= 66
    assert len(FAMILIES) >= 30
    assert len(QUESTIONS) >= 150


def test_every_family_holds_events_that_can_be_confused() -> None:
    assert all(count in (3, 4) for count in Counter(FAMILIES.values()).values())


def test_every_event_is_reported_in_two_or_three_languages() -> None:
    reports = Counter(item["event"] for item in ITEMS.values())
    languages = {(item["event"], item["language"]) for item in ITEMS.values()}
    assert set(reports.values()) == {2, 3}
    assert len(languages) == len(ITEMS)


def test_the_languages_are_spread_over_items_and_questions() -> None:
    counts = Counter(item["language"] for item in ITEMS.values())
    assert set(counts) == ITEM_LANGUAGES
    assert min(counts.values()) >= 3
    assert len({question["language"] for question in QUESTIONS}) >= 16


def test_most_questions_are_in_a_language_that_no_gold_item_has() -> None:
    across = [q for q in QUESTIONS if q["language"] not in {ITEMS[item_id]["language"] for item_id in q["gold"]}]
    assert len(across) > len(QUESTIONS) / 2


@pytest.mark.parametrize("item", ITEMS.values(), ids=list(ITEMS))
def test_an_item_is_a_short_dated_report(item: Record) -> None:
    assert set(item) == {"id", "event", "family", "language", "script", "date", "title", "text"}
    assert 50 <= len(item["text"].split()) <= 100
    assert date.fromisoformat(item["date"])
    assert item["title"].strip()


@pytest.mark.parametrize("record", [*ITEMS.values(), *QUESTIONS], ids=lambda record: record["id"])
def test_the_script_named_is_the_script_written(record: Record) -> None:
    text = record.get("text") or record["question"]
    written = {script: len(re.findall(letter, text)) for script, letter in LETTERS.items()}
    assert record["script"] == SCRIPTS.get(record["language"], "Latn")
    assert max(written, key=lambda script: written[script]) == record["script"]


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question["id"])
def test_a_question_is_answered_by_items_of_its_event(question: Record) -> None:
    assert set(question) == {"id", "event", "language", "script", "question", "answers", "gold"}
    assert question["gold"]
    assert question["answers"]
    assert {ITEMS[item_id]["event"] for item_id in question["gold"]} == {question["event"]}


def test_no_question_is_asked_twice() -> None:
    assert len({question["question"] for question in QUESTIONS}) == len(QUESTIONS)


def test_a_gold_span_is_in_its_item_exactly_once() -> None:
    assert [(q["id"], item["id"]) for q, item, span in spans() if item["text"].count(span) != 1] == []


def test_a_gold_span_contains_an_accepted_answer() -> None:
    missing = [
        (question["id"], item["id"])
        for question, item, span in spans()
        if not any(fold(answer) in fold(span) for answer in question["answers"])
    ]
    assert missing == []


def test_gold_leaves_out_no_report_that_has_the_answer() -> None:
    left_out = [
        (question["id"], item["id"], answer)
        for question in QUESTIONS
        for item in ITEMS.values()
        if item["event"] == question["event"] and item["id"] not in question["gold"]
        for answer in question["answers"]
        if holds(item["text"], answer)
    ]
    assert left_out == []


def test_look_alike_events_never_share_a_gold_span() -> None:
    """A gold span that is also in another event's report does not identify its event."""
    events_of: dict[str, set[str]] = {}
    for question, _, span in spans():
        events_of.setdefault(span, set()).add(question["event"])
    assert [span for span, events in events_of.items() if len(events) > 1] == []


def test_both_halves_have_their_share_of_the_questions() -> None:
    development = sum(in_development(FAMILIES[question["event"]]) for question in QUESTIONS)
    assert 0.4 <= development / len(QUESTIONS) <= 0.6
