"""What a question takes for granted: the numbers, dates and names in it, which an article that answers it has too."""

from collections.abc import Iterator
from itertools import pairwise

from rag.text.folding import fold
from rag.text.names import Name
from rag.verification.claims import Claim, Parsed, claims_of, holds
from rag.verification.facts import Quantity

_JOINTS = " -‑.’'"
_ABBREVIATION = 4
"""Letters of a word in capitals at most that each language has its own of."""
_ROOT = 3
"""Letters of a name at least that another is made from."""


def find_unmet_claim(asked: Parsed, article: Parsed) -> Claim | None:
    """The first number, date or name of a question that an article lacks; None where there is nothing of the kind.

    In a language that there is no table of, months have other names and names other endings (Turku, Turun), so nothing
    is known to be lacking.
    Numbers in words are left out: `how many million` names none. A name of several words is met by any of them, as
    parts of names are spelled in too many ways. In German, where any noun has a capital, a word alone is no name.
    """
    if not article.known:
        return None
    names: list[Name] = []
    for claim in claims_of(asked):
        if isinstance(claim, Name):
            names += [] if claim.initial else [claim]
        elif not holds(article, claim) and not (isinstance(claim, Quantity) and claim.in_words):
            return claim
    shortest = 2 if asked.language == "de" else 1
    for name in _join(names, asked.text):
        if len(name) >= shortest and not any(_is_met(part, article) for part in name):
            return name[0]
    return None


def _is_met(name: Name, article: Parsed) -> bool:
    """Whether an article has a name, or one that it is an adjective of, as `Кимовим` is of `Ким`."""
    if name.text.isupper() and len(name.text) <= _ABBREVIATION:
        return True
    stems = tuple(fold(other.text) for other in article.names if len(other.text) >= _ROOT)
    return holds(article, name) or fold(name.text).startswith(stems)


def _join(names: list[Name], text: str) -> Iterator[list[Name]]:
    """Names that stand side by side, together."""
    run = names[:1]
    for left, right in pairwise(names):
        if text[left.start + len(left.text) : right.start].strip(_JOINTS):
            yield run
            run = []
        run = [*run, right]
    if run:
        yield run
