"""Compare a text with the accepted answers of a case, by the rules of evaluation/cases/README.md."""

import re

from rag.text.folding import fold_in_script


def says(text: str, variant: str) -> bool:
    """Return whether the folded variant occurs in the folded text.

    A variant that begins or ends with a digit must not be part of a longer number.
    """
    wanted = fold_in_script(variant)
    before = r"(?<!\d)" if wanted[0].isdigit() else ""
    after = r"(?!\d)" if wanted[-1].isdigit() else ""
    return re.search(before + re.escape(wanted) + after, fold_in_script(text)) is not None
