"""A number that a passage gives as a bound is not given as exact: over 1000 is not 1000."""

from dataclasses import replace

import pytest

from rag.types import Passage
from rag.verification.verify import state_bounds, verify

CZECH = "Spojené státy oznámily, že Severní Korea dodala Rusku přes 1000 kontejnerů s municí."
POLISH = "Zginęło mniej niż 300 żołnierzy."
SPANISH = "Murieron al menos 300 soldados."


def make_passage(text: str, language: str) -> Passage:
    return Passage("a.txt", text, 0, len(text), language, "Latn", None, None)


@pytest.mark.parametrize(
    ("text", "language", "said", "bounded"),
    [
        (
            CZECH,
            "cs",
            "North Korea sent 1000 containers to Russia.",
            "North Korea sent over 1000 containers to Russia.",
        ),
        (CZECH, "cs", "North Korea sent 1,000 of them.", "North Korea sent over 1,000 of them."),
        (POLISH, "pl", "300 soldiers were killed.", "Under 300 soldiers were killed."),
        (POLISH, "pl", "Zabito 300 ludzi.", "Zabito mniej niż 300 ludzi."),
        ("Stálo to přes 40 milionů dolarů.", "cs", "It cost $40 million.", "It cost over $40 million."),
        ("V Soulu bylo přes 20 lidí, v Pusanu 5.", "cs", "There were 20 and 5.", "There were over 20 and 5."),
    ],
)
def test_a_bound_of_the_passage_is_added_before_the_number(text: str, language: str, said: str, bounded: str) -> None:
    passage = make_passage(text, language)
    assert state_bounds(said, passage) == bounded
    assert verify(said, passage).outcome == "unsupported"
    assert verify(bounded, passage).outcome == "supported"


@pytest.mark.parametrize(
    ("text", "language", "said"),
    [
        (CZECH, "cs", "North Korea sent over 1000 containers to Russia."),
        (CZECH, "cs", "North Korea sent more than 1000 containers to Russia."),
        ("Severní Korea dodala 1000 kontejnerů.", "cs", "North Korea sent 1000 containers."),
        ("Přes 1000 vojáků odjelo. Všech 1000 vojáků se vrátilo.", "cs", "All 1000 soldiers have returned."),
        (SPANISH, "es", "300 soldiers were killed."),
        ("Setkali se pod 38. rovnoběžkou.", "cs", "They met at the 38th parallel."),
        ("Stalo se to v září 2023.", "cs", "It happened in 2023."),
    ],
)
def test_a_statement_that_agrees_with_the_passage_is_unchanged(text: str, language: str, said: str) -> None:
    passage = make_passage(text, language)
    assert state_bounds(said, passage) == said
    assert verify(said, passage).outcome == "supported"


@pytest.mark.parametrize("said", ["North Korea sent about 1000 containers.", "Η Βόρεια Κορέα έστειλε 1000 κοντέινερ."])
def test_a_statement_to_which_no_bound_can_be_added_is_unsupported(said: str) -> None:
    passage = make_passage(CZECH, "cs")
    assert state_bounds(said, passage) == said
    assert verify(said, passage).outcome == "unsupported"


def test_a_number_of_the_question_may_be_repeated() -> None:
    question, said = "Who sent Russia 1000 containers?", "North Korea sent 1000 containers."
    assert verify(said, make_passage(CZECH, "cs"), question).outcome == "supported"


def test_nothing_is_added_for_a_passage_whose_language_has_no_table() -> None:
    passage = replace(make_passage(CZECH, "cs"), language="xx")
    assert state_bounds("North Korea sent 1000 containers.", passage) == "North Korea sent 1000 containers."
