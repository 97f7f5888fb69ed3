"""When a text says what is accepted as an answer, as evaluation/cases/README.md states it."""

import re
import unicodedata


def fold(text: str) -> str:
    """The text without case and combining marks, NFKD."""
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c)).casefold()


def says(text: str, variant: str) -> bool:
    """Does the folded variant occur in the folded text, without a number going on beyond it?"""
    wanted = fold(variant)
    before = r"(?<!\d)" if wanted[0].isdigit() else ""
    after = r"(?!\d)" if wanted[-1].isdigit() else ""
    return re.search(before + re.escape(wanted) + after, fold(text)) is not None
