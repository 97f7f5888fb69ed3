"""The texts and the HTML of the page, tested without Gradio."""

import json
import re
import tomllib
from collections.abc import Generator, Sequence
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from evaluation.report import RESULTS, publish
from rag.answering.answer import Answer, Citation
from rag.assistant import Assistant
from rag.config import ROOT, Config
from rag.errors import ArticleMissing, ModelError, QuestionError, RagError
from rag.index.index import Index
from rag.index.index_writer import IndexWriter
from rag.ingest.build import build_index, lock_index
from rag.page.article import ArticleSpan, draw_article, draw_missing
from rag.page.article_list import SHOWN, divide_limit, draw_change, draw_list
from rag.page.conversation import KEPT, Conversation, ConversationStore, Exchange, follow
from rag.page.export import write_json, write_markdown, write_plain
from rag.page.figures import DATA, HEAT_MAP, MEASURED, draw_figures
from rag.page.highlights import find_shared
from rag.page.labels import Wording, choose_language
from rag.page.transcript import draw_conversation
from rag.page.uploads import MAX_FILES, Change, add, list_added, remove
from rag.testing import DIMENSION, SPEAKING, ScriptedGenerator, WordEncoder
from rag.text.prompts import Prompts
from rag.types import Embeddings, Filter, Hit, Passage, Progress, Rejection, Role, Statement
from tests.index.test_index import encode_passages, make_document

PROMPTS = Prompts.load(ROOT / "prompts")
ENGLISH = Wording(PROMPTS, "en")
LANGUAGES = {"en", "cs", "el", "et", "sr", "sr-Latn", "pl"}
HOSTILE = "<script>x</script> ${x} `x` {{x}} [x](http://a.example) \"'"
TEXT = "The harbour opened in May. It cost nine million."


class Drawn(HTMLParser):
    """The text, tags and attributes that a browser finds in HTML."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.text = ""
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(markup)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def find(self, attribute: str) -> list[str | None]:
        return [attributes[attribute] for _, attributes in self.tags if attribute in attributes]


def make_hit(text: str = TEXT, odds: float | None = 2.0, source: str = "harbour.txt") -> Hit:
    return Hit(1, 0.9, Passage(source, text, 0, len(text), "en", "Latn", "2025-07", None), odds)


def make_answer(text: str, *citations: Citation, hits: tuple[Hit, ...] = (make_hit(),), quoted: bool = False) -> Answer:
    return Answer(
        question="How many million?",
        completed="How many million?",
        text=text,
        citations=citations,
        language="en",
        script="Latn",
        abstained=not citations,
        quoted=quoted,
        hits=hits,
        rejected=(),
        timings={"evidence": 0.04, "total": 1.83},
        models={"encoder": "words", "generator": "scripted"},
    )


def cite(number: int, start: int, end: int, source: str = "harbour.txt") -> Citation:
    return Citation(number, source, "en", "Latn", "2025-07", TEXT[start:end], start, end)


def draw(answer: Answer, wording: Wording = ENGLISH) -> Drawn:
    return Drawn(draw_conversation([Exchange(answer.question, answer=answer)], wording))


@pytest.fixture
def assistant(tmp_path: Path) -> Assistant:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    (corpus / "harbour.txt").write_text(TEXT, encoding="utf-8")
    (corpus / "sad.md").write_text("date 2024-05\n# Sad v Brně\n\nJablka letos dozrála v sadu dříve.\n", "utf-8")
    config = Config(indexes=tmp_path / "indexes", corpus=corpus)
    build_index(config=config, encoder=WordEncoder())
    index = Index.open(config.indexes / config.index)
    return Assistant(config, index, WordEncoder(), ScriptedGenerator("It cost nine million."), PROMPTS, SPEAKING)


def finish(steps: Generator[Change, None, None]) -> Change:
    return list(steps)[-1]


@pytest.mark.parametrize(
    ("accepted", "tag"),
    [
        ("cs-CZ,cs;q=0.9,en;q=0.8", "cs"),
        ("sr-Latn-RS", "sr-Latn"),
        ("sr-RS,sr;q=0.9", "sr"),
        ("de-AT, pl;q=0.5, el;q=0.7", "el"),
        ("fr", "en"),
        ("", "en"),
        ("et;q=x, ;q=, *;q=0.1", "en"),
    ],
)
def test_the_page_is_shown_in_the_language_that_the_browser_asks_for(accepted: str, tag: str) -> None:
    assert choose_language(accepted, PROMPTS.page) == tag


def test_the_page_is_translated_into_seven_languages() -> None:
    assert set(PROMPTS.page) == LANGUAGES
    english = tomllib.loads((ROOT / "prompts" / "page" / "en.toml").read_text(encoding="utf-8"))
    for tag in LANGUAGES - {"en"}:
        same = {key for key, text in PROMPTS.page[tag].items() if text == english[key]}
        # `Index` and `Generator` are the same word in several languages.
        assert same <= {"index_state", "generator", "seconds"}, f"{tag}: {same}"


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (make_answer("Nine [1]", cite(1, 0, 26)), "verified"),
        (make_answer("Articles: 1\n[1]", cite(1, 0, 26), hits=(), quoted=True), "listed"),
        (make_answer("The articles do not say."), "abstained"),
    ],
)
def test_an_answer_shows_how_far_it_can_be_relied_on(answer: Answer, state: str) -> None:
    for tag in LANGUAGES:
        wording = Wording(PROMPTS, tag)
        assert f"state {state}" in draw(answer, wording).find("class")
        assert wording.label(state) in draw(answer, wording).text


def test_a_quote_is_shown_once_and_is_not_labelled() -> None:
    citation = cite(1, 0, 26)
    drawn = draw(make_answer(f"The article says: “{citation.quote}” [1]", citation, quoted=True))
    assert drawn.text.count(citation.quote) == 1
    assert citation.source in drawn.text
    assert not any(name.startswith("state") for name in drawn.find("class"))
    assert draw(make_answer("It opened. [1]", citation)).text.count(citation.quote) == 1


def test_each_marker_opens_its_citation_and_a_marker_without_one_stays_text() -> None:
    drawn = draw(make_answer("It opened [1][2]. It cost [2], says [7].", cite(1, 0, 26), cite(2, 27, 48)))
    markers = [attributes for _, attributes in drawn.tags if attributes.get("class") == "marker"]
    opened = [json.loads(one["data-open"] or "") for one in markers]
    assert [(one["start"], one["end"]) for one in opened] == [(0, 26), (27, 48), (27, 48)]
    assert "says [7]." in drawn.text
    assert markers[0]["aria-label"] == "Open source 1 in its article"


def test_the_steps_show_each_passage_with_its_odds_and_rejections() -> None:
    hits = (make_hit(), make_hit("Boats enter.", None, "boats.txt"))
    rejected = (Rejection(Statement("It cost ten million.", hits[0]), "The passage has no ten million."),)
    text = draw(replace(make_answer("No.", hits=hits), rejected=rejected)).text
    assert "88% likely to hold the answer, according to the model" in text
    assert "The model said: It cost ten million.Not shown because: The passage has no ten million." in text
    assert "not judged" in text


def test_questions_answers_and_passages_are_text_and_never_markup() -> None:
    hit = make_hit(HOSTILE, source=HOSTILE)
    citation = replace(cite(1, 0, 26), source=HOSTILE, quote=HOSTILE, shown=HOSTILE, date=HOSTILE)
    for answer in (make_answer(HOSTILE, hits=(hit,)), make_answer(f"{HOSTILE} [1]", citation, hits=(hit,))):
        exchange = Exchange(HOSTILE, answer=replace(answer, question=HOSTILE))
        markup = draw_conversation([exchange, replace(exchange, answer=None, error=RagError(HOSTILE))], ENGLISH)
        drawn = Drawn(markup)
        assert HOSTILE in drawn.text
        assert not {"script", "a", "img"} & {tag for tag, _ in drawn.tags}
        # These have a meaning in Gradio's templates.
        assert not set("$`{}") & set(markup)


def test_words_shared_with_the_question_are_found_in_another_script() -> None:
    text = "Путин и Ким су се срели 2019. године, каже Москва"
    shared = [text[slice(*span)] for span in find_shared("When did Putin meet Kim in Moscow in 2019?", text)]
    assert shared == ["Путин", "2019"]


def test_a_stopped_exchange_is_not_updated_any_more() -> None:
    conversation = Conversation()
    first, second = conversation.begin("When?"), conversation.begin("Who?")
    conversation.update(first, Exchange("When?", answer=make_answer("Nine [1]", cite(1, 0, 26))))
    conversation.stop_all()
    assert [one.stopped for one in conversation.exchanges] == [False, True]
    assert not conversation.update(second, Exchange("Who?", words="At ni"))
    assert Drawn(draw_conversation(conversation.exchanges, ENGLISH)).text.endswith("Who?Stopped.")


def test_conversations_are_kept_by_tab_and_the_least_recently_used_is_dropped() -> None:
    store, begun = ConversationStore(), Conversation()
    assert store.find("tab", begun) is begun
    assert store.find("tab", Conversation()) is begun
    assert store.find("", other := Conversation()) is other
    for number in range(KEPT):
        store.find(f"other {number}", Conversation())
    assert store.find("tab", Conversation()) is not begun


def test_an_article_is_opened_with_the_quoted_words_marked(assistant: Assistant) -> None:
    citations = [cite(1, 0, 26), cite(1, 27, 48), cite(2, 0, 26)]
    drawn = Drawn(draw_article(assistant, ArticleSpan("harbour.txt", 27, 48), citations, ENGLISH))
    assert "Citation 2 of 3" in drawn.text
    assert TEXT in drawn.text
    ways = [json.loads(value or "") for value in drawn.find("data-open")]
    assert [(way["start"], way["end"]) for way in ways] == [(0, 26), (0, 26)]
    markup = draw_article(assistant, ArticleSpan("harbour.txt", 27, 48), citations, ENGLISH)
    assert "<mark>It cost nine million.</mark>" in markup


def test_a_quote_that_the_article_no_longer_holds_is_not_marked(assistant: Assistant) -> None:
    stale = replace(cite(1, 0, 26), quote="The harbour opened in June")
    markup = draw_article(assistant, ArticleSpan("harbour.txt", 0, 26), [stale], ENGLISH)
    assert "<mark>" not in markup
    assert ENGLISH.label("changed") in markup


@pytest.mark.parametrize(
    "value",
    [{}, {"source": 1}, {"source": "harbour.txt", "start": "0"}, {"source": "harbour.txt", "start": 5, "end": 2}],
)
def test_an_invalid_span_is_refused(value: dict[str, object]) -> None:
    with pytest.raises(ArticleMissing):
        ArticleSpan.parse(value)


def test_a_source_that_is_not_in_the_index_is_not_opened_as_a_path(assistant: Assistant) -> None:
    for source in ("../corpus/harbour.txt", "/etc/passwd"):
        with pytest.raises(ArticleMissing):
            draw_article(assistant, ArticleSpan.parse({"source": source}), [], ENGLISH)


def test_the_notice_of_a_missing_article_is_translated_and_can_be_closed() -> None:
    drawn = Drawn(draw_missing(Wording(PROMPTS, "cs")))
    assert "Tento článek už v indexu není." in drawn.text
    assert drawn.find("data-close") == [None]


def test_the_next_change_deletes_the_files_that_a_killed_change_left(assistant: Assistant, tmp_path: Path) -> None:
    (tmp_path / "mill.txt").write_text("The mill was sold in June.")
    assert finish(add([tmp_path / "mill.txt"], assistant)).error is None
    folder = tmp_path / "corpus" / "added"
    (folder / f".{'0a' * 16}").write_text("Half a mill")
    (folder / ".note").write_text("Of the reader's own.")
    assert finish(remove("added/mill.txt", assistant)).error is None
    assert [file.name for file in folder.iterdir()] == [".note"]


def test_the_list_groups_articles_by_language_and_names_them_by_title_or_first_words(assistant: Assistant) -> None:
    drawn = Drawn(draw_list(assistant, "", ENGLISH))
    assert (
        drawn.text == "2 of 2Czech 1Sad v Brně2024-05English 1The harbour opened in May. It cost nine million.no date"
    )
    assert Drawn(draw_list(assistant, "BRNE", ENGLISH)).text == "1 of 2Czech 1Sad v Brně2024-05"
    assert Drawn(draw_list(assistant, "nowhere", ENGLISH)).text == "0 of 2"


def test_languages_are_sorted_without_regard_to_diacritics(assistant: Assistant, tmp_path: Path) -> None:
    (tmp_path / "port.txt").write_text("Port w Gdyni został zamknięty w styczniu z powodu strajku.\n", encoding="utf-8")
    finish(add([tmp_path / "port.txt"], assistant))
    listed = re.findall("angličtina|čeština|polština", draw_list(assistant, "", Wording(PROMPTS, "cs")))
    assert listed == ["angličtina", "čeština", "polština"]


@pytest.mark.parametrize(
    ("wanted", "shares"),
    [
        ({"en": 2402, "cs": 601}, {"en": 150, "cs": 150}),
        ({"en": 2402, "cs": 20, "pl": 200}, {"en": 140, "cs": 20, "pl": 140}),
        ({"en": 7, "cs": 3}, {"en": 7, "cs": 3}),
        ({}, {}),
    ],
)
def test_a_limit_is_divided_evenly_and_a_language_leaves_what_it_does_not_need_to_the_others(
    wanted: dict[str, int], shares: dict[str, int]
) -> None:
    assert divide_limit(300, wanted) == shares


def test_a_list_over_the_limit_counts_every_article_and_shows_some_of_each_language(tmp_path: Path) -> None:
    with IndexWriter(tmp_path / "default", DIMENSION) as draft:
        for number in range(SHOWN + 40):
            document, passages = make_document(f"{number:03}.txt", f"Text number {number}.")
            document = replace(document, language="en" if number < 20 else "cs", title=f"Number {number}")
            draft.add(document, 20, passages, encode_passages(passages))
        draft.commit(WordEncoder(), 160, [tmp_path])
    index, config = Index.open(tmp_path / "default"), Config(indexes=tmp_path)
    assistant = Assistant(config, index, WordEncoder(), ScriptedGenerator(""), PROMPTS, SPEAKING)
    drawn = Drawn(draw_list(assistant, "", ENGLISH))
    assert drawn.text.startswith(f"340 of 340Czech {SHOWN - 20} of 320Number")
    assert "English 20Number" in drawn.text
    assert len(drawn.find("data-open")) == SHOWN


def test_an_article_is_added_listed_and_removed(assistant: Assistant, tmp_path: Path) -> None:
    added = tmp_path / "λιμάνι.txt"
    added.write_text("date 2026-01\nΤο λιμάνι του Πειραιά έκλεισε τον Ιανουάριο.\n", encoding="utf-8")
    before = assistant.index
    steps = list(add([added], assistant))
    assert [step.adding for step in steps if step.adding] == ["λιμάνι.txt"]
    assert any(step.total for step in steps)
    assert (steps[-1].articles, steps[-1].warnings, steps[-1].error) == (3, (), None)
    assert assistant.index is not before
    assert list_added(assistant) == {"added/λιμάνι.txt"}
    assert "added/λιμάνι.txt" in draw_list(assistant, "", ENGLISH)
    assert ENGLISH.label("in_use", articles=3) in draw_change(steps[-1], ENGLISH)
    assert finish(remove("added/λιμάνι.txt", assistant)).articles == 2
    assert not (tmp_path / "corpus" / "added" / "λιμάνι.txt").exists()


def test_files_that_are_not_articles_are_refused(assistant: Assistant, tmp_path: Path) -> None:
    refused = {
        "archive.zip": b"PK\x03\x04",
        "disguised.txt": b"PK\x03\x04" + bytes(range(256)),
        ".hidden.txt": b"Some text.",
        f"{'long' * 40}.txt": b"Some text.",
        "same.txt": TEXT.encode(),
        "empty.txt": b"",
    }
    for name, content in refused.items():
        (tmp_path / name).write_bytes(content)
    change = finish(add([tmp_path / name for name in refused], assistant))
    assert [one.source for one in change.warnings] == list(refused)
    assert change.articles is None
    assert not (tmp_path / "corpus" / "added").exists()


def test_a_file_name_cannot_leave_the_folder_or_replace_another_article(assistant: Assistant, tmp_path: Path) -> None:
    (tmp_path / "..\\..\\out.txt").write_text("A text that wants out of the folder.")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "out.txt").write_text("Another text of the same name.")
    finish(add([tmp_path / "..\\..\\out.txt"], assistant))
    change = finish(add([tmp_path / "other" / "out.txt"], assistant))
    assert [file.name for file in (tmp_path / "corpus" / "added").iterdir()] == ["out.txt"]
    assert "added before" in change.warnings[0].reason


def test_nothing_is_added_or_removed_while_another_process_builds(assistant: Assistant, tmp_path: Path) -> None:
    mill, quay = tmp_path / "mill.txt", tmp_path / "quay.txt"
    mill.write_text("The mill was sold in June.")
    quay.write_text("The quay was mended in July.")
    folder = tmp_path / "corpus" / "added"
    with lock_index(assistant.config.indexes / assistant.config.index):
        assert "Another process is building" in (finish(add([mill], assistant)).error or "")
    assert not folder.exists()
    assert finish(add([mill], assistant)).articles == 3
    with lock_index(assistant.config.indexes / assistant.config.index):
        assert "Another process is building" in (finish(add([quay], assistant)).error or "")
        assert "Another process is building" in (finish(remove("added/mill.txt", assistant)).error or "")
    assert [file.name for file in folder.iterdir()] == ["mill.txt"]
    assert finish(remove("added/mill.txt", assistant)).articles == 2


def test_a_file_that_was_copied_but_not_indexed_is_indexed_when_it_is_added_again(
    assistant: Assistant, tmp_path: Path
) -> None:
    folder = tmp_path / "corpus" / "added"
    folder.mkdir()
    (folder / "mill.txt").write_text("The mill was sold in June.")
    (tmp_path / "mill.txt").write_text("The mill was sold in May.")
    assert "added before" in finish(add([tmp_path / "mill.txt"], assistant)).warnings[0].reason
    (tmp_path / "mill.txt").write_text("The mill was sold in June.")
    change = finish(add([tmp_path / "mill.txt"], assistant))
    assert (change.articles, change.warnings, change.error) == (3, (), None)
    assert list_added(assistant) == {"added/mill.txt"}


def test_either_all_files_are_added_or_none(assistant: Assistant, tmp_path: Path) -> None:
    files = [tmp_path / f"{name}.txt" for name in ("inn", "mill", "quay")]
    for file in files:
        file.write_text(f"The {file.stem} was sold in June.")
    steps = add(files, assistant)
    while next(steps).adding != "quay.txt":
        pass
    files[1].unlink()
    assert "Cannot write to" in (finish(steps).error or "")
    assert list((tmp_path / "corpus" / "added").iterdir()) == []


def test_a_file_that_another_user_adds_meanwhile_is_not_overwritten(assistant: Assistant, tmp_path: Path) -> None:
    for name in ("mill.txt", "quay.txt"):
        (tmp_path / name).write_text(f"It was {name} that was sold in June.")
    steps = add([tmp_path / "mill.txt", tmp_path / "quay.txt"], assistant)
    while next(steps).adding != "quay.txt":
        pass
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "mill.txt").write_text("Another text of the same name.")
    assert finish(add([tmp_path / "other" / "mill.txt"], assistant)).articles == 3
    assert "Another user has just added “mill.txt”" in (finish(steps).error or "")
    added = {file.name: file.read_text() for file in (tmp_path / "corpus" / "added").iterdir()}
    assert added == {"mill.txt": "Another text of the same name."}


def test_nothing_is_added_through_a_link_out_of_the_corpus(assistant: Assistant, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "corpus" / "added").symlink_to(tmp_path / "outside")
    (tmp_path / "mill.txt").write_text("The mill was sold in June.")
    assert list_added(assistant) == frozenset()
    assert Drawn(draw_list(assistant, "", ENGLISH)).text.startswith("2 of 2")
    assert "a link to a place outside the corpus" in (finish(add([tmp_path / "mill.txt"], assistant)).error or "")
    assert list((tmp_path / "outside").iterdir()) == []


def test_a_file_is_kept_if_no_index_can_be_built_without_it(assistant: Assistant, tmp_path: Path) -> None:
    (tmp_path / "mill.txt").write_text("The mill was sold in June.")
    assert finish(add([tmp_path / "mill.txt"], assistant)).error is None
    for source in ("harbour.txt", "sad.md"):
        (tmp_path / "corpus" / source).unlink()
    assert "There is no article" in (finish(remove("added/mill.txt", assistant)).error or "")
    assert [file.name for file in (tmp_path / "corpus" / "added").iterdir()] == ["mill.txt"]
    assert list_added(assistant) == {"added/mill.txt"}


def test_no_file_is_kept_if_no_index_can_be_built_with_it(assistant: Assistant, tmp_path: Path) -> None:
    class Failing(WordEncoder):
        def encode(self, texts: Sequence[str], role: Role, progress: Progress | None = None) -> Embeddings:
            raise ModelError("The encoder is gone. Fetch it anew.")

    (tmp_path / "mill.txt").write_text("The mill was sold in June.")
    encoder, assistant.encoder = assistant.encoder, Failing()
    assert "is gone" in (finish(add([tmp_path / "mill.txt"], assistant)).error or "")
    assert list((tmp_path / "corpus" / "added").iterdir()) == []
    assistant.encoder = encoder
    assert finish(add([tmp_path / "mill.txt"], assistant)).error is None
    assert list_added(assistant) == {"added/mill.txt"}


def test_only_added_articles_can_be_removed(assistant: Assistant, tmp_path: Path) -> None:
    for source in ("harbour.txt", "added/../harbour.txt", "../corpus/harbour.txt", ""):
        assert "was not added here" in (finish(remove(source, assistant)).error or "")
    assert (tmp_path / "corpus" / "harbour.txt").exists()


def test_too_many_files_at_once_are_refused(assistant: Assistant, tmp_path: Path) -> None:
    change = finish(add([tmp_path / f"{number}.txt" for number in range(MAX_FILES + 1)], assistant))
    assert f"at most {MAX_FILES}" in (change.error or "")


def test_a_statement_about_one_article_stays_visible_while_the_next_is_read(
    assistant: Assistant, tmp_path: Path
) -> None:
    (tmp_path / "corpus" / "pier.txt").write_text("The harbour opened in May. It cost seven million.")
    build_index(config=assistant.config, encoder=assistant.encoder)
    *steps, last = follow(assistant, "How many million has the harbour cost?", Conversation())
    drawn = [Drawn(draw_conversation([step], ENGLISH)).text for step in steps]
    assert any("It cost nine million.\nIt cost nine" in text for text in drawn)
    assert last.answer
    assert last.answer.text == "It cost nine million. [1]"


def test_a_conversation_shows_that_a_new_index_is_in_use(assistant: Assistant, tmp_path: Path) -> None:
    conversation = Conversation()
    assert [step.new_articles for step in follow(assistant, "", conversation)] == [None, None]
    (tmp_path / "corpus" / "more.txt").write_text("Boats may enter at night.")
    build_index(config=assistant.config, encoder=assistant.encoder)
    last = list(follow(assistant, "", conversation))[-1]
    assert last.new_articles == 3
    assert ENGLISH.label("in_use", articles=3) in draw_conversation([last], ENGLISH)


@pytest.mark.parametrize(
    ("question", "among", "tag", "told"),
    [
        ("Co? " * 3000, None, "cs", "Otázka má 11999 znaků; čte se jich nejvýše 2000. Zeptejte se stručněji."),
        ("Kiedy?", Filter(languages=("et",)), "pl", "Żaden artykuł nie przechodzi przez filtr."),
        ("Πότε;", Filter(since="χθες"), "el", "Το «χθες» δεν είναι ημερομηνία."),
    ],
)
def test_the_reason_why_a_question_is_not_answered_is_translated(
    question: str, among: Filter | None, tag: str, told: str, assistant: Assistant
) -> None:
    last = list(follow(assistant, question, Conversation(), among))[-1]
    assert told in Drawn(draw_conversation([last], Wording(PROMPTS, tag))).text
    assert told in write_markdown([last], Wording(PROMPTS, tag)).replace("\\", "")
    assert json.loads(write_json([last]))["exchanges"][0]["error"] == str(last.error)


def test_a_kept_error_holds_no_frames(assistant: Assistant) -> None:
    last = list(follow(assistant, "", Conversation()))[-1]
    assert isinstance(last.error, QuestionError)
    assert (last.error.__traceback__, last.error.__context__) == (None, None)


def test_an_exported_answer_has_its_sources_as_text() -> None:
    hostile = replace(cite(1, 0, 26), source="[x](http://a.example)", quote="# *a*\n<b>", shown="# *a*\n<b>")
    exchange = Exchange("Who <b>?", answer=make_answer("Nine [1]", hostile))
    assert write_plain(exchange, ENGLISH) == "Nine [1]\n\n[1] [x](http://a.example), en, 2025-07: “# *a*\n<b>”"
    markdown = write_markdown([exchange, Exchange("Why?", error=RagError("It *broke*."))], ENGLISH)
    assert "## Who \\<b\\>?" in markdown
    assert "1. \\[x\\]\\(http\\://a\\.example\\), en, 2025\\-07\n   > \\# \\*a\\* \\<b\\>" in markdown
    assert "*It \\*broke\\*\\.*" in markdown
    kept = json.loads(write_json([exchange]))["exchanges"][0]
    assert kept["answer"]["citations"][0]["quote"] == "# *a*\n<b>"


def test_the_figures_count_articles_and_show_the_times_of_the_last_answers(assistant: Assistant) -> None:
    asked = [Exchange("How many?", answer=make_answer("Nine [1]", cite(1, 0, 26)))]
    drawn = Drawn(draw_figures(assistant, asked, ENGLISH))
    assert "Czech 1English 1" in drawn.text
    assert "2024-05 1no date 1" in drawn.text
    assert "How many million?0.04 s1.83 s" in drawn.text
    assert "wordsGeneratorscripted" in drawn.text
    # An answer from the index alone comes without a search for evidence.
    told = replace(make_answer("Articles: 2 [1]", cite(1, 0, 26)), timings={"total": 0.02})
    assert "How many million?0.02 s" in Drawn(draw_figures(assistant, [Exchange("", answer=told)], ENGLISH)).text


def test_the_figures_show_how_good_answers_were_measured_to_be(assistant: Assistant) -> None:
    drawn = Drawn(draw_figures(assistant, [], ENGLISH))
    assert re.search(r"answerable: quoted, right0\.\d\d", drawn.text)
    assert "{" not in drawn.text
    (heat_map,) = drawn.find("src")
    assert (heat_map or "").startswith("data:image/png;base64,")


def test_the_measurement_in_the_package_is_the_newest_of_the_evaluation(tmp_path: Path) -> None:
    results = [json.loads(file.read_text(encoding="utf-8")) for file in RESULTS.glob("*-held-back-answers.json")]
    newest = max(results, key=lambda result: str(result["commit"].get("time", "")))
    assert (DATA / MEASURED).read_bytes() == publish(newest, tmp_path).read_bytes()
    assert (DATA / HEAT_MAP).read_bytes() == (RESULTS / HEAT_MAP).read_bytes()
