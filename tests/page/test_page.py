"""What the page says and shows, by the rooms that know no Gradio."""

import json
import re
import tomllib
from collections.abc import Generator, Sequence
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from rag.answering.answer import Answer, Citation
from rag.assistant import Assistant
from rag.config import ROOT, Config
from rag.errors import ArticleMissing, ModelError, QuestionError, RagError
from rag.index.index import Index
from rag.index.index_writer import IndexWriter
from rag.ingest.build import build_index, lock_index
from rag.page.article import Place, draw_missing, open_article
from rag.page.article_list import SHOWN, draw_change, draw_shelf, share_room
from rag.page.conversation import KEPT, Conversation, Conversations, Exchange, follow
from rag.page.conversation_html import draw_conversation
from rag.page.export import write_json, write_markdown, write_plain
from rag.page.figures import draw_figures
from rag.page.highlights import find_shared
from rag.page.labels import Wording, choose_tongue
from rag.page.uploads import MOST, Change, add, list_own, remove
from rag.testing import DIMENSION, SPEAKING, ScriptedGenerator, WordEncoder
from rag.text.prompts import Prompts
from rag.types import Embeddings, Filter, Hit, Passage, Progress, Rejection, Role, Statement
from tests.index.test_index import encode_passages, make_document

PROMPTS = Prompts.load(ROOT / "prompts")
ENGLISH = Wording(PROMPTS, "en")
TONGUES = {"en", "cs", "el", "et", "sr", "sr-Latn", "pl"}
HOSTILE = "<script>x</script> ${x} `x` {{x}} [x](http://a.example) \"'"
TEXT = "The harbour opened in May. It cost nine million."


class Drawn(HTMLParser):
    """What a browser makes of it: text, tags, attributes."""

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
def test_the_page_follows_what_the_browser_asks_for(accepted: str, tag: str) -> None:
    assert choose_tongue(accepted, PROMPTS.page) == tag


def test_the_page_speaks_seven_languages_each_with_words_of_its_own() -> None:
    assert set(PROMPTS.page) == TONGUES
    english = tomllib.loads((ROOT / "prompts" / "page" / "en.toml").read_text(encoding="utf-8"))
    for tag in TONGUES - {"en"}:
        same = {key for key, text in PROMPTS.page[tag].items() if text == english[key]}
        # `Index` and `Generator` are the word in several of them.
        assert same <= {"index_state", "generator", "seconds"}, f"{tag}: {same}"


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (make_answer("Nine [1]", cite(1, 0, 26)), "verified"),
        (make_answer("The article says [1]", cite(1, 0, 26), quoted=True), "quoted"),
        (make_answer("Articles: 1\n[1]", cite(1, 0, 26), hits=(), quoted=True), "listed"),
        (make_answer("The articles do not say."), "abstained"),
    ],
)
def test_the_state_of_an_answer_is_said(answer: Answer, state: str) -> None:
    for tag in TONGUES:
        wording = Wording(PROMPTS, tag)
        assert f"state {state}" in draw(answer, wording).find("class")
        assert wording.label(state) in draw(answer, wording).text


def test_every_marker_opens_its_own_citation_and_what_is_none_stays_text() -> None:
    drawn = draw(make_answer("It opened [1][2]. It cost [2], says [7].", cite(1, 0, 26), cite(2, 27, 48)))
    markers = [attributes for _, attributes in drawn.tags if attributes.get("class") == "marker"]
    opened = [json.loads(one["data-open"] or "") for one in markers]
    assert [(one["start"], one["end"]) for one in opened] == [(0, 26), (27, 48), (27, 48)]
    assert "says [7]." in drawn.text
    assert markers[0]["aria-label"] == "Open source 1 in its article"


def test_what_was_read_is_told_with_what_came_of_it() -> None:
    hits = (make_hit(), make_hit("Boats enter.", None, "boats.txt"))
    rejected = (Rejection(Statement("It cost ten million.", hits[0]), "The passage has no ten million."),)
    text = draw(replace(make_answer("No.", hits=hits), rejected=rejected)).text
    assert "holds the answer, the model thinks: 88 %" in text
    assert "The model said: It cost ten million.Not shown, because: The passage has no ten million." in text
    assert "not judged" in text


def test_whatever_is_asked_said_or_found_is_text() -> None:
    hit = make_hit(HOSTILE, source=HOSTILE)
    citation = replace(cite(1, 0, 26), source=HOSTILE, quote=HOSTILE, date=HOSTILE)
    for answer in (make_answer(HOSTILE, hits=(hit,)), make_answer(f"{HOSTILE} [1]", citation, hits=(hit,))):
        exchange = Exchange(HOSTILE, answer=replace(answer, question=HOSTILE))
        markup = draw_conversation([exchange, replace(exchange, answer=None, error=RagError(HOSTILE))], ENGLISH)
        drawn = Drawn(markup)
        assert HOSTILE in drawn.text
        assert not {"script", "a", "img"} & {tag for tag, _ in drawn.tags}
        # Gradio's templates give a meaning to these.
        assert not set("$`{}") & set(markup)


def test_words_that_a_question_shares_are_found_across_scripts() -> None:
    text = "Путин и Ким су се срели 2019. године, каже Москва"
    shared = [text[slice(*span)] for span in find_shared("When did Putin meet Kim in Moscow in 2019?", text)]
    assert shared == ["Путин", "2019"]


def test_a_stopped_exchange_stays_so_whatever_comes_after() -> None:
    conversation = Conversation()
    first, second = conversation.begin("When?"), conversation.begin("Who?")
    conversation.put(first, Exchange("When?", answer=make_answer("Nine [1]", cite(1, 0, 26))))
    conversation.stop()
    assert [one.stopped for one in conversation.exchanges] == [False, True]
    assert not conversation.put(second, Exchange("Who?", words="At ni"))
    assert Drawn(draw_conversation(conversation.exchanges, ENGLISH)).text.endswith("Who?Stopped.")


def test_conversations_are_kept_by_tab_and_the_oldest_forgotten() -> None:
    conversations, begun = Conversations(), Conversation()
    assert conversations.recall("tab", begun) is begun
    assert conversations.recall("tab", Conversation()) is begun
    assert conversations.recall("", other := Conversation()) is other
    for number in range(KEPT):
        conversations.recall(f"other {number}", Conversation())
    assert conversations.recall("tab", Conversation()) is not begun


def test_an_article_is_opened_with_the_quoted_words_marked(assistant: Assistant) -> None:
    citations = [cite(1, 0, 26), cite(1, 27, 48), cite(2, 0, 26)]
    drawn = Drawn(open_article(assistant, Place("harbour.txt", 27, 48), citations, ENGLISH))
    assert "Citation 2 of 3" in drawn.text
    assert TEXT in drawn.text
    ways = [json.loads(value or "") for value in drawn.find("data-open")]
    assert [(way["start"], way["end"]) for way in ways] == [(0, 26), (0, 26)]
    markup = open_article(assistant, Place("harbour.txt", 27, 48), citations, ENGLISH)
    assert "<mark>It cost nine million.</mark>" in markup


def test_words_that_do_not_stand_there_any_more_are_not_marked(assistant: Assistant) -> None:
    stale = replace(cite(1, 0, 26), quote="The harbour opened in June")
    markup = open_article(assistant, Place("harbour.txt", 0, 26), [stale], ENGLISH)
    assert "<mark>" not in markup
    assert ENGLISH.label("changed") in markup


@pytest.mark.parametrize(
    "value",
    [{}, {"source": 1}, {"source": "harbour.txt", "start": "0"}, {"source": "harbour.txt", "start": 5, "end": 2}],
)
def test_a_place_that_is_none_is_refused(value: dict[str, object]) -> None:
    with pytest.raises(ArticleMissing):
        Place.parse(value)


def test_a_source_that_is_not_in_the_index_is_no_path(assistant: Assistant) -> None:
    for source in ("../corpus/harbour.txt", "/etc/passwd"):
        with pytest.raises(ArticleMissing):
            open_article(assistant, Place.parse({"source": source}), [], ENGLISH)


def test_an_article_that_is_gone_is_said_to_be_in_the_language_of_the_page_and_can_be_closed() -> None:
    drawn = Drawn(draw_missing(Wording(PROMPTS, "cs")))
    assert "Tento článek už v indexu není." in drawn.text
    assert drawn.find("data-close") == [None]


def test_what_a_killed_change_left_is_removed_with_the_next(assistant: Assistant, tmp_path: Path) -> None:
    (tmp_path / "mill.txt").write_text("The mill was sold in June.")
    assert finish(add([tmp_path / "mill.txt"], assistant)).error is None
    folder = tmp_path / "corpus" / "added"
    (folder / f".{'0a' * 16}").write_text("Half a mill")
    (folder / ".note").write_text("Of the reader's own.")
    assert finish(remove("added/mill.txt", assistant)).error is None
    assert [file.name for file in folder.iterdir()] == [".note"]


def test_the_list_has_articles_by_language_under_their_titles_or_first_words(assistant: Assistant) -> None:
    drawn = Drawn(draw_shelf(assistant, "", ENGLISH))
    assert (
        drawn.text == "2 of 2Czech 1Sad v Brně2024-05English 1The harbour opened in May. It cost nine million.no date"
    )
    assert Drawn(draw_shelf(assistant, "BRNE", ENGLISH)).text == "1 of 2Czech 1Sad v Brně2024-05"
    assert Drawn(draw_shelf(assistant, "nowhere", ENGLISH)).text == "0 of 2"


def test_languages_stand_in_the_order_of_letters_and_not_behind_z_for_a_hook(
    assistant: Assistant, tmp_path: Path
) -> None:
    (tmp_path / "port.txt").write_text("Port w Gdyni został zamknięty w styczniu z powodu strajku.\n", encoding="utf-8")
    finish(add([tmp_path / "port.txt"], assistant))
    listed = re.findall("angličtina|čeština|polština", draw_shelf(assistant, "", Wording(PROMPTS, "cs")))
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
def test_languages_share_a_room_alike_and_what_one_does_not_need_goes_to_the_others(
    wanted: dict[str, int], shares: dict[str, int]
) -> None:
    assert share_room(wanted, 300) == shares


def test_a_list_too_long_to_be_shown_counts_every_article_and_shows_some_of_each_language(tmp_path: Path) -> None:
    with IndexWriter(tmp_path / "default", DIMENSION) as draft:
        for number in range(SHOWN + 40):
            document, passages = make_document(f"{number:03}.txt", f"Text number {number}.")
            document = replace(document, language="en" if number < 20 else "cs", title=f"Number {number}")
            draft.add(document, 20, passages, encode_passages(passages))
        draft.commit(WordEncoder(), 160, [tmp_path])
    index, config = Index.open(tmp_path / "default"), Config(indexes=tmp_path)
    assistant = Assistant(config, index, WordEncoder(), ScriptedGenerator(""), PROMPTS, SPEAKING)
    drawn = Drawn(draw_shelf(assistant, "", ENGLISH))
    assert drawn.text.startswith(f"340 of 340Czech {SHOWN - 20} of 320Number")
    assert "English 20Number" in drawn.text
    assert len(drawn.find("data-open")) == SHOWN


def test_an_article_is_added_is_found_and_can_be_removed(assistant: Assistant, tmp_path: Path) -> None:
    added = tmp_path / "λιμάνι.txt"
    added.write_text("date 2026-01\nΤο λιμάνι του Πειραιά έκλεισε τον Ιανουάριο.\n", encoding="utf-8")
    before = assistant.index
    steps = list(add([added], assistant))
    assert [step.adding for step in steps if step.adding] == ["λιμάνι.txt"]
    assert any(step.total for step in steps)
    assert (steps[-1].articles, steps[-1].warnings, steps[-1].error) == (3, (), None)
    assert assistant.index is not before
    assert list_own(assistant) == {"added/λιμάνι.txt"}
    assert "added/λιμάνι.txt" in draw_shelf(assistant, "", ENGLISH)
    assert ENGLISH.label("in_use", articles=3) in draw_change(steps[-1], ENGLISH)
    assert finish(remove("added/λιμάνι.txt", assistant)).articles == 2
    assert not (tmp_path / "corpus" / "added" / "λιμάνι.txt").exists()


def test_what_is_no_article_is_refused_by_its_content(assistant: Assistant, tmp_path: Path) -> None:
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


def test_a_name_cannot_leave_the_folder_nor_take_another_ones_place(assistant: Assistant, tmp_path: Path) -> None:
    (tmp_path / "..\\..\\out.txt").write_text("A text that wants out of the folder.")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "out.txt").write_text("Another text of the same name.")
    finish(add([tmp_path / "..\\..\\out.txt"], assistant))
    change = finish(add([tmp_path / "other" / "out.txt"], assistant))
    assert [file.name for file in (tmp_path / "corpus" / "added").iterdir()] == ["out.txt"]
    assert "added before" in change.warnings[0].reason


def test_while_another_builds_nothing_is_added_and_nothing_removed(assistant: Assistant, tmp_path: Path) -> None:
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


def test_a_file_that_was_left_without_a_build_is_taken_over_when_it_is_added_again(
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
    assert list_own(assistant) == {"added/mill.txt"}


def test_files_are_taken_over_all_or_none(assistant: Assistant, tmp_path: Path) -> None:
    files = [tmp_path / f"{name}.txt" for name in ("inn", "mill", "quay")]
    for file in files:
        file.write_text(f"The {file.stem} was sold in June.")
    steps = add(files, assistant)
    while next(steps).adding != "quay.txt":
        pass
    files[1].unlink()
    assert "Nothing can be written" in (finish(steps).error or "")
    assert list((tmp_path / "corpus" / "added").iterdir()) == []


def test_a_file_that_somebody_else_adds_meanwhile_is_not_written_over(assistant: Assistant, tmp_path: Path) -> None:
    for name in ("mill.txt", "quay.txt"):
        (tmp_path / name).write_text(f"It was {name} that was sold in June.")
    steps = add([tmp_path / "mill.txt", tmp_path / "quay.txt"], assistant)
    while next(steps).adding != "quay.txt":
        pass
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "mill.txt").write_text("Another text of the same name.")
    assert finish(add([tmp_path / "other" / "mill.txt"], assistant)).articles == 3
    assert "Somebody else has added a “mill.txt”" in (finish(steps).error or "")
    added = {file.name: file.read_text() for file in (tmp_path / "corpus" / "added").iterdir()}
    assert added == {"mill.txt": "Another text of the same name."}


def test_a_folder_of_added_articles_that_links_out_of_the_corpus_has_none(assistant: Assistant, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "corpus" / "added").symlink_to(tmp_path / "outside")
    (tmp_path / "mill.txt").write_text("The mill was sold in June.")
    assert list_own(assistant) == frozenset()
    assert Drawn(draw_shelf(assistant, "", ENGLISH)).text.startswith("2 of 2")
    assert "links out of the corpus" in (finish(add([tmp_path / "mill.txt"], assistant)).error or "")
    assert list((tmp_path / "outside").iterdir()) == []


def test_a_file_stays_where_no_index_can_be_built_without_it(assistant: Assistant, tmp_path: Path) -> None:
    (tmp_path / "mill.txt").write_text("The mill was sold in June.")
    assert finish(add([tmp_path / "mill.txt"], assistant)).error is None
    for source in ("harbour.txt", "sad.md"):
        (tmp_path / "corpus" / source).unlink()
    assert "There is no article" in (finish(remove("added/mill.txt", assistant)).error or "")
    assert [file.name for file in (tmp_path / "corpus" / "added").iterdir()] == ["mill.txt"]
    assert list_own(assistant) == {"added/mill.txt"}


def test_no_file_stays_where_no_index_can_be_built_with_it(assistant: Assistant, tmp_path: Path) -> None:
    class Failing(WordEncoder):
        def encode(self, texts: Sequence[str], role: Role, progress: Progress | None = None) -> Embeddings:
            raise ModelError("The encoder is gone. Fetch it anew.")

    (tmp_path / "mill.txt").write_text("The mill was sold in June.")
    encoder, assistant.encoder = assistant.encoder, Failing()
    assert "is gone" in (finish(add([tmp_path / "mill.txt"], assistant)).error or "")
    assert list((tmp_path / "corpus" / "added").iterdir()) == []
    assistant.encoder = encoder
    assert finish(add([tmp_path / "mill.txt"], assistant)).error is None
    assert list_own(assistant) == {"added/mill.txt"}


def test_only_what_was_added_can_be_removed(assistant: Assistant, tmp_path: Path) -> None:
    for source in ("harbour.txt", "added/../harbour.txt", "../corpus/harbour.txt", ""):
        assert "was not added here" in (finish(remove(source, assistant)).error or "")
    assert (tmp_path / "corpus" / "harbour.txt").exists()


def test_too_many_files_at_once_are_refused(assistant: Assistant, tmp_path: Path) -> None:
    change = finish(add([tmp_path / f"{number}.txt" for number in range(MOST + 1)], assistant))
    assert f"at most {MOST}" in (change.error or "")


def test_what_was_said_of_one_article_stays_to_be_seen_while_the_next_is_read(
    assistant: Assistant, tmp_path: Path
) -> None:
    (tmp_path / "corpus" / "pier.txt").write_text("The harbour opened in May. It cost seven million.")
    build_index(config=assistant.config, encoder=assistant.encoder)
    *steps, last = follow(assistant, "How many million has the harbour cost?", Conversation())
    drawn = [Drawn(draw_conversation([step], ENGLISH)).text for step in steps]
    assert any("It cost nine million.\nIt cost nine" in text for text in drawn)
    assert last.answer
    assert last.answer.text == "It cost nine million. [1]"


def test_a_conversation_is_told_when_another_index_is_in_use(assistant: Assistant, tmp_path: Path) -> None:
    conversation = Conversation()
    assert [step.renewed for step in follow(assistant, "", conversation)] == [None, None]
    (tmp_path / "corpus" / "more.txt").write_text("Boats may enter at night.")
    build_index(config=assistant.config, encoder=assistant.encoder)
    last = list(follow(assistant, "", conversation))[-1]
    assert last.renewed == 3
    assert ENGLISH.label("in_use", articles=3) in draw_conversation([last], ENGLISH)


@pytest.mark.parametrize(
    ("question", "among", "tag", "told"),
    [
        ("Co? " * 3000, None, "cs", "Otázka má 11999 znaků; čte se jich nejvýše 2000. Zeptejte se stručněji."),
        ("Kiedy?", Filter(languages=("et",)), "pl", "Żaden artykuł nie przechodzi przez filtr."),
        ("Πότε;", Filter(since="χθες"), "el", "Το «χθες» δεν είναι ημερομηνία."),
    ],
)
def test_why_a_question_is_not_answered_is_said_in_the_language_of_the_page(
    question: str, among: Filter | None, tag: str, told: str, assistant: Assistant
) -> None:
    last = list(follow(assistant, question, Conversation(), among))[-1]
    assert told in Drawn(draw_conversation([last], Wording(PROMPTS, tag))).text
    assert told in write_markdown([last], Wording(PROMPTS, tag)).replace("\\", "")
    assert json.loads(write_json([last]))["exchanges"][0]["error"] == str(last.error)


def test_nothing_is_held_of_the_frames_in_which_an_error_was_raised(assistant: Assistant) -> None:
    last = list(follow(assistant, "", Conversation()))[-1]
    assert isinstance(last.error, QuestionError)
    assert (last.error.__traceback__, last.error.__context__) == (None, None)


def test_an_answer_is_taken_along_with_its_sources_as_text() -> None:
    hostile = replace(cite(1, 0, 26), source="[x](http://a.example)", quote="# *a*\n<b>")
    exchange = Exchange("Who <b>?", answer=make_answer("Nine [1]", hostile))
    assert write_plain(exchange) == "Nine [1]\n\n[1] [x](http://a.example), en, 2025-07: “# *a*\n<b>”"
    markdown = write_markdown([exchange, Exchange("Why?", error=RagError("It *broke*."))], ENGLISH)
    assert "## Who \\<b\\>?" in markdown
    assert "1. \\[x\\]\\(http\\://a\\.example\\), en, 2025\\-07\n   > \\# \\*a\\* \\<b\\>" in markdown
    assert "*It \\*broke\\*\\.*" in markdown
    kept = json.loads(write_json([exchange]))["exchanges"][0]
    assert kept["answer"]["citations"][0]["quote"] == "# *a*\n<b>"


def test_figures_count_articles_and_tell_the_seconds_of_the_last_answers(assistant: Assistant) -> None:
    asked = [Exchange("How many?", answer=make_answer("Nine [1]", cite(1, 0, 26)))]
    drawn = Drawn(draw_figures(assistant, asked, ENGLISH))
    assert "Czech 1English 1" in drawn.text
    assert "2024-05 1no date 1" in drawn.text
    assert "How many million?0.04 s1.83 s" in drawn.text
    assert "wordsGeneratorscripted" in drawn.text
    # One that the index answers finds no evidence first.
    told = replace(make_answer("Articles: 2 [1]", cite(1, 0, 26)), timings={"total": 0.02})
    assert "How many million?0.02 s" in Drawn(draw_figures(assistant, [Exchange("", answer=told)], ENGLISH)).text


def test_figures_tell_what_was_measured_of_the_answers(assistant: Assistant) -> None:
    drawn = Drawn(draw_figures(assistant, [], ENGLISH))
    assert re.search(r"answerable: quoted, right0\.\d\d", drawn.text)
    assert "{" not in drawn.text
    files = (ROOT / "evaluation" / "results").glob("*-held-back-answers.json")
    commits = [json.loads(file.read_text(encoding="utf-8"))["commit"] for file in files]
    assert max(commits, key=lambda commit: commit["time"])["hash"][:12] in drawn.text
    assert [value for value in drawn.find("src") if not (value or "").startswith("data:image/png;base64,")] == []
