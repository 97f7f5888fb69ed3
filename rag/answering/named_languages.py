"""Recognise words for articles, and the names of languages, in questions about the collection."""

import re
import tomllib
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from rag.text.folding import fold
from rag.text.language import Language, name_of
from rag.text.names import count_shared

TABLE = Path(__file__).parent / "data" / "collection.toml"
_WORD = re.compile(r"\w+")


def find_language(question: str, language: Language, among: Iterable[str]) -> str | None:
    """Return which of the languages `among` a question in `language` names, all as ISO 639-1 codes.

    Returns None if the question names none of them, or if it is unclear which.
    """
    first, *others = _WORD.findall(question) or [""]
    words = [fold(word) for word in (first, *(word for word in others if not is_country(word, language)))]
    likeness: dict[str, int] = {}
    for code in among:
        name = fold(name_of(code, language.code, language.script))
        letters = max(_count_likeness(word, name, language) for word in words)
        if letters:
            likeness[code] = letters
    most = max(likeness.values(), default=0)
    named = [code for code, letters in likeness.items() if letters == most]
    return named[0] if len(named) == 1 else None


def _count_likeness(word: str, name: str, language: Language) -> int:
    """Return how many letters a word shares with the name of a language, or 0 if it does not mean that language.

    The word may be a form of the name or be derived from it, so any ending is allowed after the shared letters. The
    limits of `share_stem` on endings would be too strict.
    """
    rules = _load_name_rules(language.code)
    shared = count_shared(word, name)
    if shared >= max(rules["letters"], rules["share"] * len(name)):
        return shared
    stem = re.fullmatch(rules["name"], name) if "name" in rules else None
    return shared if stem and re.match(rf"{re.escape(stem[1])}{rules['adjective']}", word) else 0


def is_article(word: str, texts: bool = True) -> bool:
    """Return whether a word of any language means an article, or, if `texts`, a text."""
    word = word.lower()
    nouns = [*load_table()["nouns"], *(load_table()["texts"] if texts else ())]
    # Scripts without case do not always separate words, so other words may be attached before or after the noun.
    return any(word.startswith(noun) if noun.islower() else noun in word for noun in nouns)


def is_country(word: str, language: Language) -> bool:
    """Return whether a capitalised word, such as Russia, is nearer to a country's name than to a language's."""
    if not word[0].isupper():
        return False
    word = fold(word)
    countries, languages = (
        min((len(word) + len(name) - 2 * count_shared(word, name) for name in names), default=0)
        for names in _list_names(language)
    )
    return countries <= languages and languages > 0


@cache
def load_table() -> dict[str, Any]:
    """Return `data/collection.toml`."""
    return tomllib.loads(TABLE.read_text(encoding="utf-8"))


@cache
def _list_names(language: Language) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the folded names of countries, and of languages, in a language. Both are empty if babel lacks it."""
    from babel import Locale, UnknownLocaleError

    for tag in (f"{language.code}_{language.script}", language.code):
        try:
            locale = Locale.parse(tag)
        except (UnknownLocaleError, ValueError):
            continue
        return tuple(map(fold, locale.territories.values())), tuple(map(fold, locale.languages.values()))
    return (), ()


@cache
def _load_name_rules(language: str) -> dict[str, Any]:
    """Return the rules for recognising the names of languages in text of the given language."""
    rules: dict[str, Any] = load_table()["names"]
    tables = {code: table for code, table in rules.items() if isinstance(table, dict)}
    own = (table for code, table in tables.items() if language in (code, *table.get("also", ())))
    return rules | next(own, {})
