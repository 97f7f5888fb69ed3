"""Take the pictures in docs/: `python scripts/screenshot.py`, with Debian's Chromium and the development extra."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
PICTURES = ROOT / "docs"
ANSWERED = "How many containers did North Korea send to Russia?"
QUOTED = "Kdo pozval Lavrova do KLDR?"
UNANSWERED = "Who won the football match on Sunday?"
WHOLE = "() => document.querySelector('article[aria-busy=false]')"
SECONDS = 1000


def main() -> None:
    """Ask the real page over the real models, and keep what a reader sees in its main states."""
    served = subprocess.Popen(  # noqa: S603
        [sys.executable, str(ROOT / "app.py")], stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUTF8": "1"}
    )
    assert served.stdout  # noqa: S101
    said = served.stdout.readline().split("URL: ")
    if len(said) == 1:
        sys.exit(served.wait())
    address = said[1].split()[0]
    PICTURES.mkdir(exist_ok=True)
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
            take(browser, address, "page", lambda page: open_citation(page, ANSWERED))
            take(browser, address, "page-dark", lambda page: open_citation(page, QUOTED), scheme="dark", locale="cs-CZ")
            take(browser, address, "page-abstains", lambda page: ask(page, UNANSWERED))
            take(browser, address, "page-telephone", lambda page: ask(page, ANSWERED), width=390)
            take(browser, address, "page-figures", show_figures, height=1200)
            browser.close()
    finally:
        served.terminate()


def take(
    browser: Browser,
    address: str,
    name: str,
    act: Callable[[Page], None],
    width: int = 1200,
    height: int = 760,
    scheme: str = "light",
    locale: str = "en-GB",
) -> None:
    """Take one picture, in a tab of its own, after something was done there."""
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=scheme, locale=locale, reduced_motion="reduce"
    )
    page = context.new_page()
    page.goto(address)
    page.wait_for_selector("#shelf .title", state="attached")
    act(page)
    page.wait_for_timeout(1 * SECONDS)
    page.screenshot(path=PICTURES / f"{name}.png")
    context.close()


def ask(page: Page, question: str) -> None:
    """Ask, and wait for the answer."""
    page.fill("#question textarea", question)
    page.keyboard.press("Enter")
    page.wait_for_function(WHOLE, timeout=180 * SECONDS)


def open_citation(page: Page, question: str) -> None:
    """Ask, and open the first citation in its article."""
    ask(page, question)
    page.locator(".marker").first.click()
    page.wait_for_selector("#reader mark")


def show_figures(page: Page) -> None:
    """Ask, and go to the page of figures."""
    ask(page, ANSWERED)
    page.get_by_role("tab").last.click()
    page.wait_for_selector("#figures table")


if __name__ == "__main__":
    main()
