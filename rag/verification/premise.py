"""Check that an article has the numbers, dates and names that a question takes for granted."""

from collections.abc import Iterator
from itertools import pairwise

from rag.text.folding import fold
from rag.text.lexicon import load_lexicon
from rag.text.names import Name
from rag.verification.claims import Claim, Parsed, holds, list_claims
from rag.verification.facts import Quantity

_JOINTS = " -‑.’'"
_ABBREVIATION = 4
"""Most letters of an abbreviation in capitals, which may differ from language to language."""
_ROOT = 3
"""Least letters of a name from which another is made."""


def find_unmet_claim(asked: Parsed, article: Parsed) -> Claim | None:
    """Return the first number, date or name of a question that an article lacks, or None.

    Nothing is lacking in an article whose language has no table: its months and the endings of its names (Turku, Turun)
    are not known. Numbers in words are left out, as `how many million` asks for one. A name of several words is met by
    any of them, since parts of names are spelled in many ways. Where every noun has a capital, a single word is not a
    name.
    """
    if not article.known:
        return None
    names: list[Name] = []
    for claim in list_claims(asked):
        if isinstance(claim, Name):
            names += [] if claim.initial else [claim]
        elif not holds(article, claim) and not (isinstance(claim, Quantity) and claim.in_words):
            return claim
    lexicon = load_lexicon(asked.language)
    shortest = 2 if lexicon and lexicon.capital_nouns else 1
    for name in _join(names, asked.text):
        if len(name) >= shortest and not any(_is_met(part, article) for part in name):
            return name[0]
    return None


def _is_met(name: Name, article: Parsed) -> bool:
    """Return whether an article has a name, or one from which it is made, as `Кимовим` from `Ким`."""
    if name.text.isupper() and len(name.text) <= _ABBREVIATION:
        return True
    stems = tuple(fold(other.text) for other in article.names if len(other.text) >= _ROOT)
    return holds(article, name) or fold(name.text).startswith(stems)


def _join(names: list[Name], text: str) -> Iterator[list[Name]]:
    """Yield the names in runs that stand side by side."""
    run = names[:1]
    for left, right in pairwise(names):
        if text[left.start + len(left.text) : right.start].strip(_JOINTS):
            yield run
            run = []
        run = [*run, right]
    if run:
        yield run
