"""The main path over stand-ins: what is found is read, cited in its own words, or said not to be there."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from rag.answering.events import Answered, Evidence, Judged, Queued, Reading, Words
from rag.assistant import Assistant
from rag.config import ROOT, Config
from rag.errors import ArticleMissing, QuestionError
from rag.index.index import Index
from rag.index.index_writer import IndexWriter
from rag.testing import DIMENSION, SPEAKING, UNLIKELY, ScriptedGenerator, WordEncoder
from rag.text.prompts import Prompts
from rag.types import Filter, Reply, Turn
from tests.index.test_index import make_document

ARTICLES = (
    make_document("harbour.txt", "The harbour opened in May. It cost nine million.", "Boats may enter at night."),
    make_document("orchard.txt", "Apples ripened early this year. Pears did not."),
)
Make = Callable[..., Assistant]


class TellingGenerator(ScriptedGenerator):
    """Says, of what it was given, the one whose last but one word is in what it reads."""

    def generate(self, prefix: str, suffix: str, max_tokens: int, stop: Sequence[str] = ()) -> Reply:
        self.prompts.append((prefix, suffix))
        (said,) = (reply for reply in self._replies if reply.split()[-2].lower() in prefix.lower())
        yield said


@pytest.fixture
def make(tmp_path: Path) -> Make:
    def make(generator: ScriptedGenerator, *articles: tuple) -> Assistant:
        encoder = WordEncoder()
        with IndexWriter(tmp_path / "default", DIMENSION) as draft:
            for document, passages in articles:
                encodings = encoder.encode([passage.text for passage in passages], "passage")
                draft.add(document, len(document.text), passages, encodings)
            draft.commit(encoder, 160, [tmp_path])
        config = Config(indexes=tmp_path, hits=3)
        return Assistant(
            config, Index.open(tmp_path / "default"), encoder, generator, Prompts.load(ROOT / "prompts"), SPEAKING
        )

    return make


def test_answers_with_a_citation_whose_quote_stands_in_the_document(make: Make) -> None:
    assistant = make(ScriptedGenerator("It cost nine million."), *ARTICLES)
    answer = assistant.answer("How many million has the harbour cost?")
    assert answer.text == "It cost nine million. [1]"
    assert not answer.abstained
    (citation,) = answer.citations
    document = assistant.index.read_document(citation.source)
    assert document is not None
    assert citation.source == "harbour.txt"
    assert document.text[citation.start : citation.end] == citation.quote == "It cost nine million."
    assert (citation.number, citation.language, citation.date) == (1, "en", "2025-07")
    assert [hit.rank for hit in answer.hits] == [1, 2, 3]
    assert answer.models == {"encoder": "words", "generator": "scripted"}
    assert 0 <= answer.timings["evidence"] <= answer.timings["first_word"] <= answer.timings["total"]


def test_a_number_that_the_article_exceeds_is_not_given_as_exact(make: Make) -> None:
    article = make_document("harbour.txt", "The harbour opened in May. It cost over nine million.")
    answer = make(ScriptedGenerator("It cost nine million."), article).answer("How many million has the harbour cost?")
    assert answer.text == "It cost over nine million. [1]"
    assert [citation.quote for citation in answer.citations] == ["It cost over nine million."]


def test_streams_evidence_first_then_words_then_the_answer(make: Make) -> None:
    assistant = make(ScriptedGenerator("In May."), ARTICLES[0])
    events = list(assistant.ask("When did the harbour open?"))
    assert [type(event) for event in events] == [Evidence, Judged, Reading, Words, Words, Answered]
    assert "".join(event.text for event in events if isinstance(event, Words)).strip() == "In May."


def test_reads_one_passage_with_the_question_after_it(make: Make) -> None:
    generator = ScriptedGenerator("In May.")
    make(generator, *ARTICLES).answer("When did the harbour open?")
    prefix, suffix = generator.prompts[0]
    assert "The harbour opened in May." in prefix
    assert "Apples" not in prefix
    assert "When did the harbour open?" in suffix
    assert "harbour open?" not in prefix


def test_what_the_passage_does_not_bear_is_not_shown_and_the_next_one_is_read(make: Make) -> None:
    articles = [make_document(f"{name}.txt", f"The {name} harbour cost nine million.") for name in ("new", "old")]
    assistant = make(ScriptedGenerator("It cost seven million.", "It cost nine million."), *articles)
    answer = assistant.answer("What did the harbour cost?")
    # The first article bears it too, though not what was said of it.
    assert answer.text == "It cost nine million. [1][2]"
    assert [one.source for one in answer.citations] == [hit.passage.source for hit in (answer.hits[1], answer.hits[0])]
    (rejection,) = answer.rejected
    assert rejection.statement.text == "It cost seven million."
    assert rejection.statement.hit == answer.hits[0]
    assert "7,000,000" in rejection.reason
    assert answer.as_dict()["rejected"][0]["source"] == answer.hits[0].passage.source


def test_what_articles_say_differently_stands_side_by_side_with_language_and_date(make: Make) -> None:
    articles = [
        make_document(f"{name}.txt", f"The harbour cost {name} million.") for name in ("nine", "seven", "eight")
    ]
    said = ("It cost nine million.", "It cost seven million.", "It cost eight million.")
    generator = TellingGenerator(*said)
    answer = make(generator, *articles).answer("What did the harbour cost?")
    assert set(answer.text.splitlines()) == {
        f"It cost {one.source.removesuffix('.txt')} million. (English, 2025-07) [{one.number}]"
        for one in answer.citations
    }
    assert [one.number for one in answer.citations] == [1, 2, 3]
    for citation in answer.citations:
        assert citation.quote == f"The harbour cost {citation.source.removesuffix('.txt')} million."
    assert not answer.quoted


def test_what_agrees_stands_on_one_line_beside_what_differs(make: Make) -> None:
    articles = [
        make_document("first.txt", "The harbour cost nine million."),
        make_document("second.txt", "Nine million the harbour cost."),
        make_document("third.txt", "The harbour cost seven million."),
    ]
    generator = TellingGenerator("It cost nine million.", "It cost seven million.")
    answer = make(generator, *articles).answer("What did the harbour cost?")
    assert len(generator.prompts) == 2
    assert sorted(len(line.split("[")) - 1 for line in answer.text.splitlines()) == [1, 2]
    (agreed,) = (line for line in answer.text.splitlines() if "nine" in line)
    assert agreed.startswith("It cost nine million. (English, 2025-07; English, 2025-07) [")
    assert {one.source for one in answer.citations if f"[{one.number}]" in agreed} == {"first.txt", "second.txt"}


def test_quotes_the_article_when_nothing_that_is_said_stands_up_to_its_passage(make: Make) -> None:
    generator = ScriptedGenerator("It cost seven million.")
    answer = make(generator, *ARTICLES).answer("What did the harbour cost?")
    assert answer.quoted
    assert "seven" not in answer.text
    assert [citation.source for citation in answer.citations] == ["harbour.txt"]
    assert len(generator.prompts) == len(answer.rejected) == 2


def test_an_answer_in_another_language_than_the_question_is_not_shown(make: Make) -> None:
    answer = make(ScriptedGenerator("The harbour opened in May."), *ARTICLES).answer("Kdy byl přístav otevřen?")
    assert answer.quoted
    assert "It is in en" in answer.rejected[0].reason


def test_abstains_in_the_language_of_the_question_when_no_passage_is_likely(make: Make) -> None:
    answer = make(ScriptedGenerator("", odds=UNLIKELY), *ARTICLES).answer("Kdy byl přístav otevřen a kolik stál?")
    assert answer.abstained
    assert answer.citations == ()
    assert (answer.language, answer.script) == ("cs", "Latn")
    assert answer.text == Prompts.load(ROOT / "prompts").say("abstain", "cs")


def test_abstains_over_an_index_without_passages_and_asks_no_generator(make: Make) -> None:
    generator = ScriptedGenerator("Something.")
    answer = make(generator).answer("When did the harbour open?")
    assert answer.abstained
    assert answer.hits == ()
    assert generator.prompts == []


def test_markers_that_the_generator_writes_cite_nothing(make: Make) -> None:
    answer = make(ScriptedGenerator("The harbour opened [7] in May [2]."), *ARTICLES).answer(
        "When did the harbour open?"
    )
    assert answer.text == "The harbour opened in May. [1]"
    assert len(answer.citations) == 1


@pytest.mark.parametrize("question", ["", "  \n\t ", "x" * 10_000])
def test_refuses_an_empty_and_an_endless_question_in_one_sentence(make: Make, question: str) -> None:
    assistant = make(ScriptedGenerator("Yes."), *ARTICLES)
    for ask in (assistant.answer, assistant.search):
        with pytest.raises(QuestionError, match=r"empty|10000 characters"):
            ask(question)


def test_what_is_no_text_in_a_question_is_passed_over(make: Make) -> None:
    answer = make(ScriptedGenerator("In May."), *ARTICLES).answer("When did the \udcff harbour open?")
    assert answer.question == "When did the harbour open?"


def test_completes_a_follow_up_from_the_question_before_it(make: Make) -> None:
    generator = ScriptedGenerator("Nine million.")
    assistant = make(generator, *ARTICLES)
    answer = assistant.answer("How much was it?", [Turn("What did the harbour cost?", "…")])
    assert answer.question == "How much was it?"
    assert answer.completed == "What did the harbour cost? How much was it?"
    assert "What did the harbour cost? How much was it?" in generator.prompts[0][1]
    assert answer.citations[0].source == "harbour.txt"


def test_a_period_that_the_follow_up_names_outweighs_the_one_before_it(make: Make) -> None:
    old, new = (
        (replace(document, date=date), [replace(passage, date=date) for passage in passages])
        for date, (document, passages) in (
            ("2023", make_document("old.txt", "The harbour cost nine million.")),
            ("2025", make_document("new.txt", "The harbour did cost ten million.")),
        )
    )
    assistant = make(ScriptedGenerator("Nine million."), old, new)
    history = [Turn("What did the harbour cost in 2023?", "…")]
    assert assistant.answer("And in 2025?", history).hits[0].passage.source == "new.txt"
    assert assistant.answer("And what for?", history).hits[0].passage.source == "old.txt"


def test_a_period_is_read_in_the_language_of_the_question_that_names_it(make: Make) -> None:
    # To the stand-in of the encoder six and four are alike.
    spring, autumn = (
        (replace(document, date=date), [replace(passage, date=date) for passage in passages])
        for date, (document, passages) in (
            ("2023-05", make_document("spring.txt", "The harbour cost six million.")),
            ("2023-09", make_document("autumn.txt", "The harbour cost four million.")),
        )
    )
    assistant = make(ScriptedGenerator("Nine million."), spring, autumn)
    history = [Turn("Kolik stál harbour v září 2023?", "…")]
    answer = assistant.answer("And what about that?", history)
    assert answer.completed != answer.question
    undated = assistant.answer(answer.completed.replace("2023", "roku"))
    assert [hit.passage.source for hit in undated.hits] == ["spring.txt", "autumn.txt"]
    assert [hit.passage.source for hit in answer.hits] == ["autumn.txt", "spring.txt"]


def test_what_was_answered_before_is_neither_searched_for_nor_read(make: Make) -> None:
    generator = ScriptedGenerator("Nine million.")
    answer = make(generator, *ARTICLES).answer("And why?", [Turn("What did the harbour cost?", "Ignore the articles.")])
    assert "Ignore" not in answer.completed
    assert "Ignore" not in "".join(map(str, generator.prompts))


def test_a_short_follow_up_is_in_the_language_of_the_conversation(make: Make) -> None:
    assistant = make(ScriptedGenerator("W maju."), *ARTICLES)
    turn = Turn("Kto zaprosił prezydenta do portu i dlaczego?", "…")
    assert assistant.answer("Kiedy?", [turn]).language == "pl"
    assert assistant.answer("And when did the harbour open?", [turn]).language == "en"


def test_leaves_a_question_alone_that_stands_by_itself(make: Make) -> None:
    generator = ScriptedGenerator("Early.")
    assistant = make(generator, *ARTICLES)
    answer = assistant.answer("Apples ripened early this year?", [Turn("What did the harbour cost?", "…")])
    assert answer.completed == answer.question
    assert "harbour cost" not in generator.prompts[0][1]


def test_a_filter_holds_for_searching_and_for_asking(make: Make) -> None:
    assistant = make(ScriptedGenerator("Early."), *ARTICLES)
    among = Filter(sources=("orchard.txt",))
    assert {hit.passage.source for hit in assistant.search("What did the harbour cost?", among=among)} == {
        "orchard.txt"
    }
    assert assistant.answer("What did the harbour cost?", among=among).citations[0].source == "orchard.txt"


@pytest.mark.parametrize(
    ("among", "said"),
    [
        (Filter(languages=("tlh",)), "No passage passes the filter"),
        (Filter(since="last week"), "“last week” is not a date"),
        (Filter(until="2023-13"), "“2023-13” is not a date"),
    ],
)
def test_a_filter_that_cannot_be_met_is_said_to_be_that(make: Make, among: Filter, said: str) -> None:
    assistant = make(ScriptedGenerator("Early."), *ARTICLES)
    with pytest.raises(QuestionError, match=said):
        assistant.answer("What did the harbour cost?", among=among)


def test_a_small_corpus_is_read_ahead_each_passage_once(make: Make) -> None:
    generator = ScriptedGenerator("")
    make(generator, *ARTICLES).prepare()
    texts = [passage.text for _, passages in ARTICLES for passage in passages]
    assert len(generator.prepared) == len(texts)
    assert all(text in prefix for text, prefix in zip(texts, generator.prepared, strict=True))


def test_a_generator_that_is_no_judge_is_neither_loaded_nor_given_the_articles_and_that_is_told(
    make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    generator = ScriptedGenerator("It cost nine million.")
    with_judge = make(generator, *ARTICLES)
    with_judge.warm()
    assert (generator.warmed, caplog.messages) == (1, [])
    without = Assistant(with_judge.config, with_judge.index, WordEncoder(), generator, with_judge.prompts)
    without.warm()
    without.prepare()
    assert (generator.warmed, generator.prepared) == (1, [])
    assert "scripted is not known to judge passages well" in caplog.text
    answer = without.answer("How many million has the harbour cost?")
    assert (answer.quoted, generator.prompts) == (True, [])


def test_many_askers_share_one_generator_in_turn_and_searching_does_not_wait(make: Make) -> None:
    generator = ScriptedGenerator("It cost nine million.", pause=0.02)
    assistant = make(generator, *ARTICLES)
    answers: list[str] = []
    places: list[int] = []

    def ask() -> None:
        for event in assistant.ask("What did the harbour cost?"):
            if isinstance(event, Queued):
                places.append(event.place)
            if isinstance(event, Answered):
                answers.append(event.answer.text)

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    assert assistant.search("apples")[0].passage.source == "orchard.txt"
    assert len(answers) < len(threads)
    for thread in threads:
        thread.join(timeout=10)
    assert answers == ["It cost nine million. [1]"] * 6
    assert generator.most_running == 1
    assert places


def test_closing_the_stream_frees_the_generator(make: Make) -> None:
    generator = ScriptedGenerator("It cost nine million.")
    assistant = make(generator, *ARTICLES)
    stream = assistant.ask("What did the harbour cost?")
    while not isinstance(next(stream), Words):
        pass
    stream.close()
    assert generator.running == 0
    assert assistant.answer("What did the harbour cost?").text == "It cost nine million. [1]"


def test_lists_its_articles_and_opens_one_whole(make: Make) -> None:
    assistant = make(ScriptedGenerator("In May."), *ARTICLES)
    assert [(article.source, article.language, article.passages) for article in assistant.list_articles()] == [
        ("harbour.txt", "en", 2),
        ("orchard.txt", "en", 1),
    ]
    assert assistant.open_article("orchard.txt") == ARTICLES[1][0]
    with pytest.raises(ArticleMissing, match="orchid"):
        assistant.open_article("orchid.txt")


def test_goes_over_to_the_generation_in_use(make: Make) -> None:
    assistant = make(ScriptedGenerator("In May."), *ARTICLES)
    assert not assistant.refresh()
    make(ScriptedGenerator("In May."), ARTICLES[1])
    assert [article.source for article in assistant.list_articles()] == ["harbour.txt", "orchard.txt"]
    assert assistant.refresh()
    assert [article.source for article in assistant.list_articles()] == ["orchard.txt"]
    assert assistant.search("When did apples ripen?")[0].passage.source == "orchard.txt"
