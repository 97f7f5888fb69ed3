"""Take the screenshots in docs/: `python scripts/screenshot.py`. Needs Debian's Chromium and the extra `dev`.

Run it while the machine is idle, as the screenshots show how many seconds each answer took.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from io import BytesIO
from itertools import pairwise
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
SCREENSHOTS = ROOT / "docs"
ANSWERED = "How many containers did North Korea send to Russia?"
QUOTED = "Kdo pozval Lavrova do KLDR?"
UNANSWERED = "Who won the football match on Sunday?"
COMPLETE = "() => document.querySelector('article[aria-busy=false]')"
SECONDS = 1000
"""One second, in the milliseconds that Playwright counts in."""
FRAMES = 12
"""Maximum number of frames in the animation."""
WIDTH = 900
"""Width of the animation, in pixels."""
COLOURS = 64
"""Number of colours in the animation."""


def main() -> None:
    """Start the page over the real models and take a screenshot of each of its main states."""
    served = subprocess.Popen(  # noqa: S603
        [sys.executable, str(ROOT / "app.py")], stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUTF8": "1"}
    )
    assert served.stdout  # noqa: S101
    said = served.stdout.readline().split("URL: ")
    if len(said) == 1:
        sys.exit(served.wait())
    address = said[1].split()[0]
    SCREENSHOTS.mkdir(exist_ok=True)
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
            take(browser, address, "page", lambda page: open_citation(page, ANSWERED))
            take(browser, address, "page-dark", lambda page: open_citation(page, QUOTED), scheme="dark", locale="cs-CZ")
            take(browser, address, "page-abstains", lambda page: ask(page, UNANSWERED))
            take(browser, address, "page-telephone", lambda page: ask(page, ANSWERED), width=390)
            take(browser, address, "page-figures", show_figures, height=1200)
            record(browser, address, "page-sequence", ANSWERED)
            browser.close()
    finally:
        served.terminate()


def record(browser: Browser, address: str, name: str, question: str) -> None:
    """Save an animation in which a question is typed and answered, and a citation opened in its article."""
    context = browser.new_context(viewport={"width": 1200, "height": 760}, locale="en-GB", reduced_motion="reduce")
    page = open_page(context.new_page(), address)
    page.wait_for_selector("#examples [data-ask]", timeout=180 * SECONDS)
    frames = [shoot(page)]
    for third in (1, 2, 3):
        page.fill("#question textarea", question[: len(question) * third // 3])
        frames.append(shoot(page))
    page.keyboard.press("Enter")
    page.wait_for_selector(".doing", state="attached")
    while page.locator(".doing").count() and len(frames) < FRAMES - 2:
        page.wait_for_timeout(SECONDS // 3)
        frames.append(shoot(page))
    page.wait_for_function(COMPLETE, timeout=180 * SECONDS)
    frames.append(shoot(page))
    page.locator(".marker").first.click()
    page.wait_for_selector("#reader mark")
    page.wait_for_timeout(1 * SECONDS)
    frames.append(shoot(page))
    context.close()
    save_animation(frames, SCREENSHOTS / f"{name}.png")


def shoot(page: Page) -> Image.Image:
    """Return a screenshot, scaled to the width of the animation."""
    seen = Image.open(BytesIO(page.screenshot())).convert("RGB")
    return seen.resize((WIDTH, seen.height * WIDTH // seen.width), Image.Resampling.LANCZOS)


def save_animation(frames: list[Image.Image], file: Path) -> None:
    """Save frames as an animated PNG. A frame that equals the one before it is left out."""
    kept = [frames[0], *(after for before, after in pairwise(frames) if after.tobytes() != before.tobytes())]
    # One palette for all frames, as the colours would flicker otherwise.
    palette = kept[-1].quantize(COLOURS)
    first, *rest = (frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in kept)
    durations = [SECONDS] * len(rest) + [4 * SECONDS]
    first.save(file, save_all=True, append_images=rest, duration=durations, loop=0, optimize=True)


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
    """Open the page in a new tab, act there, and save a screenshot."""
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=scheme, locale=locale, reduced_motion="reduce"
    )
    page = open_page(context.new_page(), address)
    act(page)
    page.wait_for_timeout(1 * SECONDS)
    page.screenshot(path=SCREENSHOTS / f"{name}.png")
    context.close()


def open_page(page: Page, address: str) -> Page:
    """Open the page in a tab and wait until it is ready."""
    page.goto(address)
    page.wait_for_selector("#article-list .title", state="attached")
    return page


def ask(page: Page, question: str) -> None:
    """Ask a question and wait for the answer."""
    page.fill("#question textarea", question)
    page.keyboard.press("Enter")
    page.wait_for_function(COMPLETE, timeout=180 * SECONDS)


def open_citation(page: Page, question: str) -> None:
    """Ask a question and open the first citation in its article."""
    ask(page, question)
    page.locator(".marker").first.click()
    page.wait_for_selector("#reader mark")


def show_figures(page: Page) -> None:
    """Ask a question and open the Figures tab."""
    ask(page, ANSWERED)
    page.get_by_role("tab").last.click()
    page.wait_for_selector("#figures table")


if __name__ == "__main__":
    main()
