"""The answering words of an answer are marked where they stand in its text, in every form in which it is written."""

from dataclasses import replace

from rag.answering.answer import Answer, Citation, Short
from rag.answering.markdown import write_answer
from rag.config import ROOT
from rag.text.prompts import Prompts

PROMPTS = Prompts.load(ROOT / "prompts")
TEXT = "The harbour opened in May. It cost (nine million). Boats came."
QUOTE = "It cost (nine million)."


def make_answer(*shorts: str | None, quote: str = QUOTE, text: str = TEXT) -> Answer:
    start = text.index(quote)
    citations = tuple(
        Citation(
            number, "harbour.txt", "en", "Latn", "2025", quote, start, start + len(quote),
            short=Short(words, text.index(words), text.index(words) + len(words)) if words else None,
        )
        for number, words in enumerate(shorts, start=1)
    )  # fmt: skip
    said = "\n".join(f"The article says: “{quote}” [{citation.number}]" for citation in citations)
    return Answer("q", "q", said, citations, "en", "Latn", False, True, (), (), {}, {})


def test_each_quote_has_its_own_marks() -> None:
    answer = make_answer("nine million", "cost")
    assert [answer.text[start:end] for start, end in answer.marked] == ["nine million", "cost"]
    assert answer.short == Short("nine million", 36, 48)
    assert TEXT[36:48] == "nine million"


def test_without_marked_words_nothing_is_marked() -> None:
    answer = make_answer(None)
    assert (answer.short, answer.marked, answer.as_dict()["short"]) == (None, (), None)
    assert "**" not in write_answer(answer, PROMPTS)


def test_words_are_marked_in_the_quote_as_it_is_shown_where_they_stand_several_times() -> None:
    quote = "Nine\u200b  men and nine women, nine\xa0 men."
    answer = make_answer("nine\xa0 men", quote=quote, text=quote)
    citation = answer.citations[0]
    assert citation.shown == "Nine men and nine women, nine men."
    answer = replace(answer, text=f"“{citation.shown}” [1]")
    (marked,) = answer.marked
    assert answer.text[slice(*marked)] == "nine men"
    assert marked[0] > answer.text.index("women")


def test_an_answer_in_other_words_marks_nothing() -> None:
    assert replace(make_answer("cost"), quoted=False).marked == ()


def test_plain_json_has_the_answering_words() -> None:
    assert make_answer("nine million").as_dict()["short"] == {
        "text": "nine million",
        "start": 36,
        "end": 48,
        "said": None,
    }


def test_markdown_prints_them_bold_without_punctuation_at_their_borders() -> None:
    assert "“It cost (**nine million**).” [1]" in write_answer(make_answer("(nine million)"), PROMPTS)


def test_html_of_marked_words_is_escaped() -> None:
    quote = "It <i>cost</i> nine."
    html = make_answer("<i>cost</i>", quote=quote, text=quote)._repr_html_()
    assert "<b>&lt;i&gt;cost&lt;/i&gt;</b>" in html
