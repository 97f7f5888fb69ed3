"""A page over stand-ins, and Chromium to open it, for all tests in this folder."""

import shutil
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Request, sync_playwright

import app
from rag.assistant import Assistant
from rag.config import ROOT, Config
from rag.index.index import Index
from rag.ingest.build import build_index
from rag.testing import SPEAKING, HeldGenerator, WordEncoder
from rag.text.prompts import Prompts

CHROMIUM = shutil.which("chromium")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
BROWSED = pytest.mark.skipif(
    not CHROMIUM, reason="Chromium is not installed. Install it with: apt-get install chromium"
)
# Gradio creates event loops that it never closes.
QUIET = pytest.mark.filterwarnings("ignore:unclosed event loop:ResourceWarning")
PATIENCE = 60_000
"""Timeout of the browser, in milliseconds."""
FILLING = "Boats may enter at night, and leave when the tide is high. " * 12
HOSTILE = '<script>document.title="x"</script><img src="http://a.example/b.png"> ${x} {{x}} `x` \u202eabc'
ARTICLES = {
    "harbour.md": f"date 2024-05\n# The harbour\n\n{FILLING}\n\nThe harbour cost nine million.\n\n{FILLING}\n",
    "sad.txt": "Sad v Brně\n\nJablka v sadu letos dozrála dříve, protože jaro bylo neobvykle teplé a suché.\n",
    "hostile.txt": f"Hostile {HOSTILE}\n\n{'Markup is text, whatever it says of itself. ' * 4}{HOSTILE}\n",
}
REPLY = "The harbour cost nine million."
QUESTION = "How many million has the harbour cost?"


@dataclass(frozen=True)
class Served:
    """A page that is being served, with its corpus and its stand-ins."""

    url: str
    corpus: Path
    assistant: Assistant
    generator: HeldGenerator


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("page")
    corpus = folder / "corpus"
    corpus.mkdir()
    for name, text in ARTICLES.items():
        (corpus / name).write_text(text, encoding="utf-8")
    config = Config(indexes=folder / "indexes", corpus=corpus, hits=3, reads=1)
    encoder, generator = WordEncoder(), HeldGenerator(REPLY)
    build_index(config=config, encoder=encoder)
    index = Index.open(config.indexes / config.index)
    assistant = Assistant(config, index, encoder, generator, Prompts.load(ROOT / "prompts"), SPEAKING)
    page = app.open_page(assistant, _find_port())
    yield Served(page.local_url, corpus, assistant, generator)
    page.close(verbose=False)


# Not one for the whole session: Playwright keeps an event loop running, beside which other tests cannot run theirs.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def page(served: Served, browser: Browser) -> Iterator[Page]:
    """A tab with the page open. Fails at the end if the tab has sent a request to any other server."""
    context = browser.new_context(viewport={"width": 1200, "height": 800}, locale="en-GB")
    context.set_default_timeout(PATIENCE)
    asked: list[str] = []
    context.on("request", lambda request: asked.append(_address(request)))
    page = context.new_page()
    open_page(page, served)
    yield page
    served.generator.held = False
    served.generator.say(REPLY)
    context.close()
    assert {address for address in asked if not served.url.startswith(address)} <= {"data:", "blob:"}


def open_page(page: Page, served: Served) -> None:
    """Open the page in a tab and wait until it is ready."""
    page.goto(served.url)
    page.wait_for_selector("#article-list .title")


def ask(page: Page, question: str = QUESTION) -> None:
    """Ask a question and wait until it appears in the conversation."""
    before = page.locator("#conversation article").count()
    page.fill("#question textarea", question)
    page.keyboard.press("Enter")
    page.wait_for_function(f"() => document.querySelectorAll('#conversation article').length > {before}")


def drop(page: Page, name: str, text: str) -> None:
    """Drop a file onto the box for new articles."""
    file = page.evaluate_handle(
        "([name, text]) => { const data = new DataTransfer(); data.items.add(new File([text], name)); return data; }",
        [name, text],
    )
    page.dispatch_event("#files button", "drop", {"dataTransfer": file})


def wait_for_answers(page: Page, count: int = 1) -> None:
    """Wait until `count` exchanges are complete."""
    page.wait_for_function(f"() => document.querySelectorAll('article[aria-busy=false]').length == {count}")


def _address(request: Request) -> str:
    scheme, _, rest = request.url.partition("://")
    return f"{scheme}://{rest.partition('/')[0]}" if rest else f"{scheme.partition(':')[0]}:"


def _find_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
