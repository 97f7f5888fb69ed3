"""A trusted generator answers from one passage at a time, and only what its passage supports is shown."""

import time
from collections.abc import Sequence
from dataclasses import replace

import pytest

from rag.answering.events import Event, Reading, Words
from rag.answering.speaking import Speaker, Speech, clean, read
from rag.config import ROOT, Config
from rag.errors import GenerationError
from rag.testing import ScriptedGenerator, WordEncoder
from rag.text.language import Language
from rag.text.prompts import Prompts
from rag.types import Hit, Passage, Reply
from tests.reading.reports import CZECH, ENGLISH, HITS, WeighingGenerator, find_hits, make_query, make_selector

PROMPTS = Prompts.load(ROOT / "prompts")
TEXT = 'He said: {question} “{passage}” {0} {"a": 1}'
CZECH_REPLY = "Ten přístav stál podle všeho devět milionů korun."


def ask(question: str, language: Language = ENGLISH) -> tuple[str, str]:
    generator = ScriptedGenerator("Yes.")
    passage = Passage("a.txt", TEXT, 0, len(TEXT), "en", "Latn", None, None)
    list(read(make_query(question, language), Hit(1, 0.9, passage), generator, PROMPTS, 9))
    ((prefix, suffix),) = generator.prompts
    return prefix, suffix


def speak(
    generator: ScriptedGenerator, hits: Sequence[Hit], seconds: float = 20.0
) -> tuple[list[Event], Speech, tuple[Hit, ...]]:
    """The events, what may be shown, and the hits at the end."""
    selector, query = make_selector(generator), make_query()
    deadline = time.monotonic() + seconds
    *_, ranking = selector.select(query, hits)
    events: list[Event] = []
    stream = Speaker(Config(), generator, WordEncoder(), PROMPTS, selector).speak(query, ranking, deadline)
    try:
        while True:
            events.append(next(stream))
    except StopIteration as end:
        return events, end.value, end.value.update(ranking.hits)


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
def test_markers_that_the_generator_writes_are_removed(reply: str, statement: str) -> None:
    assert clean(reply) == statement


def test_the_likeliest_passage_is_read_and_a_supported_statement_is_kept() -> None:
    events, speech, _ = speak(WeighingGenerator("million", "It cost nine million."), HITS)
    assert isinstance(events[0], Reading)
    assert events[0].hit.passage.source == "2.txt"
    assert "".join(event.text for event in events if isinstance(event, Words)).strip() == "It cost nine million."
    assert [one.text for one in speech.statements] == ["It cost nine million."]


def test_a_statement_that_its_passage_does_not_support_is_rejected() -> None:
    _, speech, _ = speak(WeighingGenerator("million", "It cost seven million."), HITS)
    assert speech.statements == ()
    assert len(speech.rejected) == 1


@pytest.mark.parametrize("reply", ["", "…", "[1].", "– ?"])
def test_a_reply_without_a_word_is_rejected(reply: str) -> None:
    _, speech, _ = speak(WeighingGenerator("million", reply), HITS)
    assert speech.statements == ()
    assert [rejection.reason for rejection in speech.rejected] == ["Nothing was said."]


def test_nothing_is_read_when_no_hit_is_promising() -> None:
    generator = WeighingGenerator("nowhere", "It cost nine million.")
    events, speech, _ = speak(generator, HITS)
    assert (events, generator.prompts, speech) == ([], [], Speech())


def test_a_reply_is_one_line_whatever_breaks_it() -> None:
    hits = find_hits("The harbour cost nine million.")
    _, speech, _ = speak(WeighingGenerator("million", "It cost\u2028nine\u2029million."), hits)
    assert [one.text for one in speech.statements] == ["It cost nine million."]


def test_a_reply_in_another_language_is_requested_once_more() -> None:
    generator = WeighingGenerator("million", CZECH_REPLY, "The harbour cost nine million.")
    events, speech, _ = speak(generator, HITS)
    assert len([event for event in events if isinstance(event, Reading)]) == 2
    assert [one.text for one in speech.statements] == ["The harbour cost nine million."]
    first, second = (suffix for _, suffix in generator.prompts)
    assert "in no other language" in second
    assert "in no other language" not in first


def test_a_second_reply_in_another_language_is_rejected() -> None:
    _, speech, _ = speak(WeighingGenerator("million", CZECH_REPLY), HITS)
    assert speech.statements == ()
    assert [one.reason for one in speech.rejected] == ["It is in cs (Latn), not in en (Latn)."]


def test_other_articles_that_support_the_statement_agree_with_it() -> None:
    hits = find_hits(
        "The harbour cost nine million.", "It cost nine million, the harbour.", "The harbour cost seven million.",
        "Boats came.",
    )  # fmt: skip
    _, speech, _ = speak(WeighingGenerator("million", "It cost nine million."), hits)
    (statement,) = speech.statements
    assert [hit.passage.source for hit in statement.hits] == ["0.txt", "1.txt"]


def test_an_agreeing_article_is_judged_though_it_was_far_behind() -> None:
    near, far, lacking = find_hits(
        "The harbour cost nine million.", "It cost nine million, the harbour.", "It cost nine, they said."
    )
    hits = (near, *(replace(hit, score=near.score - 0.2) for hit in (far, lacking)))
    _, speech, updated = speak(WeighingGenerator("million", "It cost nine million."), hits)
    (statement,) = speech.statements
    assert [hit.passage.source for hit in statement.agreeing] == ["1.txt"]
    assert [hit.odds for hit in updated] == [6.0, 6.0, None]
    _, speech, _ = speak(WeighingGenerator("The harbour cost nine million", "It cost nine million."), hits)
    (statement,) = speech.statements
    assert statement.agreeing == ()


def test_a_statement_stands_though_the_generator_fails_at_judging_who_agrees() -> None:
    class FailingGenerator(WeighingGenerator):
        def weigh(self, prefixes: Sequence[str], suffix: str, replies: tuple[str, str]) -> list[float]:
            if self.weighed:
                raise GenerationError("It is gone.")
            return super().weigh(prefixes, suffix, replies)

    near, far = find_hits("The harbour cost nine million.", "It cost nine million, the harbour.")
    hits = (near, replace(far, score=near.score - 0.2))
    _, speech, _ = speak(FailingGenerator("million", "It cost nine million."), hits)
    (statement,) = speech.statements
    assert statement.agreeing == ()


def test_an_article_that_says_otherwise_is_read_too_while_the_first_statement_stands() -> None:
    hits = find_hits("The harbour cost nine million.", "The harbour cost seven million.", "Boats came.")
    events, speech, _ = speak(WeighingGenerator("million", "It cost nine million.", "It cost seven million."), hits)
    assert [(one.text, one.hit.passage.source) for one in speech.statements] == [
        ("It cost nine million.", "0.txt"), ("It cost seven million.", "1.txt"),
    ]  # fmt: skip
    first, second = (event for event in events if isinstance(event, Reading))
    assert (first.standing, second.standing) == ((), ("It cost nine million.",))


def test_a_wrong_statement_about_another_article_is_rejected_and_the_first_stands() -> None:
    hits = find_hits("The harbour cost nine million.", "The harbour cost seven million.")
    _, speech, _ = speak(WeighingGenerator("million", "It cost nine million.", "It cost eight million."), hits)
    assert [one.text for one in speech.statements] == ["It cost nine million."]
    assert [one.statement.text for one in speech.rejected] == ["It cost eight million."]


def test_after_the_deadline_no_other_article_is_read() -> None:
    hits = find_hits("The harbour cost nine million.", "The harbour cost seven million.")
    generator = WeighingGenerator("million", "It cost nine million.", "It cost seven million.")
    _, speech, _ = speak(generator, hits, seconds=0.0)
    assert [one.text for one in speech.statements] == ["It cost nine million."]
    assert len(generator.prompts) == 1


def test_one_statement_is_enough_for_an_article() -> None:
    first, second = find_hits("The harbour cost nine million.", "Its pier cost seven million.")
    hits = (first, replace(second, passage=replace(second.passage, source=first.passage.source)))
    generator = WeighingGenerator("million", "It cost nine million.")
    _, speech, _ = speak(generator, hits)
    assert len(speech.statements) == len(generator.prompts) == 1


def test_the_first_statement_stands_though_the_generator_fails_at_reading_another_article() -> None:
    class FailingGenerator(WeighingGenerator):
        def generate(self, prefix: str, suffix: str, max_tokens: int, stop: Sequence[str] = ()) -> Reply:
            if self.prompts:
                raise GenerationError("It is gone.")
            yield from super().generate(prefix, suffix, max_tokens, stop)

    hits = find_hits("The harbour cost nine million.", "The harbour cost seven million.")
    _, speech, _ = speak(FailingGenerator("million", "It cost nine million."), hits)
    assert [one.text for one in speech.statements] == ["It cost nine million."]
