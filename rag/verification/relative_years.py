"""Find the years that an article names without their numbers, such as “the year before” or “last year”."""

import re
import tomllib
from functools import cache

from rag.text.dates import PartialDate
from rag.text.lexicon import WORDS
from rag.text.sentences import split_sentences

_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")


def find_relative_years(text: str, language: str, year: int | None) -> tuple[PartialDate, ...]:
    """Return the years that a text names by words, in no order. `year` is that of the article's date, if it has one.

    “The year before” is the year before one that the same sentence names, or otherwise before that of the article.
    """
    found: set[int] = set()
    for start, end in split_sentences(text, language):
        sentence = text[start:end].lower()
        named = {int(number) for number in _YEAR.findall(sentence)}
        dated = {year} if year else set()
        for kind, base, offset in (
            ("before", named or dated, -1),
            ("last", dated, -1),
            ("this", dated, 0),
            ("next", dated, 1),
        ):
            pattern = _load()[kind].get(language)
            if pattern and pattern.search(sentence):
                found |= {one + offset for one in base}
    return tuple(map(PartialDate, found))


@cache
def _load() -> dict[str, dict[str, re.Pattern[str]]]:
    """Return the patterns of each kind, by language."""
    tables = tomllib.loads((WORDS / "years.toml").read_text(encoding="utf-8"))
    return {
        kind: {language: re.compile(pattern) for language, pattern in table.items()} for kind, table in tables.items()
    }
