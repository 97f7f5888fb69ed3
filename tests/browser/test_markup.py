"""Answers as HTML of a notebook and of the page, and as Markdown, in Chromium: nothing in them acts as markup."""

from dataclasses import replace

from markdown_it import MarkdownIt
from playwright.sync_api import Browser

from rag.answering.markdown import write_answer
from rag.config import ROOT
from rag.page.conversation import Exchange
from rag.page.export import write_markdown
from rag.page.labels import Wording
from rag.page.transcript import draw_conversation
from rag.text.prompts import Prompts
from tests.answering.test_markdown import ACTIVE, ANSWER, CITATION
from tests.browser.conftest import BROWSED, HOSTILE

pytestmark = BROWSED

PROMPTS = Prompts.load(ROOT / "prompts")
WORDINGS = (
    *ACTIVE,
    HOSTILE,
    "<svg onload=document.title='x'></svg>",
    '"><img src=x onerror=document.title=1>',
    "</blockquote></li><iframe src=http://a.example></iframe>",
    "<style>body{display:none}</style>",
    "<a href=javascript:document.title=1>x</a>",
    "&lt;script&gt;document.title=1&lt;/script&gt;",
)


def test_an_answer_runs_no_script_loads_nothing_and_has_no_links(browser: Browser) -> None:
    context = browser.new_context()
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for words in WORDINGS:
        hostile = replace(CITATION, source=words, quote=words, shown=words, date=words)
        answer = replace(ANSWER, question=words, completed=f"{words}?", text=f"{words} [1]", citations=(hostile,))
        exchange = Exchange(words, answer=answer)
        markdown = MarkdownIt("commonmark", {"html": True}).render
        for shown in (
            answer._repr_html_(),
            hostile._repr_html_(),
            draw_conversation([exchange], Wording(PROMPTS, "en")),
            markdown(write_markdown([exchange], Wording(PROMPTS, "en"))),
            markdown(write_answer(answer, PROMPTS)),
        ):
            page.set_content(f"<title>quiet</title><main>{shown}</main>")
            active = "main :is(script, style, img, svg, iframe, a, form, input, object, embed)"
            assert page.locator(active).count() == 0, shown
            assert page.title() == "quiet"
            assert page.locator("main").is_visible()
    assert asked == []
    context.close()
