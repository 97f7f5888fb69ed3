"""Check that an article mentions the numbers, dates and names that a question takes for granted."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from rag.text.dates import PartialDate
from rag.text.folding import fold
from rag.text.lexicon import load_lexicon
from rag.text.names import Name
from rag.verification.claims import Claim, Parsed, holds, list_claims
from rag.verification.facts import Quantity

_JOINTS = " -‑.’'"
_ABBREVIATION = 4
"""Maximum number of letters in an abbreviation, which need not be in the article because languages abbreviate
differently."""
_ROOT = 3
"""Minimum number of letters in a name from which others are derived."""


def find_unmet_claim(asked: Parsed, article: Parsed, bounds: Sequence[PartialDate] = ()) -> Claim | None:
    """Return the first number, date or name of a question that an article lacks, or None. The `bounds` may be lacking.

    An article whose language has no table lacks nothing, because its months and the endings of its names (Turku, Turun)
    are unknown. Numbers in words are ignored, because `how many million` asks for one. Of a name of several words any
    one suffices, because parts of names are spelled in many ways. In a language that capitalises every noun, a single
    word is not taken for a name.
    """
    if not article.known:
        return None
    names: list[Name] = []
    for claim in list_claims(asked):
        if isinstance(claim, Name):
            names += [] if claim.initial else [claim]
        elif not holds(article, claim) and not _may_be_lacking(claim, bounds):
            return claim
    lexicon = load_lexicon(asked.language)
    shortest = 2 if lexicon and lexicon.capital_nouns else 1
    for name in _join(names, asked.text):
        if len(name) >= shortest and not any(_is_met(part, article) for part in name):
            return name[0]
    return None


def _may_be_lacking(claim: Claim, bounds: Sequence[PartialDate]) -> bool:
    """Return whether a claim is a number in words, or part of one of the bounds."""
    if isinstance(claim, PartialDate):
        return claim in bounds
    parts = {float(part) for bound in bounds for part in (bound.year, bound.day) if part}
    return isinstance(claim, Quantity) and (claim.in_words or not claim.values.isdisjoint(parts))


def _is_met(name: Name, article: Parsed) -> bool:
    """Return whether an article contains a name, or one from which it is derived, such as `Ким` for `Кимовим`."""
    if name.text.isupper() and len(name.text) <= _ABBREVIATION:
        return True
    stems = tuple(fold(other.text) for other in article.names if len(other.text) >= _ROOT)
    return holds(article, name) or fold(name.text).startswith(stems)


def _join(names: list[Name], text: str) -> Iterator[list[Name]]:
    """Yield the names in groups that stand side by side."""
    run = names[:1]
    for left, right in pairwise(names):
        if text[left.start + len(left.text) : right.start].strip(_JOINTS):
            yield run
            run = []
        run = [*run, right]
    if run:
        yield run
