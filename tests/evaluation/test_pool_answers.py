"""A reference answer counts in the language of the question and in that of its passage."""

import json
from pathlib import Path

from evaluation.mixed_pool import Draw, Pool
from evaluation.pool_answers import ask_all, load_accepted, summarise

PASSAGES = {"en": "The quay was finished in May.", "de": "Der Kai wurde im Mai fertig."}
QUESTIONS = {"en": "When was the quay finished?", "de": "Wann wurde der Kai fertig?"}
ANSWERS = {"en": "in May", "de": "im Mai"}


def load(folder: Path) -> Pool:
    for language in PASSAGES:
        passage = {"passage_id": "quay", "text": PASSAGES[language]}
        question = {
            "id": "q", "question": QUESTIONS[language], "passage_id": "quay", "answers": [ANSWERS[language]]
        }  # fmt: skip
        (folder / f"passages.{language}.jsonl").write_text(json.dumps(passage), encoding="utf-8")
        (folder / f"questions.{language}.jsonl").write_text(json.dumps(question), encoding="utf-8")
    return Pool.load(folder)


def test_a_quote_in_the_language_of_the_passage_is_as_right_as_words_in_that_of_the_question(tmp_path: Path) -> None:
    pool = load(tmp_path)
    accepted = load_accepted(tmp_path, pool, Draw(0, {"quay": "0.txt"}, {"0.txt": "de"}))
    said = {QUESTIONS["en"]: "The article says: “Der Kai wurde im Mai fertig.” [1]", QUESTIONS["de"]: "In May."}
    outcomes = ask_all(pool.questions, accepted, lambda question: (said[question], 2.0))
    assert {(one.right, one.abstained) for one in outcomes} == {(True, False), (False, False)}


def test_abstaining_is_neither_right_nor_wrong(tmp_path: Path) -> None:
    pool = load(tmp_path)
    accepted = load_accepted(tmp_path, pool, Draw(0, {"quay": "0.txt"}, {"0.txt": "en"}))
    figures = summarise(ask_all(pool.questions, accepted, lambda _: (None, 1.0)))
    assert figures == {"right": 0, "abstained": 1, "wrong": 0, "seconds, median": 1.0}
