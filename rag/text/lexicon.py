"""The words of each language, as the tables `words/<language>.toml` have them.

`words/README.md` tells how a language is added: by a table alone. The code knows how a rule works, the table knows the
words and endings of the language. CLDR, through babel, adds the names of months and weekdays. Without a table a
language has no rules, and what would need them is left undecided.
"""

import re
import tomllib
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any, get_args

from rag.text.vocabulary import DateWords, Lexicon, Vocabulary

WORDS = Path(__file__).parent / "words"
STEM = 3
"""Least letters of the stem of a month or weekday."""

_WORD = re.compile(r"[^\W\d_]+(?:[-‑'’][^\W\d_]+)*")


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a text: `text[start:end]`."""

    text: str
    start: int
    end: int
    form: str
    """The word as tables are searched for it; see `normalise`."""


def split_words(text: str, language: str) -> list[Word]:
    """Return the words of a text, without numbers and punctuation."""
    return [Word(m.group(), m.start(), m.end(), normalise(m.group(), language)) for m in _WORD.finditer(text)]


def normalise(word: str, language: str) -> str:
    """Return a word as tables are searched for it: in lower case, spelled as its table says."""
    word = unicodedata.normalize("NFC", word.lower()).replace("’", "'").replace("‑", "-")
    accents, letters = _load_spelling(language)
    if not accents:
        word = "".join(char for char in unicodedata.normalize("NFD", word) if not unicodedata.combining(char))
    return word.translate(letters) if letters else word


@cache
def load_lexicon(language: str) -> Lexicon | None:
    """Return the lexicon of a language, or None if it has no table.

    Raises ValueError if the table has a key that is not known.
    """
    code = find_base(language)
    if code != language:
        return load_lexicon(code)
    table = _read_tables().get(code)
    if table is None:
        return None
    values = {"locales": (code,)} | _read_section(Lexicon, table, code)
    dates: DateWords = values.get("dates", DateWords())
    for kind, calendar in (("months", "months"), ("weekdays", "days")):
        forms = _inflect_names(code, values["locales"], calendar, dates)
        values[kind] = Vocabulary((forms | values.get(kind, Vocabulary()).forms()).items())
    return Lexicon(language=code, **values)


def load_lexicons(language: str) -> tuple[Lexicon, ...]:
    """Return the lexicon of a language, or those of all languages if it has no table."""
    codes = [language] if load_lexicon(language) else [*_read_tables()]
    return tuple(lexicon for lexicon in map(load_lexicon, codes) if lexicon)


@cache
def load_common_lexicons() -> tuple[Lexicon, ...]:
    """Return the lexicons whose dates are found in texts of every language."""
    codes = [code for code, table in _read_tables().items() if table.get("dates", {}).get("in_every_language")]
    return tuple(lexicon for lexicon in map(load_lexicon, codes) if lexicon)


def find_base(language: str) -> str:
    """Return the code of the language whose table serves `language`: `sr` for `hr`, mostly the language itself."""
    return _list_aliases().get(language, language)


@cache
def _read_tables() -> dict[str, dict[str, Any]]:
    # The tables with longer names hold something else than the words of one language.
    return {file.stem: tomllib.loads(file.read_text(encoding="utf-8")) for file in sorted(WORDS.glob("??.toml"))}


@cache
def _list_aliases() -> dict[str, str]:
    return {alias: code for code, table in _read_tables().items() for alias in table.get("also", "").split()}


@cache
def _load_spelling(language: str) -> tuple[bool, dict[int, str]]:
    """Return whether accents count, and the letters to replace."""
    table = _read_tables().get(find_base(language), {})
    pairs = (pair.partition("=") for pair in table.get("letters", "").split())
    return table.get("accents", True), {ord(letter): replacement for letter, _, replacement in pairs}


def _read_section(kind: type[Any], table: dict[str, Any], language: str) -> dict[str, Any]:
    """Return the arguments of a dataclass from a table, each value read as its field's type asks."""
    kinds = {one.name: one.type for one in fields(kind) if one.name != "language"}
    if unknown := sorted(table.keys() - kinds.keys()):
        raise ValueError(
            f"{WORDS / language}.toml: unknown key {unknown[0]!r}. See README.md there for the known ones."
        )
    return {name: _read_value(kinds[name], value, language) for name, value in table.items()}


def _read_value(kind: Any, value: Any, language: str) -> Any:
    if is_dataclass(kind) and isinstance(kind, type):
        return kind(**_read_section(kind, value, language))
    if kind is Vocabulary:
        entries = value.items() if isinstance(value, dict) else [("", value)]
        return Vocabulary((normalise(form, language), meaning) for meaning, forms in entries for form in forms.split())
    if kind == re.Pattern[str]:
        return re.compile(value)
    if kind == tuple[str, ...]:
        return tuple(value.split() if isinstance(value, str) else value)
    if get_args(kind) and value not in get_args(kind):
        raise ValueError(f"{WORDS / language}.toml: {value!r} is not one of {', '.join(get_args(kind))}.")
    return value


def _inflect_names(language: str, locales: Iterable[str], calendar: str, dates: DateWords) -> dict[str, str]:
    """Return months or weekdays in every form that CLDR has, and in those of the same stem."""
    from babel import Locale

    endings = [normalise(ending, language) for ending in dates.endings]
    entries: dict[str, str] = {}
    for locale in locales:
        names: Any = getattr(Locale.parse(locale), calendar)
        given = [
            (normalise(name, language), str(number))
            for context in ("stand-alone", "format")
            for number, name in names[context]["wide"].items()
        ]
        for form, number in given:
            for stem in _list_stems(form, language, dates):
                entries |= {stem + ending: number for ending in endings if stem + ending not in entries}
        # A form that CLDR has goes before one that was inflected.
        entries |= dict(given)
    return entries


def _list_stems(form: str, language: str, dates: DateWords) -> list[str]:
    """Return what may stay of a name when it is inflected."""
    stems = [form, form[:-1]]
    stems += [form.removesuffix(normalise(ending, language)) for ending in dates.stem_endings]
    if dates.fleeting:
        stems.append(re.sub(f"[{dates.fleeting}](.)$", r"\1", form))
    return [stem for stem in dict.fromkeys(stems) if len(stem) >= STEM]
