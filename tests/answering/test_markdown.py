"""Answers as Markdown and as HTML for notebooks: nothing from an article acts as markup."""

import re
from dataclasses import replace

import pytest
from markdown_it import MarkdownIt

from rag.answering.answer import Answer, Citation
from rag.answering.markdown import write_answer
from rag.config import ROOT
from rag.page.conversation import Exchange
from rag.page.export import write_markdown
from rag.page.labels import Wording
from rag.text.prompts import Prompts
from tests.page.test_app import Drawn

PROMPTS = Prompts.load(ROOT / "prompts")
ACTIVE = (
    "![x](http://a.example/b.png)",
    "[x](http://a.example)",
    "[x]\n\n[x]: http://a.example",
    "![x][y]\n\n[y]: http://a.example",
    "<img src=http://a.example>",
    "<http://a.example>",
    r"\<img src=http://a.example>",
    r"\\<img src=http://a.example>",
    r"![x\](http://a.example)](http://a.example)",
)
CITATION = Citation(1, "harbour.txt", "el", "Grek", "2025", "Άνοιξε τον Μάιο.", 0, 16)
ANSWER = Answer(
    question="When?", completed="When?", text="In May. [1]", citations=(CITATION,), language="en", script="Latn",
    abstained=False, quoted=False, hits=(), rejected=(), timings={}, models={},
)  # fmt: skip


def test_sources_follow_the_answer_with_their_quotes() -> None:
    assert write_answer(ANSWER, PROMPTS).splitlines() == [
        "In May. [1]", "", "Sources", "", "[1] harbour.txt · Greek · 2025: “Άνοιξε τον Μάιο.”",
    ]  # fmt: skip


def test_the_page_of_a_pdf_is_named_in_the_language_of_the_answer() -> None:
    cited = replace(ANSWER, citations=(replace(CITATION, source="harbour.pdf", page=7),))
    assert write_answer(cited, PROMPTS).endswith("[1] harbour.pdf · p. 7 · Greek · 2025: “Άνοιξε τον Μάιο.”")
    assert "· σ. 7 · " in write_answer(replace(cited, language="el", script="Grek"), PROMPTS)
    exported = write_markdown([Exchange("When?", answer=cited)], Wording(PROMPTS, "cs"))
    assert "s\\. 7" in exported
    assert "p. 7" in cited._repr_html_()


def test_each_line_of_an_answer_stays_a_line_of_its_own() -> None:
    cited = (CITATION, replace(CITATION, number=2))
    answer = replace(ANSWER, text="In May. (Greek, 2025) [1]\nIn June. (Greek, 2025) [2]", citations=cited)
    exported = write_markdown([Exchange("When?", answer=answer)], Wording(PROMPTS, "en"))
    render = MarkdownIt("commonmark").render
    for shown in (render(write_answer(answer, PROMPTS)), render(exported), answer._repr_html_()):
        assert re.search(r"In May\. \(Greek, 2025\) \[1\]<br ?/?>\s*In June\.", shown), shown
    assert re.search(r"\[1\] harbour.*<br />\s*\[2\] harbour", render(write_answer(answer, PROMPTS)))


@pytest.mark.parametrize("words", ACTIVE)
def test_nothing_in_an_article_is_active_in_markdown(words: str) -> None:
    hostile = replace(CITATION, source=words, quote=words, shown=words)
    text = write_answer(replace(ANSWER, text=f"{words} [1]", citations=(hostile,)), PROMPTS)
    tokens = [token for block in MarkdownIt("commonmark").parse(text) for token in (block, *(block.children or ()))]
    assert not {token.type for token in tokens} & {"image", "link_open", "html_inline", "html_block"}
    shown = "".join(token.content for token in tokens if token.type in ("text", "text_special"))
    assert shown.count(words.replace("\n", "")) == 3


def test_a_notebook_shows_an_answer_with_its_citations() -> None:
    drawn = Drawn(ANSWER._repr_html_())
    assert drawn.texts == ["In May. [1]", "1", "harbour.txt", "Greek", "2025", "Άνοιξε τον Μάιο."]
    assert Drawn(CITATION._repr_html_()).texts == ["1", "harbour.txt", "Greek", "2025", "Άνοιξε τον Μάιο."]


@pytest.mark.parametrize("words", ACTIVE)
def test_nothing_in_an_article_is_active_in_a_notebook(words: str) -> None:
    hostile = replace(CITATION, source=words, quote=words, shown=words)
    for shown in (replace(ANSWER, text=words, citations=(hostile,)), hostile):
        drawn = Drawn(shown._repr_html_())
        assert words in drawn.texts
        assert not {"img", "a", "script"} & set(drawn.tags)
