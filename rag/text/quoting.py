"""Show words of an article as people read them, and say on which page they are."""

import re

from rag.text.invisible import drop_hidden

PAGE_END = "\f"
"""Stands at the end of each page in the text of a PDF."""
_SPACES = re.compile(r"[^\S\n]+")
_LINE_END = re.compile(r"\s*\n\s*")


def tidy(text: str) -> str:
    """Return words of an article without invisible characters, with one space between words and single line ends."""
    return _LINE_END.sub("\n", _SPACES.sub(" ", drop_hidden(text.replace(PAGE_END, " ")))).strip()


def find_page(text: str, offset: int) -> int | None:
    """Return the number of the page of a text that an offset is on, or None if the text has no pages."""
    return text.count(PAGE_END, 0, offset) + 1 if PAGE_END in text else None
