"""What the words of a language say about numbers, units, negation and dates: the tables of `words/`, and babel's.

An entry of a table is a word in one form, or a beginning and `*` for any ending.
"""

import re
import tomllib
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

WORDS = Path(__file__).parent / "words"
SERBIAN = {"hr", "bs", "sh"}
"""Read with the words of Serbian."""

_WORD = re.compile(r"[^\W\d_]+(?:[-‑'’][^\W\d_]+)*")
_VOWELS = "aeiouyаеиоуыэюяьαειουηω"
_TO_LATIN = str.maketrans(
    dict(zip("абвгдђежзијклмнопрстћуфхцчш", "abvgdđežzijklmnoprstćufhcčš", strict=True))
    | {"љ": "lj", "њ": "nj", "џ": "dž"}
)


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a text: `text[start:end]`."""

    text: str
    start: int
    end: int
    form: str
    """As the tables have it: lower case, Greek without accents, Serbian in Latin script."""


class Vocabulary:
    """Words, each in its forms, to what they stand for."""

    def __init__(self, entries: Iterable[tuple[str, str]]) -> None:
        self._whole: dict[str, str] = {}
        self._beginnings: dict[str, str] = {}
        for form, meaning in entries:
            (self._beginnings if form.endswith("*") else self._whole)[form.removesuffix("*")] = meaning

    def find(self, form: str) -> str | None:
        """What the word stands for; the longest beginning that fits counts where the whole is not there."""
        if form in self._whole:
            return self._whole[form]
        beginnings = (form[:size] for size in range(len(form), 0, -1))
        return next((self._beginnings[start] for start in beginnings if start in self._beginnings), None)

    def __contains__(self, form: str) -> bool:
        return self.find(form) is not None

    def forms(self) -> dict[str, str]:
        """Whole words and what they stand for, beginnings without their star among them."""
        return self._beginnings | self._whole


@dataclass(frozen=True, slots=True)
class Lexicon:
    """What is known of one language."""

    language: str
    numerals: Vocabulary
    """Number words → the number in digits."""
    units: Vocabulary
    months: Vocabulary
    """→ 1 to 12."""
    weekdays: Vocabulary
    """→ 0 to 6, from Monday."""
    negation: Vocabulary
    negative_prefix: str
    """Beginning of a negated verb; empty where a word of its own negates."""
    positive: Vocabulary
    """Words that begin so and are not negated."""
    weak: Vocabulary
    """Words that deny without negating: refuse, without."""
    only: Vocabulary
    """`not only` denies nothing."""
    who: Vocabulary
    """Words that ask for a name."""
    ordinary: Vocabulary
    """Words that are written with a capital in what an institution is called, and are translated."""
    origin: Vocabulary
    """Prepositions of what one comes from."""
    goal: Vocabulary
    """Prepositions of what one goes to."""
    at: Vocabulary
    """Prepositions that say where one is as well as where one goes to."""
    prepositions: Vocabulary
    """The others."""
    near: Vocabulary
    """Words before a number that is not exact."""
    more: tuple[str, ...]
    """What stands before a number that is exceeded, the plainest first."""
    less: tuple[str, ...]
    inclusive: tuple[str, ...]
    """Those of both which let the number itself in."""


def split_words(text: str, language: str) -> list[Word]:
    """The words of `text`, numbers and punctuation left out."""
    return [Word(m.group(), m.start(), m.end(), form_of(m.group(), language)) for m in _WORD.finditer(text)]


def form_of(word: str, language: str) -> str:
    """A word as the tables have it."""
    word = unicodedata.normalize("NFC", word.lower()).replace("’", "'").replace("‑", "-")
    if language == "el":
        bare = "".join(char for char in unicodedata.normalize("NFD", word) if not unicodedata.combining(char))
        return bare.replace("ς", "σ")
    # Some articles mix in Latin letters that look like Cyrillic ones; these stay as they are.
    return word.translate(_TO_LATIN) if language == "sr" or language in SERBIAN else word


@cache
def load_lexicon(language: str) -> Lexicon | None:
    """The lexicon of a language, or None where there is no table for it."""
    code = "sr" if language in SERBIAN else language
    file = WORDS / f"{code}.toml"
    if not file.is_file():
        return None
    table = tomllib.loads(file.read_text(encoding="utf-8"))
    return Lexicon(
        language=code,
        numerals=_vocabulary(code, table["numerals"]),
        units=_vocabulary(code, table["units"]),
        months=_names(code, "months", table["endings"].split()),
        weekdays=_names(code, "days", table["endings"].split()),
        more=tuple(form_of(phrase, code) for phrase in table["more"]),
        less=tuple(form_of(phrase, code) for phrase in table["less"]),
        inclusive=tuple(form_of(phrase, code) for phrase in table.get("inclusive", ())),
        negative_prefix=table.get("negative_prefix", ""),
        **{
            name: _vocabulary(code, {name: table.get(name, "")})
            for name in (
                *("negation", "positive", "weak", "only", "who", "ordinary"),
                *("origin", "goal", "at", "prepositions", "near"),
            )
        },
    )


def is_preposition(form: str, language: str) -> bool:
    """Whether a word is a preposition of a language that there is a table of."""
    lexicon = load_lexicon(language)
    return lexicon is not None and any(
        form in words for words in (lexicon.origin, lexicon.goal, lexicon.at, lexicon.prepositions)
    )


def _vocabulary(language: str, table: dict[str, str]) -> Vocabulary:
    return Vocabulary((form_of(form, language), name) for name, forms in table.items() for form in forms.split())


def _names(language: str, kind: str, endings: list[str]) -> Vocabulary:
    """Months or days of the week by every form that babel gives, and by those of the same stem."""
    from babel import Locale

    endings = [form_of(ending, language) for ending in endings]
    entries: dict[str, str] = {}
    locales = ["sr_Latn", "sr"] if language == "sr" else [language]
    for locale in locales:
        names: Any = getattr(Locale.parse(locale), kind)
        for context in ("stand-alone", "format"):
            for number, name in names[context]["wide"].items():
                form = form_of(name, language)
                for stem in _stems(form):
                    entries |= {stem + ending: str(number) for ending in endings if stem + ending not in entries}
        for context in ("stand-alone", "format"):
            # What babel itself gives stands above what was inflected.
            entries |= {form_of(name, language): str(number) for number, name in names[context]["wide"].items()}
    return Vocabulary(entries.items())


def _stems(form: str) -> list[str]:
    """What may stay of a name when it is inflected."""
    stems = [form, form[:-1], re.sub("(οσ|ου)$", "", form)]
    # The last vowel goes in some: říjen, října; петак, петка; oktoober, oktoobri.
    stems.append(re.sub(f"[eaеаė]([^{_VOWELS}])$", r"\1", form))
    return [stem for stem in dict.fromkeys(stems) if len(stem) > 2]
