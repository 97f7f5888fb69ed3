"""An answer counts as right if it says what the case accepts, whether in the generator's words or in the article's."""

from dataclasses import replace
from pathlib import Path

import pytest

from evaluation.answers import judge, summarise
from evaluation.cases import Answerable, OwnWords, Unanswerable
from evaluation.own_words import ask
from rag import Answer, Assistant, Citation, Config
from rag.config import ROOT
from rag.index.index import Index
from rag.testing import SPEAKING, ScriptedGenerator, WordEncoder
from rag.text.prompts import Prompts
from tests.index.test_index import make_document, write

TEXT = "The harbour opened in May. It cost nine million."
CASE = Answerable(
    id="cost-en", language="en", script="Latn", question="What did it cost?", fact="cost", source="harbour.txt",
    gold="It cost nine million", also=(), answer="Nine million.", accept=("nine million", "9 million"), kind="number",
    style="plain",
)  # fmt: skip
OTHER = Unanswerable(
    id="no-en",
    language="en",
    script="Latn",
    question="Who built it?",
    fact="no",
    kind="near-miss",
    near=None,
    why="No.",
)
QUOTE = Citation(1, "harbour.txt", "en", "Latn", None, "It cost nine million.", 27, 48)
ANSWER = Answer(
    question="What did it cost?", completed="What did it cost?", text="It cost 9 million. [1]", citations=(QUOTE,),
    language="en", script="Latn", abstained=False, quoted=False, hits=(), rejected=(),
    timings={"total": 1.0}, models={},
)  # fmt: skip


@pytest.fixture
def assistant(tmp_path: Path) -> Assistant:
    write(tmp_path / "news", make_document("harbour.txt", TEXT), make_document("other.txt", "Apples ripened."))
    prompts = Prompts.load(ROOT / "prompts")
    return Assistant(Config(), Index.open(tmp_path / "news"), WordEncoder(), ScriptedGenerator(""), prompts, SPEAKING)


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        (ANSWER, "right"),
        (replace(ANSWER, text="It cost seven million. [1]"), "wrong"),
        (replace(ANSWER, text="It cost 9 million. (English) [1]\nNine million. (Czech) [1]"), "right"),
        (replace(ANSWER, text="It cost 9 million. (English) [1]\nIt cost seven million. (Czech) [1]"), "wrong"),
        (replace(ANSWER, citations=(replace(QUOTE, source="other.txt"),)), "wrong"),
        (replace(ANSWER, quoted=True), "quoted, right"),
        (replace(ANSWER, quoted=True, citations=(replace(QUOTE, start=0, end=26),)), "quoted, wrong"),
        (replace(ANSWER, abstained=True, citations=()), "abstained"),
    ],
)
def test_an_answerable_case_is_right_by_what_is_accepted_and_where_it_stands(
    assistant: Assistant, answer: Answer, verdict: str
) -> None:
    assert judge(CASE, answer, assistant).verdict == verdict


def test_a_case_without_an_answer_is_right_only_when_it_is_left_alone(assistant: Assistant) -> None:
    abstained = replace(ANSWER, abstained=True, citations=())
    verdicts = [judge(OTHER, one, assistant).verdict for one in (ANSWER, replace(ANSWER, quoted=True), abstained)]
    assert verdicts == ["wrong", "quoted, wrong", "abstained"]


def test_a_quote_that_is_not_in_the_article_and_a_wrong_language_are_seen(assistant: Assistant) -> None:
    sound = judge(CASE, ANSWER, assistant)
    assert sound.verbatim
    assert sound.in_language
    assert not judge(CASE, replace(ANSWER, citations=(replace(QUOTE, quote="It cost 9 million."),)), assistant).verbatim
    assert not judge(CASE, replace(ANSWER, text="Přístav stál devět milionů korun. [1]"), assistant).in_language


@pytest.mark.parametrize(("accept", "right"), [(("nine", "seven"), True), (("nine",), False), (("seven",), False)])
def test_words_of_its_own_are_right_when_every_line_is(tmp_path: Path, accept: tuple[str, ...], right: bool) -> None:
    articles = [make_document(f"{name}.txt", f"The harbour cost {name} million.") for name in ("nine", "seven")]
    write(tmp_path / "news", *articles)
    index, prompts = Index.open(tmp_path / "news"), Prompts.load(ROOT / "prompts")
    generator = ScriptedGenerator("It cost nine million.", "It cost seven million.")
    assistant = Assistant(Config(), index, WordEncoder(), generator, prompts, SPEAKING)
    question = "Has the harbour cost nine million, or what?"
    said = ask(OwnWords(language="en", question=question, accept=accept, reject=()), assistant)
    assert said
    assert said.text == "It cost nine million. (English, 2025-07)\nIt cost seven million. (English, 2025-07)"
    assert said.right == right


def test_shares_are_of_those_that_can_be_answered_and_of_those_that_cannot(assistant: Assistant) -> None:
    outcomes = [judge(CASE, ANSWER, assistant), judge(CASE, replace(ANSWER, text="Seven. [1]"), assistant)]
    outcomes.append(judge(OTHER, replace(ANSWER, abstained=True, citations=()), assistant))
    figures = summarise(outcomes)
    assert figures["answerable: right"] == figures["answerable: wrong"] == 0.5
    assert figures["unanswerable: abstained"] == 1
    assert figures["quotes not verbatim"] == 0
