"""`rag serve` and the page as processes over the real models, used by an OpenAI client and a browser."""

import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from playwright.sync_api import expect, sync_playwright

from rag.config import ROOT
from tests.browser.conftest import BROWSED, CHROMIUM, FLAGS, QUIET, ask

pytestmark = pytest.mark.slow(reason="The server and the page load the real models and answer a question.")
QUESTION = "Kdo pozval Lavrova do KLDR?"
SOURCE = "000_6546eb5d104e4df2.txt"
SERVE = "from rag.cli import main; main()"
PATIENCE = 300_000
"""Milliseconds to wait for an answer on a busy machine."""


@contextmanager
def running(environment: dict[str, str], *command: str) -> Iterator[str]:
    """Start a Python process and return its first line of output while it runs."""
    with subprocess.Popen(
        [sys.executable, *command], cwd=ROOT, env=environment, text=True, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout
        try:
            yield process.stdout.readline()
        finally:
            process.kill()


def read_article(source: str) -> str:
    return (ROOT / "seeds" / source).read_text(encoding="utf-8")


def test_a_program_asks_the_server_and_gets_a_quote_that_is_in_its_article(environment: dict[str, str]) -> None:
    with running(environment, "-c", SERVE, "serve", "--port", "0") as said:
        url = said.split()[2]
        messages: Any = [{"role": "user", "content": QUESTION}]
        with openai.OpenAI(base_url=url, api_key="none", timeout=PATIENCE / 1000, max_retries=0) as client:
            completion = client.chat.completions.create(model="rag", messages=messages)
            *_, last = client.chat.completions.create(model="rag", messages=messages, stream=True)
        extra = completion.model_extra
        assert extra
        assert last.model_extra
        (citation,) = extra["answer"]["citations"]
        assert last.model_extra["answer"] == extra["answer"]
        opened = httpx.get(f"{url.removesuffix('/v1')}/articles/{citation['source']}").json()
    assert citation["source"] == SOURCE
    assert opened["text"][citation["start"] : citation["end"]] == citation["quote"]
    assert citation["quote"] in read_article(SOURCE)
    assert citation["quote"] in (completion.choices[0].message.content or "")


@BROWSED
@QUIET
def test_a_reader_asks_on_the_page_and_sees_the_quote_in_its_article(
    environment: dict[str, str], tmp_path: Path
) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = {**environment, "GRADIO_SERVER_PORT": str(port), "GRADIO_TEMP_DIR": str(tmp_path), "PYTHONUTF8": "1"}
    with running(settings, str(ROOT / "app.py")) as said, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        page = browser.new_context(locale="cs-CZ").new_page()
        page.set_default_timeout(PATIENCE)
        page.goto(re.findall(r"http://\S+", said)[0])
        page.wait_for_selector("#article-list .title", state="attached")
        expect(page.locator("#examples [data-ask]").first).to_have_attribute("lang", "cs", timeout=PATIENCE)
        ask(page, QUESTION)
        expect(page.locator("article[aria-busy=false] .said")).to_be_visible(timeout=PATIENCE)
        page.locator(".marker").first.click()
        quoted = page.locator("#reader mark").inner_text()
        expect(page.locator("#reader .facts")).to_contain_text("čeština", timeout=PATIENCE)
        browser.close()
    assert "Lavrov" in quoted
    assert quoted in read_article(SOURCE)
