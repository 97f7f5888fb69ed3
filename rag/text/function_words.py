"""Count the question words and the common words of each language in a short text.

The words come from `data/asking.toml` and `data/common.toml`, and `data/romanised.toml` has those of languages that are
also typed in Latin letters. A text without accents is compared without them, because many people type none.
"""

import tomllib
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from rag.text.folding import fold
from rag.text.relatives import resolve
from rag.text.scripts import script_of

DATA = Path(__file__).parent / "data"
LEAST_ROMANISED = 2
"""Minimum number of words that show that a text is typed in Latin letters instead of its own."""

PLAIN = 0.75
"""How much a word counts that lacks its accents."""

_Table = dict[tuple[str, str], set[str]]
"""The languages of each word, keyed by the word and its script."""


def count_question_words(words: Sequence[str], script: str) -> dict[str, float]:
    """Return how many of the words are question words, by language."""
    return _count("asking", words, script)


def count_common_words(words: Sequence[str], script: str) -> dict[str, float]:
    """Return how many of the words are common words, by language."""
    return _count("common", words, script)


def has_function_words(words: Sequence[str]) -> bool:
    """Return whether any of the words is a question word or a common word of some language."""
    script = script_of(" ".join(words))
    return any(count_question_words(words, script)) or any(count_common_words(words, script))


def is_function_word(word: str, language: str) -> bool:
    """Return whether a word is a question word or a common word of a language."""
    return is_question_word(word, language) or resolve(language) in count_common_words([word], script_of(word))


def is_question_word(word: str, language: str) -> bool:
    """Return whether a word is a question word of a language."""
    return resolve(language) in count_question_words([word], script_of(word))


def find_romanised(words: Sequence[str]) -> str | None:
    """Return the language that a text in Latin letters is in, if it is usually written in other letters."""
    asked, common = _count("asking", words, "Latn"), _count("common", words, "Latn")
    counts = _count("romanised", words, "Latn")
    best = max(counts, key=counts.__getitem__, default=None)
    most = max((asked.get(code, 0.0) + common.get(code, 0.0) for code in asked | common), default=0.0)
    return best if best and counts[best] >= LEAST_ROMANISED and counts[best] > most else None


def _count(table: str, words: Sequence[str], script: str) -> dict[str, float]:
    lowered = [word.lower() for word in words]
    # In another script than Latin, folding transliterates, so a missing accent cannot be told by it.
    is_plain = script != "Latn" or all(map(str.isascii, lowered))
    exact, plain = _load(table)
    counts: dict[str, float] = {}
    for word in lowered:
        written = exact.get((word, script), set())
        typed = plain.get((fold(word), script), set()) - written if is_plain else set()
        for codes, weight in ((written, 1.0), (typed, PLAIN)):
            counts |= {code: counts.get(code, 0.0) + weight for code in codes}
    return counts


@cache
def _load(table: str) -> tuple[_Table, _Table]:
    """Return the words of a table as they are written, and without accents."""
    exact: _Table = {}
    plain: _Table = {}
    for code, words in tomllib.loads((DATA / f"{table}.toml").read_text(encoding="utf-8")).items():
        for word in words.split():
            script = script_of(word)
            exact.setdefault((word, script), set()).add(resolve(code))
            plain.setdefault((fold(word), script), set()).add(resolve(code))
    return exact, plain
