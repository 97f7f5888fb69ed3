"""When a text says what is accepted as an answer, as evaluation/cases/README.md states it."""

import re

from rag.text.folding import fold_in_script


def says(text: str, variant: str) -> bool:
    """Does the folded variant occur in the folded text, without a number going on beyond it?"""
    wanted = fold_in_script(variant)
    before = r"(?<!\d)" if wanted[0].isdigit() else ""
    after = r"(?!\d)" if wanted[-1].isdigit() else ""
    return re.search(before + re.escape(wanted) + after, fold_in_script(text)) is not None
