"""The calibration sentences are parallel and clean, and in the script of their language."""

import unicodedata
from collections import Counter
from itertools import combinations
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "rag" / "encoding" / "calibration"
LINES = {file.stem: file.read_text(encoding="utf-8").splitlines() for file in sorted(FOLDER.glob("*.txt"))}

LATIN = {"LATIN"}
SCRIPTS = {
    **{tag: {"CYRILLIC"} for tag in ("bg", "mk", "ru", "uk", "sr-Cyrl")},
    "ar": {"ARABIC"},
    "el": {"GREEK"},
    "ja": {"CJK", "HIRAGANA", "KATAKANA"},
    "ko": {"HANGUL"},
    "zh": {"CJK"},
}
"""The first words of the Unicode names of the letters of a file; other files are in Latin script."""

CYRILLIC = "абвгдђежзијклмнопрстћуфхцчшљњџ"
GAJICA = [*"abvgdđežzijklmnoprstćufhcčš", "lj", "nj", "dž"]
"""The two alphabets of Serbian, letter by letter."""


def scripts(text: str) -> set[str]:
    names = (unicodedata.name(character) for character in text if character.isalpha())
    # The hyphen is that of KATAKANA-HIRAGANA PROLONGED SOUND MARK, which occurs in katakana words.
    return {name.replace("-", " ").split()[0] for name in names}


def transliterate(text: str) -> str:
    small = {ord(cyrillic): latin for cyrillic, latin in zip(CYRILLIC, GAJICA, strict=True)}
    return text.translate(small | {ord(chr(letter).upper()): latin.capitalize() for letter, latin in small.items()})


def test_there_are_enough_languages_and_sentences() -> None:
    assert len({tag.split("-")[0] for tag in LINES}) >= 24
    assert len(LINES["en"]) >= 40


def test_all_files_have_the_same_number_of_lines() -> None:
    assert {tag: len(lines) for tag, lines in LINES.items() if len(lines) != len(LINES["en"])} == {}


@pytest.mark.parametrize("tag", LINES)
def test_no_line_is_empty_untidy_or_repeated(tag: str) -> None:
    assert all(line and line == " ".join(line.split()) for line in LINES[tag])
    assert all(unicodedata.is_normalized("NFC", line) for line in LINES[tag])
    assert [line for line, times in Counter(LINES[tag]).items() if times > 1] == []


@pytest.mark.parametrize("tag", LINES)
def test_every_line_is_in_the_script_of_its_language(tag: str) -> None:
    allowed = SCRIPTS.get(tag, LATIN)
    assert [line for line in LINES[tag] if not scripts(line) or not scripts(line) <= allowed] == []
    assert scripts("".join(LINES[tag])) == allowed


def test_no_line_is_the_same_in_two_languages() -> None:
    shared = {(one, two): set(LINES[one]) & set(LINES[two]) for one, two in combinations(LINES, 2)}
    assert {pair: lines for pair, lines in shared.items() if lines} == {}


def test_serbian_is_the_same_in_both_scripts() -> None:
    assert [transliterate(line) for line in LINES["sr-Cyrl"]] == LINES["sr-Latn"]
