"""Decide whether a passage supports a statement, and find the words that do.

Numbers, dates, names, negation and who acts are compared first, because similarity of meaning does not distinguish 2018
from 2019. A statement is supported only if something in it was compared and found; if nothing decides, it is undecided.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

from rag.protocols import Encoder
from rag.text.dates import PartialDate
from rag.text.language import detect
from rag.text.sentences import Span
from rag.types import Document, Passage
from rag.verification.bounds import add_bounds
from rag.verification.checks import check
from rag.verification.claims import Parsed, describe, parse
from rag.verification.evidence import gather, pick_quote
from rag.verification.premise import find_unmet_claim
from rag.verification.quotations import find_nearest, find_quotations, find_speech, has_verbatim, is_speech
from rag.verification.relative_years import find_relative_years
from rag.verification.verdict import WORST, Verdict


def verify(statement: str, passage: Passage | str, question: str = "", encoder: Encoder | None = None) -> Verdict:
    """Return whether `passage` supports `statement`, which answers `question`. Each may be in a different language.

    A name that is only in the question is judged by meaning. Without an encoder, meanings are not compared, and a
    statement without a number, date or name is undecided.
    """
    spoken = detect(f"{question} {statement}").code
    asked, read = parse(question, spoken), _parse_passage(passage)
    said = _parse_statement(statement, spoken, read, encoder)
    evidence = gather(said, question, read, encoder)
    return min(check(said, asked, read, evidence, encoder), key=lambda verdict: WORST.index(verdict.outcome))


def state_bounds(statement: str, passage: Passage, question: str = "") -> str:
    """Return the statement with “over” or “under” before each number that the passage gives only as such a bound."""
    said = parse(statement, detect(f"{question} {statement}").code)
    return add_bounds(said, _parse_passage(passage))


def find_unmet(question: str, language: str, article: Document, bounds: Sequence[PartialDate] = ()) -> str | None:
    """Return why an article cannot answer a question, or None if it may.

    It cannot if it lacks a number, date or name that the question takes for granted. `bounds` are dates that the
    question names only as the end of a period, which it does not take for granted. The reason is an English sentence
    for a log.
    """
    read = _parse_article(article.text, article.language, _year_of(article.date))
    claim = find_unmet_claim(_parse_source(question, language, None), read, bounds)
    return f"The article does not mention {describe(claim)}, which the question takes for granted." if claim else None


def find_quote(statement: str, passage: Passage | str, encoder: Encoder | None = None, question: str = "") -> Span:
    """Return the offsets of the one or two sentences of `passage` that support `statement`.

    A sentence with the statement's numbers and names is preferred to one that is only similar in meaning. A second
    sentence is included only if it contains some that the first lacks.
    """
    read = _parse_passage(passage)
    said = _parse_statement(statement, detect(f"{question} {statement}").code, read, encoder)
    return pick_quote(gather(said, question, read, encoder))


def _parse_passage(passage: Passage | str) -> Parsed:
    if isinstance(passage, str):
        return _parse_source(passage, detect(passage).code, None)
    return _parse_source(passage.text, passage.language, _year_of(passage.date))


# Many statements and questions are compared with one source, and one question with many sources.
@lru_cache(maxsize=64)
def _parse_source(text: str, language: str, year: int | None) -> Parsed:
    return parse(text, language, year)


@lru_cache(maxsize=64)
def _parse_article(text: str, language: str, year: int | None) -> Parsed:
    """Parse a whole article, including the years that it names by words such as “last year”."""
    read = _parse_source(text, language, year)
    years = find_relative_years(text, language, year)
    return replace(read, facts=replace(read.facts, dates=(*read.facts.dates, *years)))


def _year_of(date: str | None) -> int | None:
    return PartialDate.parse(date).year if date else None


def _parse_statement(statement: str, spoken: str, read: Parsed, encoder: Encoder | None) -> Parsed:
    """Parse a statement, and replace each quotation that translates one in the passage by the passage's words."""
    said = parse(statement, spoken)
    quotations = [words for words in find_quotations(statement) if is_speech(words)]
    unheard = [words for words in quotations if not has_verbatim(read.text, words, read.language)]
    traced: dict[str, str] = {}
    if encoder and unheard and said.language != read.language and (heard := find_speech(read.text)):
        nearest = zip(unheard, find_nearest(unheard, heard, encoder), strict=True)
        traced = {words: other for words, (other, near) in nearest if near >= encoder.settings.close}
    return replace(said, quotations=tuple(traced.get(words, words) for words in quotations))
