"""Evaluation over tiny corpora gives figures that are known in advance."""

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from evaluation import report
from evaluation.cases import Answerable, NewsItem, NewsQuestion, Place, half_of
from evaluation.encoders import CachingEncoder, PlainEncoder
from evaluation.mixed_pool import Draw, Pool, PoolQuestion, ask, summarise
from evaluation.run import Suite, ask_articles, ask_news, evaluate, open_corpus
from rag import Config, RagError
from rag.testing import WordEncoder
from stress.same import write_corpus

HARBOUR = (
    "The new harbour was opened by the mayor in May.\n\n"
    "It did cost nine million in the end.\n\n"
    "Boats may enter only at night this year."
)
POOL = Pool(
    passages={
        "en": {"../harbour": "The quay was finished in May.", "apples": "The apples were ripe. The apples were red."},
        "de": {"../harbour": "Der Kai ward im Mai fertig.", "apples": "Die Äpfel waren reif. Die Äpfel waren rot."},
    },
    questions=(
        PoolQuestion("en", "When was the quay finished?", "../harbour"),
        PoolQuestion("en", "Were the apples ripe?", "apples"),
    ),
    checksum="0",
)
CONFIG = Config(passage_tokens=10)


def make_case(question: str, gold: str, *also: Place) -> Answerable:
    return Answerable(
        id="harbour-en", fact="harbour", language="en", script="Latn", question=question, source="harbour.txt",
        gold=gold, also=also, answer="", accept=(), kind="what", style="plain",
    )  # fmt: skip


def make_news(place: str, language: str, text: str) -> NewsItem:
    return NewsItem(
        id=f"ferry-{place}-{language}", event=f"ferry-{place}", family="ferry", language=language, script="Latn",
        date="2025-03-04", title="A ferry", text=text,
    )  # fmt: skip


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    articles = tmp_path / "articles"
    articles.mkdir()
    (articles / "harbour.txt").write_text(HARBOUR, encoding="utf-8")
    return Suite(
        half="development",
        articles=articles,
        cases=(make_case("What did it cost in the end?", "nine million"),),
        items=(
            make_news("velimar", "en", "In Velimar a ferry with 214 aboard hit the pier in fog this morning."),
            make_news("velimar", "de", "Die Aurelia mit 214 Menschen an Bord stieß in Velimar gegen die Mole."),
            make_news("torsund", "en", "In Torsund a ferry with 241 aboard hit the pier in fog this morning."),
        ),
        questions=(
            NewsQuestion(
                id="q1", event="ferry-velimar", language="sr", script="Latn", answers=("214",),
                question="In Velimar a ferry with how many aboard hit the pier?",
                gold={"ferry-velimar-de": "mit 214 Menschen an Bord"},
            ),
        ),
        pool=POOL,
    )  # fmt: skip


def test_a_run_gives_figures_tables_a_heat_map_and_a_file(suite: Suite, tmp_path: Path) -> None:
    encoders = {"words": WordEncoder(), "again": WordEncoder()}
    steps: list[tuple[int, int]] = []
    figures = evaluate(suite, encoders, CONFIG, lambda done, total: steps.append((done, total)))
    assert steps == [(done, 10) for done in range(1, 11)]
    assert figures["words"] == figures["again"]
    assert figures["words"].articles["all"] == figures["words"].articles["en"]

    console = Console(width=200, record=True)
    for table in report.tables(figures, suite.half):
        console.print(table)
    printed = console.export_text()
    assert "harbour" not in printed
    assert "cross R@1" in printed

    picture = report.draw_heat_map(figures, tmp_path)
    assert picture
    assert picture.read_bytes().startswith(b"\x89PNG")

    text = report.save(figures, suite, encoders, CONFIG, tmp_path).read_text(encoding="utf-8")
    facts = json.loads(text)
    assert facts["figures"]["words"]["articles"]["all"] == {
        "questions": 1, "hit@1": 1, "hit@3": 1, "hit@8": 1, "nDCG@10": 1, "MRR": 1,
    }  # fmt: skip
    assert facts["models"]["words"] == {"name": "words", "dimension": 64}
    assert set(facts["checksums"]) == {"articles", "news", "mixed pool"}
    # Third-party sentences must not be written into the project.
    assert "quay" not in text


def test_without_a_mixed_pool_a_run_leaves_it_out(suite: Suite, tmp_path: Path) -> None:
    own = Suite(suite.half, suite.articles, suite.cases, suite.items, suite.questions, pool=None)
    figures = evaluate(own, {"words": WordEncoder()}, CONFIG)
    assert figures["words"].mixed_pool is None
    assert report.draw_heat_map(figures, tmp_path) is None
    assert len(list(report.tables(figures, own.half))) == 2


def test_a_hit_is_right_when_it_holds_at_least_half_of_the_span(suite: Suite) -> None:
    across = "cost nine million in the end.\n\nBoats may"
    case = make_case("May boats enter only at night this year?", across)
    (outcome,) = ask_articles(Suite(suite.half, suite.articles, (case,), (), (), None), CONFIG, WordEncoder())
    assert outcome.hits[0].passage.text.startswith("Boats may enter")
    assert outcome.judged.total == 1
    right = [hit.passage.text for hit, relevant in zip(outcome.hits, outcome.judged.relevant, strict=True) if relevant]
    assert right == ["It did cost nine million in the end."]


def test_any_place_that_holds_the_fact_is_as_right_as_the_gold(suite: Suite) -> None:
    case = make_case("May boats enter only at night this year?", "nine million", Place("harbour.txt", "at night"))
    (outcome,) = ask_articles(Suite(suite.half, suite.articles, (case,), (), (), None), CONFIG, WordEncoder())
    assert outcome.judged.relevant[0]
    assert outcome.judged.total == 2


def test_a_report_without_the_fact_is_wrong_though_its_event_is_right(suite: Suite) -> None:
    (outcome,) = ask_news(suite, Config(), WordEncoder())
    assert outcome.hits[0].passage.source == "ferry-velimar-en.txt"
    assert outcome.judged.relevant == (False, False, True)
    assert outcome.events
    assert outcome.events.relevant == (True, False, True)
    assert outcome.tongue == "sr-Latn"


def test_a_report_that_was_split_into_passages_takes_one_place(suite: Suite) -> None:
    (outcome,) = ask_news(suite, Config(passage_tokens=5), WordEncoder())
    sources = [hit.passage.source for hit in outcome.hits]
    assert sorted(sources) == sorted(f"{item.id}.txt" for item in suite.items)


def test_a_miss_records_the_first_hit_and_the_rank_of_the_right_one(suite: Suite) -> None:
    (miss,) = evaluate(suite, {"words": WordEncoder()}, Config())["words"].misses
    assert miss.id == "q1"
    assert miss.gold == (Place("ferry-velimar-de.txt", "mit 214 Menschen an Bord"),)
    assert miss.rank == 3
    assert miss.first
    assert miss.first.source == "ferry-velimar-en.txt"


def test_in_the_mixed_pool_the_first_hit_of_each_source_counts(tmp_path: Path) -> None:
    sources = {"../harbour": "0.txt", "apples": "1.txt"}
    draw = Draw(0, sources, languages={"0.txt": "de", "1.txt": "en"})
    POOL.write(draw, tmp_path)
    with open_corpus(tmp_path, Config(passage_tokens=5), WordEncoder()) as assistant:
        assert [hit.passage.source for hit in assistant.search("The apples were")][:2] == ["1.txt", "1.txt"]
        outcomes = ask(POOL.questions, assistant, draw)
    assert [(outcome.asked, outcome.lies, outcome.judged.relevant) for outcome in outcomes] == [
        ("en", "de", (False, True)),
        ("en", "en", (True, False)),
    ]
    figures = summarise(outcomes)
    assert (figures.cross, figures.same) == ({"R@1": 0, "R@5": 1}, {"R@1": 1, "R@5": 1})
    assert figures.share == 0.5


def test_a_draw_is_the_same_each_time_and_another_with_another_seed() -> None:
    many = {f"p{n}": "x" for n in range(60)}
    pool = Pool({"en": many, "de": many, "el": many}, (), "0")
    assert pool.draw(1) == pool.draw(1)
    assert pool.draw(1).languages != pool.draw(2).languages
    assert set(pool.draw(1).languages.values()) == {"en", "de", "el"}
    assert pool.draw(1).sources.keys() == many.keys()


def test_a_pool_is_read_from_its_folder_and_questions_are_parallel(tmp_path: Path) -> None:
    for language in ("en", "de"):
        passages = [{"passage_id": "p1", "text": "x\u2028y"}]
        questions = [{"id": str(n), "question": f"{n} {language}?", "passage_id": "p1"} for n in range(500)]
        for name, rows in (("passages", passages), ("questions", questions)):
            lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
            (tmp_path / f"{name}.{language}.jsonl").write_text(lines, encoding="utf-8")
    pool = Pool.load(tmp_path)
    asked = {
        language: {question.question.split()[0] for question in pool.questions if question.language == language}
        for language in ("en", "de")
    }
    assert len(asked["en"]) == 400
    assert asked["en"] == asked["de"]
    assert pool.passages["de"] == {"p1": "x\u2028y"}


@pytest.mark.parametrize("damage", ["no files", "no questions", "no json"])
def test_a_folder_that_holds_no_pool_is_named(tmp_path: Path, damage: str) -> None:
    if damage != "no files":
        for language in ("en", "de"):
            line = "{" if damage == "no json" else '{"passage_id": "p", "text": "t"}'
            (tmp_path / f"passages.{language}.jsonl").write_text(line, encoding="utf-8")
    with pytest.raises(RagError, match=str(tmp_path)):
        Suite.load("held-back", tmp_path)


def test_the_halves_of_the_cases_follow_the_rule_and_share_no_fact() -> None:
    # SHA-256 of "a" begins with c, of "b" with 3.
    assert (half_of("a"), half_of("b")) == ("held-back", "development")
    held_back, development = Suite.load("held-back", None), Suite.load("development", None)
    assert {case.fact for case in held_back.cases}.isdisjoint(case.fact for case in development.cases)
    assert {q.event for q in held_back.questions}.isdisjoint(q.event for q in development.questions)
    assert held_back.items == development.items


def test_the_caching_encoder_returns_the_same_and_asks_the_other_once() -> None:
    words = WordEncoder()
    caching = CachingEncoder(words)
    texts = ["the harbour", "the apples", "the harbour"]
    first = caching.encode(texts, "passage")
    assert np.array_equal(first.vectors, WordEncoder().encode(texts, "passage").vectors)
    assert [tokens.shape for tokens in first.tokens] == [(2, 1, words.dimension)] * 3
    assert np.array_equal(caching.encode(texts[::-1], "passage").vectors, first.vectors[::-1])
    assert words.encoded == ["the harbour", "the apples"]


def test_the_plain_encoder_leaves_the_order_to_the_vectors(tmp_path: Path) -> None:
    for name, text in {"a": "the harbour harbour", "b": "the apples", "c": "the harbour of the lake"}.items():
        (tmp_path / f"{name}.txt").write_text(text)
    plain = PlainEncoder(WordEncoder())
    with open_corpus(tmp_path, Config(), plain) as assistant:
        found = [hit.passage.text for hit in assistant.search("the harbour harbour")]
    (question,) = plain.encode(["the harbour harbour"], "query").vectors
    cosines = plain.encode(found, "passage").vectors @ question
    assert list(cosines) == sorted(cosines, reverse=True)


def test_results_are_named_by_the_commit_and_say_when_files_differ_from_it(tmp_path: Path) -> None:
    assert report.read_commit(tmp_path) == report.Commit("unknown", dirty=True)

    def git(*arguments: str) -> None:
        who = ("-c", "user.name=n", "-c", "user.email=e@example.org")
        subprocess.run(["git", *who, *arguments], cwd=tmp_path, check=True, capture_output=True)

    git("init")
    git("commit", "--allow-empty", "-m", "first")
    (tmp_path / "evaluation" / "results").mkdir(parents=True)
    (tmp_path / "evaluation" / "results" / "x.json").touch()
    commit = report.read_commit(tmp_path)
    assert len(commit.hash) == 40
    assert not commit.dirty
    (tmp_path / "new.py").touch()
    assert report.read_commit(tmp_path).dirty


def test_the_checksum_covers_articles_in_folders_and_ignores_empty_folders(suite: Suite) -> None:
    alone = suite.checksums()
    (suite.articles / "added").mkdir()
    assert suite.checksums() == alone
    (suite.articles / "added" / "ferry.txt").write_text("A ferry came.", encoding="utf-8")
    assert suite.checksums()["articles"] != alone["articles"]


def test_articles_added_on_the_page_are_not_compared_between_kinds_of_index(tmp_path: Path) -> None:
    articles = tmp_path / "articles"
    (articles / "added").mkdir(parents=True)
    (articles / "harbour.txt").write_text("The harbour opened.", encoding="utf-8")
    corpus = write_corpus(articles, tmp_path / "corpus")
    assert (corpus / "harbour.txt").is_file()
    assert all(path.is_file() for path in corpus.iterdir())
