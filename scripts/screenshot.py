"""Take docs/page.png: `python scripts/screenshot.py`, with Debian's Chromium and Playwright as in constraints.txt."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[1]
PICTURE = ROOT / "docs" / "page.png"
QUESTION = "How many containers did North Korea send to Russia?"
WHOLE = "() => document.querySelector('article[aria-busy=false]')"
SECONDS = 1000


def main() -> None:
    """Ask the real page over the real models one question, and keep what a reader sees."""
    served = subprocess.Popen(  # noqa: S603
        [sys.executable, str(ROOT / "app.py")], stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUTF8": "1"}
    )
    assert served.stdout  # noqa: S101
    said = served.stdout.readline().split("URL: ")
    if len(said) == 1:
        sys.exit(served.wait())
    address = said[1].split()[0]
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": 1200, "height": 640})
            page.goto(address)
            page.fill("#question textarea", QUESTION)
            page.keyboard.press("Enter")
            page.wait_for_function(WHOLE, timeout=180 * SECONDS)
            page.evaluate("scrollTo(0, 0)")
            page.wait_for_timeout(1 * SECONDS)
            PICTURE.parent.mkdir(exist_ok=True)
            page.screenshot(path=PICTURE)
            browser.close()
    finally:
        served.terminate()


if __name__ == "__main__":
    main()
