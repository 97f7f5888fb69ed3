"""Detect the script that a text is written in, as an ISO 15924 code."""

import unicodedata
from collections import Counter
from functools import cache

NO_SCRIPT = "Zyyy"
"""The script of a text without letters."""
CASED = {"Latn", "Cyrl", "Grek", "Armn"}
"""Scripts in which names have capitals."""
UNSPACED = {"Hani", "Jpan", "Thai"}
"""Scripts that put no spaces between words."""
SAMPLE_CHARS = 3000
SAMPLE_SLICES = 10
_IRREGULAR = {"CJK": "Hani", "HANGUL": "Kore", "HIRAGANA": "Jpan", "KATAKANA": "Jpan", "BENGALI": "Beng"}
"""Scripts by the first word of their letters' Unicode names, where that is not CLDR's name of the script."""


def script_of(text: str) -> str:
    """Return the script of most letters in `text`, or `Zyyy` without letters. Han characters with kana are `Jpan`."""
    counts: Counter[str] = Counter()
    for letter, count in Counter(take_sample(text)).items():
        if letter.isalpha():
            counts[script_of_letter(letter)] += count
    if not counts:
        return NO_SCRIPT
    best = max(counts, key=counts.__getitem__)
    return "Jpan" if best == "Hani" and counts["Jpan"] else best


@cache
def script_of_letter(letter: str) -> str:
    """Return the script of one letter, or `Zyyy` if it is unknown."""
    from babel import Locale

    word = unicodedata.name(letter, "").split(" ")[0].split("-")[0]
    codes = {name.upper(): code for code, name in Locale("en").scripts.items()}
    return _IRREGULAR.get(word) or codes.get(word, NO_SCRIPT)


@cache
def usual_script(language: str) -> str | None:
    """Return the script that a language is usually written in, or None if CLDR does not know the language."""
    from babel.core import get_global

    subtags = get_global("likely_subtags").get(language, "").split("_")
    usual = subtags[1] if len(subtags) > 1 else None
    return "Hani" if usual in ("Hans", "Hant") else usual


def take_sample(text: str) -> str:
    """Return a short text unchanged, or evenly spaced slices of a long one."""
    if len(text) <= SAMPLE_CHARS:
        return text
    step, size = len(text) // SAMPLE_SLICES, SAMPLE_CHARS // SAMPLE_SLICES
    return " ".join(text[start : start + size] for start in range(0, step * SAMPLE_SLICES, step))
