"""Compare a text with the accepted answers of a case, by the rules of evaluation/cases/README.md."""

import re
import unicodedata


def fold(text: str) -> str:
    """Return the text in lower case without combining marks, after NFKD normalisation."""
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c)).casefold()


def says(text: str, variant: str) -> bool:
    """Return whether the folded variant occurs in the folded text.

    A variant that begins or ends with a digit must not be part of a longer number.
    """
    wanted = fold(variant)
    before = r"(?<!\d)" if wanted[0].isdigit() else ""
    after = r"(?!\d)" if wanted[-1].isdigit() else ""
    return re.search(before + re.escape(wanted) + after, fold(text)) is not None
