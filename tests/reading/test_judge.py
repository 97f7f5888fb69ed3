"""Order by the generator's own odds, and how far a generator is believed."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from rag.answering.answerer import Answerer, Finding
from rag.answering.events import Event, Judged, Reading
from rag.config import ROOT, Config
from rag.errors import GenerationError
from rag.reading.judge import JUDGED, judge
from rag.reading.trust import AGREEMENT, Judge, find_shipped
from rag.testing import ScriptedGenerator, WordEncoder
from rag.text.language import Language
from rag.text.prompts import Prompts
from rag.types import Document, Hit, Passage, Reply

PROMPTS = Prompts.load(ROOT / "prompts")
SPEAKING = Judge(weight=12.0, least=7.25, speaks=("en",))
RULE = Judge(weight=10.0, least=7.0, speaks=("en",))
QUESTION = "What did the harbour cost?"
ENGLISH, CZECH = Language("en", "Latn"), Language("cs", "Latn")


class WeighingGenerator(ScriptedGenerator):
    """Finds those excerpts likely that hold a word."""

    def __init__(self, likely: str, *replies: str) -> None:
        super().__init__(*replies)
        self.weighed: list[str] = []
        self._likely = likely

    def weigh(self, prefixes: Sequence[str], suffix: str, replies: tuple[str, str]) -> list[float]:
        assert replies == ("Yes", "No")
        assert QUESTION in suffix
        self.weighed += prefixes
        return [6.0 if self._likely in prefix else -6.0 for prefix in prefixes]


def find_hits(*texts: str) -> tuple[Hit, ...]:
    passages = [Passage(f"{n}.txt", text, 0, len(text), "en", "Latn", None, None) for n, text in enumerate(texts)]
    return tuple(Hit(rank, 0.5 - rank / 100, passage) for rank, passage in enumerate(passages, start=1))


def make(
    generator: ScriptedGenerator, hits: Sequence[Hit], rule: Judge | None = SPEAKING, **settings: float
) -> Answerer:
    texts = {hit.passage.source: hit.passage.text for hit in hits}
    return Answerer(
        Config(**settings),  # type: ignore[arg-type]
        WordEncoder(),
        generator,
        PROMPTS,
        lambda source: Document(source, texts[source], "en", "Latn", None, None, ""),
        rule,
    )


def answer(
    generator: ScriptedGenerator,
    hits: Sequence[Hit],
    language: Language = ENGLISH,
    question: str = QUESTION,
    rule: Judge | None = SPEAKING,
    **settings: float,
) -> tuple[list[Event], Finding]:
    events = []
    stream = make(generator, hits, rule, **settings).find(question, language, hits)
    try:
        while True:
            events.append(next(stream))
    except StopIteration as end:
        return events, end.value


HITS = find_hits("Pears ripened.", "It rained in May.", "The harbour cost nine million.", "Boats came.", "Snow fell.")


def test_evidence_is_the_odds_the_score_and_that_retrieval_agrees() -> None:
    disagreed, *_ = judge(QUESTION, HITS, WeighingGenerator("million"), PROMPTS, RULE)
    agreed, other, *_ = judge(QUESTION, HITS, WeighingGenerator("Pears"), PROMPTS, RULE)
    assert disagreed.evidence == pytest.approx(6.0 + 10.0 * HITS[2].score)
    assert agreed.evidence == pytest.approx(6.0 + 10.0 * HITS[0].score + AGREEMENT)
    assert other.evidence == pytest.approx(-6.0 + 10.0 * HITS[1].score)


def test_what_the_generator_finds_likely_comes_first_and_what_was_not_judged_last() -> None:
    generator = WeighingGenerator("million")
    judged = judge(QUESTION, HITS, generator, PROMPTS, RULE)
    assert [hit.passage.source for hit in judged] == ["2.txt", "0.txt", "1.txt", "3.txt", "4.txt"]
    assert [hit.rank for hit in judged] == [1, 2, 3, 4, 5]
    assert [hit.odds for hit in judged] == [6.0, -6.0, -6.0, -6.0, None]
    assert len(generator.weighed) == JUDGED


def test_what_retrieval_puts_far_behind_is_not_judged() -> None:
    generator = WeighingGenerator("million")
    first, second, third, *_ = HITS
    far = (first, second, replace(third, score=second.score - 0.1))
    judged = judge(QUESTION, far, generator, PROMPTS, RULE)
    assert [hit.odds for hit in judged] == [-6.0, -6.0, None]
    assert [hit.passage for hit in judged] == [hit.passage for hit in far]
    assert len(generator.weighed) == 2


def test_between_equals_retrieval_decides() -> None:
    judged = judge(QUESTION, HITS, WeighingGenerator("nowhere"), PROMPTS, RULE)
    assert [hit.passage for hit in judged] == [hit.passage for hit in HITS]


@pytest.mark.parametrize(("generator", "is_one"), [("qwen2.5-coder-1.5b", True), ("qwen2.5-coder-0.5b", False)])
def test_only_generators_that_proved_to_judge_are_judges(generator: str, is_one: bool) -> None:
    assert (find_shipped(generator) is not None) == is_one


def test_the_likeliest_passage_is_read_and_what_it_bears_is_said() -> None:
    events, finding = answer(WeighingGenerator("million", "It cost nine million."), HITS)
    assert isinstance(events[0], Judged)
    (reading,) = (event for event in events if isinstance(event, Reading))
    assert reading.hit.passage.source == "2.txt"
    assert [one.text for one in finding.statements] == ["It cost nine million."]


def test_what_the_passage_does_not_bear_gives_way_to_the_passage_itself() -> None:
    _, finding = answer(WeighingGenerator("million", "It cost seven million."), HITS)
    assert finding.statements == ()
    assert finding.quoted == finding.hits[0]
    assert len(finding.rejected) == 1


@pytest.mark.parametrize("reply", ["", "…", "[1].", "– ?"])
def test_what_has_no_word_says_nothing(reply: str) -> None:
    _, finding = answer(WeighingGenerator("million", reply), HITS)
    assert finding.statements == ()
    assert finding.quoted
    assert [rejection.reason for rejection in finding.rejected] == ["Nothing was said."]


def test_in_a_language_that_it_does_not_speak_the_generator_is_not_asked() -> None:
    generator = WeighingGenerator("million", "Stál devět milionů.")
    events, finding = answer(generator, HITS, CZECH)
    assert generator.prompts == []
    assert [type(event) for event in events] == [Judged]
    assert finding.quoted == finding.hits[0]


def test_a_generator_that_is_no_judge_is_asked_nothing_and_what_retrieval_puts_well_ahead_is_quoted() -> None:
    first, *others = HITS
    ahead = (replace(first, score=first.score + 0.2), *others)
    generator = WeighingGenerator("million", "It cost nine million.")
    for language in (ENGLISH, CZECH):
        events, finding = answer(generator, ahead, language, rule=None)
        assert events == []
        assert finding.statements == ()
        assert finding.quoted
        assert finding.quoted.passage == first.passage
    assert (generator.prompts, generator.weighed) == ([], [])


def test_without_a_judge_nothing_is_quoted_where_retrieval_puts_others_near_the_first() -> None:
    close = [replace(hit, score=0.4) for hit in HITS]
    _, finding = answer(WeighingGenerator("million", "It cost nine million."), close, rule=None)
    assert (finding.statements, finding.quoted) == ((), None)


def test_without_a_judge_too_an_article_that_lacks_what_the_question_names_is_not_quoted() -> None:
    _, finding = answer(
        WeighingGenerator("million", ""), HITS[2:3], question=f"{QUESTION} Petrov says 5000.", rule=None
    )
    assert finding.quoted is None
    assert [rejection.reason for rejection in finding.rejected] == [
        "The article does not mention the number 5,000, which the question takes for granted."
    ]


def test_where_no_passage_is_likely_none_is_read_or_quoted() -> None:
    generator = WeighingGenerator("nowhere", "It cost nine million.")
    _, finding = answer(generator, HITS)
    assert generator.prompts == []
    assert (finding.statements, finding.quoted) == ((), None)


def test_caution_asks_for_more_evidence() -> None:
    def quotes(caution: float) -> bool:
        generator = WeighingGenerator("million", "")
        stream = make(generator, HITS, caution=caution).find(QUESTION, CZECH, HITS)
        try:
            while True:
                next(stream)
        except StopIteration as end:
            return end.value.quoted is not None

    assert [quotes(caution) for caution in (-1.0, 0.0, 5.0)] == [True, True, False]


def test_an_article_that_lacks_what_the_question_names_is_neither_read_nor_quoted() -> None:
    hits = find_hits("The harbour cost nine million, says Ivanov.", "The harbour cost nine million.")
    generator = WeighingGenerator("million", "It cost nine million.")
    _, finding = answer(generator, hits, ENGLISH, f"{QUESTION} Petrov says 5000.")
    assert generator.prompts == []
    assert len(generator.weighed) == len(hits)
    assert (finding.statements, finding.quoted) == ((), None)
    assert {rejection.reason for rejection in finding.rejected} == {
        "The article does not mention the number 5,000, which the question takes for granted."
    }


def test_where_the_near_articles_lack_what_the_question_names_those_far_behind_are_judged_too() -> None:
    near, far = find_hits("The harbour cost nine million.", "The harbour of 5000 boats cost nine million.")
    hits = (near, replace(far, score=near.score - 0.2))
    generator = WeighingGenerator("million", "It cost nine million.")
    _, finding = answer(generator, hits, CZECH, f"{QUESTION} It has 5000 boats.")
    assert finding.quoted
    assert finding.quoted.passage == far.passage
    assert len(generator.weighed) == 2


def test_an_article_that_agrees_is_judged_though_it_was_far_behind() -> None:
    near, far, lacking = find_hits(
        "The harbour cost nine million.", "It cost nine million, the harbour.", "It cost nine, they said."
    )
    hits = (near, *(replace(hit, score=near.score - 0.2) for hit in (far, lacking)))
    generator = WeighingGenerator("million", "It cost nine million.")
    _, finding = answer(generator, hits)
    (statement,) = finding.statements
    assert [hit.passage.source for hit in statement.agreeing] == ["1.txt"]
    assert [hit.odds for hit in finding.hits] == [6.0, 6.0, None]
    _, finding = answer(WeighingGenerator("The harbour cost nine million", "It cost nine million."), hits)
    (statement,) = finding.statements
    assert statement.agreeing == ()


def test_an_answer_stands_though_the_generator_fails_at_judging_who_agrees() -> None:
    class FailingGenerator(WeighingGenerator):
        def weigh(self, prefixes: Sequence[str], suffix: str, replies: tuple[str, str]) -> list[float]:
            if self.weighed:
                raise GenerationError("It is gone.")
            return super().weigh(prefixes, suffix, replies)

    near, far = find_hits("The harbour cost nine million.", "It cost nine million, the harbour.")
    _, finding = answer(
        FailingGenerator("million", "It cost nine million."), (near, replace(far, score=near.score - 0.2))
    )
    (statement,) = finding.statements
    assert statement.agreeing == ()


def test_a_period_that_lifts_some_hits_puts_no_others_far_behind() -> None:
    lifted, other = find_hits("The harbour opened.", "The harbour cost nine million.")
    hits = (replace(lifted, score=other.score + 0.05), other)
    generator = WeighingGenerator("million", "It cost nine million.")
    for _ in make(generator, hits).find(QUESTION, CZECH, hits, lifted=0.05):
        pass
    assert len(generator.weighed) == 2


def test_other_articles_that_bear_the_statement_agree_with_it() -> None:
    hits = find_hits(
        "The harbour cost nine million.", "It cost nine million, the harbour.", "The harbour cost seven million.",
        "Boats came.",
    )  # fmt: skip
    _, finding = answer(WeighingGenerator("million", "It cost nine million."), hits)
    (statement,) = finding.statements
    assert [hit.passage.source for hit in statement.hits] == ["0.txt", "1.txt"]


def test_what_another_article_says_otherwise_is_said_too_while_the_first_stands() -> None:
    hits = find_hits("The harbour cost nine million.", "The harbour cost seven million.", "Boats came.")
    events, finding = answer(WeighingGenerator("million", "It cost nine million.", "It cost seven million."), hits)
    assert [(one.text, one.hit.passage.source) for one in finding.statements] == [
        ("It cost nine million.", "0.txt"), ("It cost seven million.", "1.txt"),
    ]  # fmt: skip
    first, second = (event for event in events if isinstance(event, Reading))
    assert (first.standing, second.standing) == ((), ("It cost nine million.",))


def test_what_is_wrong_of_another_article_is_rejected_and_the_first_stands() -> None:
    hits = find_hits("The harbour cost nine million.", "The harbour cost seven million.")
    _, finding = answer(WeighingGenerator("million", "It cost nine million.", "It cost eight million."), hits)
    assert [one.text for one in finding.statements] == ["It cost nine million."]
    assert [one.statement.text for one in finding.rejected] == ["It cost eight million."]
    assert finding.quoted is None


def test_when_the_seconds_are_spent_no_other_article_is_read() -> None:
    hits = find_hits("The harbour cost nine million.", "The harbour cost seven million.")
    generator = WeighingGenerator("million", "It cost nine million.", "It cost seven million.")
    _, finding = answer(generator, hits, seconds=1e-9)
    assert [one.text for one in finding.statements] == ["It cost nine million."]
    assert len(generator.prompts) == 1


def test_what_is_said_is_one_line_whatever_breaks_it() -> None:
    hits = find_hits("The harbour cost nine million.")
    _, finding = answer(WeighingGenerator("million", "It cost\u2028nine\u2029million."), hits)
    assert [one.text for one in finding.statements] == ["It cost nine million."]


def test_of_one_article_one_statement_is_enough() -> None:
    first, second = find_hits("The harbour cost nine million.", "Its pier cost seven million.")
    hits = (first, replace(second, passage=replace(second.passage, source=first.passage.source)))
    generator = WeighingGenerator("million", "It cost nine million.")
    _, finding = answer(generator, hits)
    assert len(finding.statements) == len(generator.prompts) == 1


def test_the_first_statement_stands_though_the_generator_fails_at_reading_another_article() -> None:
    class FailingGenerator(WeighingGenerator):
        def generate(self, prefix: str, suffix: str, max_tokens: int, stop: Sequence[str] = ()) -> Reply:
            if self.prompts:
                raise GenerationError("It is gone.")
            yield from super().generate(prefix, suffix, max_tokens, stop)

    hits = find_hits("The harbour cost nine million.", "The harbour cost seven million.")
    _, finding = answer(FailingGenerator("million", "It cost nine million."), hits)
    assert [one.text for one in finding.statements] == ["It cost nine million."]


def test_what_comes_in_another_language_is_asked_for_once_more() -> None:
    said = "Ten přístav stál podle všeho devět milionů korun."
    generator = WeighingGenerator("million", said, "The harbour cost nine million.")
    events, finding = answer(generator, HITS)
    assert len([event for event in events if isinstance(event, Reading)]) == 2
    assert [one.text for one in finding.statements] == ["The harbour cost nine million."]
    first, second = (suffix for _, suffix in generator.prompts)
    assert "in no other language" in second
    assert "in no other language" not in first


def test_what_stays_in_another_language_gives_way_to_the_passage_itself() -> None:
    said = "Ten přístav stál podle všeho devět milionů korun."
    _, finding = answer(WeighingGenerator("million", said), HITS)
    assert finding.statements == ()
    assert finding.quoted == finding.hits[0]
    assert finding.rejected[0].reason == "It is in cs (Latn), not in en (Latn)."
