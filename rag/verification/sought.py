"""Tell whether a question asks for a time or a number, and which sentences have one."""

import re
import tomllib
from collections.abc import Sequence
from functools import cache
from typing import Literal

from rag.text.lexicon import WORDS, find_base
from rag.verification.claims import Parsed, holds, parse
from rag.verification.facts import YEARS

Sought = Literal["time", "number"]

_TIMES = {"minute", "hour", "day", "week", "month", "year"}
_AROUND = " \u00a0¿„“”«»\"'"


def find_sought(question: str, language: str) -> Sought | None:
    """Return whether a question asks for a time or a number; None for neither, and in a language without patterns."""
    code = find_base(language)
    asked = question.lower().strip(_AROUND)
    return next(
        (sought for sought, known in _load_patterns().items() if code in known and known[code].search(asked)), None
    )


def mark_sought(asked: Parsed, sentences: Sequence[str], language: str) -> list[bool]:
    """Return for each sentence whether it has the time or the number that the question asks for, if any."""
    sought = find_sought(asked.text, asked.language)
    return [sought is not None and _has(parse(sentence, language), sought, asked) for sentence in sentences]


def _has(sentence: Parsed, sought: Sought, asked: Parsed) -> bool:
    """Return whether a sentence has a time or a number that the question does not have."""
    numbers = [number for number in sentence.facts.quantities if not holds(asked, number)]
    if sought == "number":
        return bool(numbers)
    return (
        any(not holds(asked, date) for date in sentence.facts.dates)
        or bool(sentence.facts.weekdays - asked.facts.weekdays)
        or any(number.unit in _TIMES or any(value in YEARS for value in number.values) for number in numbers)
    )


@cache
def _load_patterns() -> dict[Sought, dict[str, re.Pattern[str]]]:
    tables = tomllib.loads((WORDS / "questions.toml").read_text(encoding="utf-8"))
    kinds: tuple[Sought, ...] = ("time", "number")
    return {kind: {language: re.compile(form) for language, form in tables[kind].items()} for kind in kinds}
