"""Questions that depend on the conversation, and the questions that complete them."""

from dataclasses import replace

import pytest

from evaluation.cases import half_of, load_answerable, load_followups, load_unanswerable
from rag.retrieval.followups import complete, is_dependent
from rag.text.language import Language, detect
from rag.types import Turn
from tests.evaluation.test_answers import ANSWER

LONGEST = 2000
ENGLISH = Language("en", "Latn")
TURN = Turn("Who invited Lavrov to North Korea?", "The foreign ministry did. [1]")


@pytest.mark.parametrize(
    "question",
    [
        "And in 2025?",
        "Who said that?",
        "A kdy odjel?",
        "And Putin?",
        "Why?",
        "Wer hat das gesagt?",
        "Και πότε έφυγε;",
        "Ja millal?",
        "А када је отишао?",
        "Co przywiózł?",
        "¿Y cuándo?",
        "Et pourquoi ?",
        "他从哪里来的？",
        # German nouns have capitals, but are not names.
        "Welchen Grund nannte er?",
        "Welche Strafe bekam sie?",
        "Wie viele Menschen starben dort?",
        "Pourquoi a-t-elle refusé de signer le traité ?",
        "Pourquoi veut-il acheter des munitions ?",
        "Qu'a-t-il dit de la guerre en arrivant ?",
    ],
)
def test_a_question_that_points_back_or_names_nothing_is_dependent(question: str) -> None:
    assert is_dependent(question, detect(question))


@pytest.mark.parametrize(
    "question",
    [
        "Who is John Kirby?",
        "What does Putin hope for, according to the message he sent?",
        "And how many engineers will North Korea send to Kursk?",
        "Když Kim přijel do Ruska, co mu Putin daroval?",
        "How much did the old harbour bridge cost?",
        "金正恩邀请谁访问朝鲜？",
        "What happened in 2019?",
        "Hat Lawrow gesagt, dass er im Oktober kommt?",
        "Quand le président de la commission est-il arrivé ?",
        "Que s'est-il passé à Prague en 1968 ?",
        "Faut-il avoir peur de la guerre nucléaire ?",
        "Y a-t-il une guerre en Ukraine aujourd'hui ?",
        "Macron a-t-il dissous l'Assemblée nationale ?",
        "Was wissen Sie über Prag?",
        "Wie funktioniert Ihre Suche in Prag?",
        "Wann verließ Merkel ihre Partei?",
        "Wie begründet Habeck seine Entscheidung?",
    ],
)
def test_a_question_that_says_what_it_is_about_is_independent(question: str) -> None:
    assert not is_dependent(question, detect(question))


def test_no_independent_held_back_question_is_completed_and_nearly_every_dependent_one_is() -> None:
    missed = [case.question for case in held_back(load_followups()) if case.depends and not changed(case)]
    taken = [case.question for case in held_back(load_followups()) if not case.depends and changed(case)]
    single = held_back((*load_answerable(), *load_unanswerable()))
    assert taken == []
    assert len(missed) <= 2, missed
    assert sum(is_dependent(case.question, detect(case.question)) for case in single) <= 0.02 * len(single)


def held_back(cases: tuple) -> list:
    return [case for case in cases if half_of(case.fact) == "held-back"]


def changed(case) -> bool:  # noqa: ANN001
    language = detect(case.question, home=detect(case.before[-1].question))
    return complete(case.question, language, case.before, LONGEST) != case.question


def test_a_follow_up_is_completed_by_the_question_before_it_in_any_language_and_never_by_an_answer() -> None:
    completed = complete("A kdy tam pojede?", Language("cs", "Latn"), [TURN], LONGEST)
    assert completed == "Who invited Lavrov to North Korea? A kdy tam pojede?"


def test_a_chain_of_follow_ups_reaches_back_to_its_topic_and_no_further() -> None:
    history = [Turn("Who is Kirby?", ""), TURN, Turn("And when?", ""), Turn("For how long?", "")]
    assert complete("Why?", ENGLISH, history, LONGEST) == f"{TURN.question} And when? For how long? Why?"


def test_a_completed_question_is_shown_above_its_answer_and_as_text() -> None:
    drawn = replace(ANSWER, completed="What is <b>it</b>? Why?")._repr_html_()
    assert drawn.startswith('<p class="completed" dir="auto">What is &lt;b&gt;it&lt;/b&gt;? Why?</p>')
    assert "completed" not in ANSWER._repr_html_()


def test_without_a_conversation_or_beyond_the_longest_length_a_question_stays_as_it_is() -> None:
    assert complete("Why?", ENGLISH, [], LONGEST) == "Why?"
    assert complete("Why?", ENGLISH, [Turn("x" * 3000, "")], LONGEST) == "Why?"
