"""Find the dates that a question names only as the end of a period, as in “before 2023” or “since May 2019”.

They say where to look, and are no part of what happened, so an article that answers the question need not mention them.
"""

import re
import tomllib
from functools import cache
from pathlib import Path

from rag.retrieval.periods import YEAR, find_open_ends
from rag.text.dates import PartialDate
from rag.text.vocabulary import NOTHING

WORDS = Path(__file__).parent / "data" / "bounds.toml"
"""The words of languages for which no periods can be read."""


def find_bounds(question: str, language: str) -> tuple[PartialDate, ...]:
    """Return the dates that a question in `language`, an ISO 639-1 code, names only as the end of a period."""
    ends = find_open_ends(question, language)
    if ends is not None:
        return ends
    found = _load().get(language, NOTHING).finditer(question.lower())
    return tuple(PartialDate(int(match["ahead"] or match["behind"])) for match in found)


@cache
def _load() -> dict[str, re.Pattern[str]]:
    """Return the pattern of a year that ends a period, by language."""
    patterns: dict[str, re.Pattern[str]] = {}
    for code, table in tomllib.loads(WORDS.read_text(encoding="utf-8")).items():
        # Scripts such as Chinese put no space between the words and the year.
        ahead = rf"(?:{table.get('ahead', '(?!)')})\s?(?:\w+\s){{0,2}}(?P<ahead>{YEAR})(?!\d)"
        behind = rf"(?<!\d)(?P<behind>{YEAR})\.?\s?(?:\w+\s)?(?:{table.get('behind', '(?!)')})"
        patterns[code] = re.compile(f"{ahead}|{behind}")
    return patterns
