"""Find the numbers of a text, in digits however grouped and in words."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from rag.text.lexicon import load_lexicon, split_words
from rag.text.vocabulary import Lexicon

HUNDRED, THOUSAND = 100, 1000
COUNTED_ON = (60, 80)
"""Tens on which numbers up to 19 are counted in one word: soixante-douze, quatre-vingt-dix."""

_DIGITS = re.compile(r"\d+(?:[.,'’ \u00a0\u2009\u202f]\d+)*")
_GROUPS = re.compile(r"\d{1,3}([.,'’ \u00a0\u2009\u202f])\d{3}(?:\1\d{3})*")
_PLAIN = re.compile(r"\d+(?:[.,]\d+(?![.,]\d))?")
_SEPARATORS = re.compile(r"[.,'’\s]")


@dataclass(frozen=True, slots=True)
class Number:
    """A number of a text: `text[start:end]`."""

    values: frozenset[float]
    """Every value it may have: `1.500` is 1500 in Germany and 1.5 in England."""
    start: int
    end: int
    in_words: bool


def find_numbers(text: str, language: str) -> list[Number]:
    """Return the numbers of a text, in order. Number words are found only in a language with a table."""
    lexicon = load_lexicon(language)
    atoms = sorted([*_read_digits(text), *(_read_words(text, lexicon) if lexicon else ())], key=lambda atom: atom.start)
    gap = _compile_gap(lexicon)
    numbers: list[Number] = []
    for atom in atoms:
        last = numbers[-1] if numbers else None
        joined = _join(last, atom) if last and gap.fullmatch(text, last.end, atom.start) else None
        if last and joined:
            numbers[-1] = Number(joined, last.start, atom.end, last.in_words and atom.in_words)
        else:
            numbers.append(atom)
    return numbers


@cache
def _compile_gap(lexicon: Lexicon | None) -> re.Pattern[str]:
    words = "".join(rf"|{re.escape(word)}\s" for word in (lexicon.numbers.between if lexicon else ()))
    return re.compile(rf"[\s\u00a0-]*(?:{words})")


def _read_digits(text: str) -> Iterator[Number]:
    for match in _DIGITS.finditer(text):
        yield from _read_run(match.group(), match.start())


def _read_run(run: str, start: int) -> Iterator[Number]:
    """Yield the numbers in a run of digits and separators: one, or several as in `18 19`."""
    grouped = _GROUPS.match(run)
    if grouped and not run[grouped.end() : grouped.end() + 1].isdigit():
        values, end = _read_groups(run, grouped.group())
    else:
        plain = _PLAIN.match(run)
        size = plain.end() if plain else len(run)
        values, end = {float(run[:size].replace(",", "."))}, size
    yield Number(frozenset(values), start, start + end, in_words=False)
    rest = re.compile(r"\d").search(run, end)
    if rest:
        yield from _read_run(run[rest.start() :], start + rest.start())


def _read_groups(run: str, whole: str) -> tuple[set[float], int]:
    """Return every value that digits in groups of three may have, and where they end with their decimals."""
    bare = _SEPARATORS.sub("", whole)
    fraction = re.match(r"[.,](\d+)", run[len(whole) :])
    if fraction:
        return {float(f"{bare}.{fraction[1]}")}, len(whole) + fraction.end()
    values = {float(bare)}
    if len(whole) - len(bare) == 1 and not whole.isdigit() and ("." in whole or "," in whole):
        values.add(float(whole.replace(",", ".")))
    return values, len(whole)


def _read_words(text: str, lexicon: Lexicon) -> Iterator[Number]:
    for word in split_words(text, lexicon.language):
        values = _read_word(word.form, lexicon)
        for number in _combine(values) if values else ():
            yield Number(frozenset({number}), word.start, word.end, in_words=True)


def _read_word(form: str, lexicon: Lexicon) -> list[int]:
    """Return the numbers that a word is made of, as 12 and 1000 for `zwölftausend`; none if anything is left over."""
    whole = lexicon.numerals.find(form)
    if whole is not None:
        return [int(whole)]
    forms = lexicon.numerals.forms()
    for size in range(len(form) - 1, 1, -1):
        if form[:size] in forms:
            rest = form[size:]
            joint = next((joint for joint in (*lexicon.numbers.within, "-") if rest.startswith(joint)), "")
            following = _read_word(rest.removeprefix(joint), lexicon)
            if following:
                return [int(forms[form[:size]]), *following]
    return []


def _combine(values: list[int]) -> list[float]:
    """Return the number that the parts of one word make, as 4 and 20 make 24; none if they make no number."""
    numbers = [Number(frozenset({float(value)}), 0, 0, in_words=True) for value in values]
    result = numbers[0]
    for number in numbers[1:]:
        joined = _join(result, number)
        (left,), (right,) = result.values, number.values
        if not joined and (left < 10 <= right < HUNDRED or (left in COUNTED_ON and right < 20)):
            joined = frozenset({left + right})
        if not joined:
            return []
        result = Number(joined, 0, 0, in_words=True)
    return list(result.values)


def _join(left: Number, right: Number) -> frozenset[float] | None:
    """Return the value of two neighbours that are one number, such as `two hundred`; None if they are two numbers."""
    (value,) = right.values if len(right.values) == 1 else (None,)
    if value is None or not right.in_words:
        return None
    if value >= HUNDRED and value in (HUNDRED, THOUSAND, 1e6, 1e9):
        return frozenset(_scale(before, value) for before in left.values)
    if not left.in_words or len(left.values) != 1:
        return None
    (before,) = left.values
    room = next((size for size in (1e9, 1e6, THOUSAND, HUNDRED, 10.0) if before >= size and before % size == 0), 0)
    return frozenset({before + value}) if value < room and not (room == 10 and value > 19) and value > 0 else None


def _scale(before: float, factor: float) -> float:
    """Multiply a number by a hundred or more. In `two thousand three hundred` only the three is multiplied."""
    small = before % THOUSAND if factor == HUNDRED and before >= THOUSAND else before
    return before - small + (small or 1) * factor
