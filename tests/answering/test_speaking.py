"""Reading one passage: the prompt holds passage and question as they are, and the reply gives no marks of its own."""

import pytest

from rag.answering.speaking import clean, read
from rag.config import ROOT
from rag.testing import ScriptedGenerator
from rag.text.language import Language
from rag.text.prompts import Prompts
from rag.types import Hit, Passage

PROMPTS = Prompts.load(ROOT / "prompts")
ENGLISH, CZECH = Language("en", "Latn"), Language("cs", "Latn")
TEXT = 'He said: {question} “{passage}” {0} {"a": 1}'


def ask(question: str, language: Language = ENGLISH) -> tuple[str, str]:
    generator = ScriptedGenerator("Yes.")
    passage = Passage("a.txt", TEXT, 0, len(TEXT), "en", "Latn", None, None)
    list(read(question, language, Hit(1, 0.9, passage), generator, PROMPTS, 9))
    ((prefix, suffix),) = generator.prompts
    return prefix, suffix


def test_braces_in_an_article_or_a_question_are_text() -> None:
    prefix, suffix = ask("What is {passage} {language}?")
    assert TEXT in prefix
    assert "What is {passage} {language}?" in suffix


def test_what_is_computed_for_a_passage_serves_every_question_and_language() -> None:
    assert ask("Why?", ENGLISH)[0] == ask("Proč?", CZECH)[0]
    assert "Czech" in ask("Proč?", CZECH)[1]


@pytest.mark.parametrize(
    ("reply", "statement"),
    [
        ("In May [1]. \n", "In May."),
        (" [12] In [3] May", "In May"),
        ("In [May]", "In [May]"),
        ("[1]", ""),
        ("In May [[1]2].", "In May."),
        ("In [[[3]4]5]6] May", "In6] May"),
        (" \n", ""),
    ],
)
def test_markers_of_the_generator_are_taken_out(reply: str, statement: str) -> None:
    assert clean(reply) == statement
