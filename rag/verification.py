"""Statement and passage to whether the passage bears the statement, and to the words that bear it.

Numbers, dates, names, negation and who acts are compared first, since closeness of meaning does not tell 2018 from
2019. What cannot be decided is called undecided; only what was compared and found is called supported.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import permutations
from typing import Literal

import numpy as np

from rag.checks.bounds import add_bounds, find_exact
from rag.checks.claims import Claim, Kind, Parsed, Quotation, claims_of, describe, holds, kind_of, parse
from rag.checks.evidence import Evidence, gather, pick_quote, split_clauses
from rag.checks.facts import Quantity
from rag.checks.lexicon import load_lexicon, split_words
from rag.checks.names import Name, same_name
from rag.checks.polarity import polarity_of
from rag.checks.premise import find_unmet_claim
from rag.checks.quotations import find_nearest
from rag.checks.roles import Actor, Role, find_actors, is_mutual
from rag.checks.ways import Place, find_ways
from rag.language import detect
from rag.matching import match
from rag.passages import Span, split_sentences
from rag.types import Citation, Document, Encoder, Passage, Statement

Outcome = Literal["supported", "unsupported", "undecided"]

CLOSE = 0.30
"""Least closeness of the statement's farthest tokens; two in a hundred true statements of the development half
are below."""
SAME_CLAUSE = 0.03
"""How much nearer in cosine to a statement that denies a clause may be that affirms."""
OTHER_CLAUSE = 0.05
"""How much nearer to a statement that affirms a clause must be that affirms, where the sentence denies something."""
CONTRARY = 0.03
"""How much nearer a clause that denies must be for the passage to speak against a statement that affirms."""
NEARER = 0.03
"""How much nearer in cosine another number's noun must be than that of the equal number."""

ASIDE = 0.06
"""How much nearer to the question another sentence may be than those that bear the statement; for no true statement of
the development half is it more than 0.054, and for what was planted in an article mostly more than 0.09."""

_ADDRESS = re.compile(r"\w://|\bwww\.|\]\(")
_COUNTED = re.compile(r"[\s.-]*((?:[^\W\d_][\w-]*\s*){1,3})")


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a passage bears a statement."""

    outcome: Outcome
    reason: str
    """Why, in an English sentence for a log."""
    kind: Kind | None
    """What was found wanting; None where nothing was."""


def verify(statement: str, passage: Passage | str, question: str = "", encoder: Encoder | None = None) -> Verdict:
    """Whether `passage` bears `statement`, which answers `question`; each may be in a language of its own.

    A name that only the question has is left to the meaning. Without an encoder the meaning is not compared, and a
    statement with no number, date or name in it is undecided.
    """
    text, language, year = _unpack(passage)
    spoken = detect(f"{question} {statement}").code
    asked, read = parse(question, spoken), parse(text, language, year)
    said = _trace_quotations(parse(statement, spoken), read, encoder)
    evidence = gather(said, question, read, encoder)
    start, end = pick_quote(evidence)
    findings: list[Verdict] = [
        *_check_claims(said, asked, read, encoder),
        *_check_bounds(said, asked, read),
        *(_check_counted(said, read, encoder) if encoder else ()),
        *_check_negation(said, asked, text[start:end], language, encoder),
        *_check_direction(said, text[start:end], language),
        *_check_ways(said, text[start:end], language),
        *_check_subject(evidence, start, end),
        *_check_address(statement),
        _check_meaning(said, read, evidence.farthest),
    ]
    worst: tuple[Outcome, ...] = ("unsupported", "undecided", "supported")
    return min(findings, key=lambda finding: worst.index(finding.outcome))


def state_bounds(statement: str, passage: Passage, question: str = "") -> str:
    """The statement, with “over” or “under” before each number of which the passage says so."""
    text, language, year = _unpack(passage)
    said = parse(statement, detect(f"{question} {statement}").code)
    return add_bounds(said, parse(text, language, year))


def find_unmet(question: str, language: str, article: Document) -> str | None:
    """Why an article cannot answer a question that takes for granted what it does not have; None where it may.

    A sentence in English for a log. Numbers, dates and names are compared as those of a statement are.
    """
    year = int(article.date[:4]) if article.date else None
    claim = find_unmet_claim(parse(question, language), _parse_article(article.text, article.language, year))
    return f"The article does not have {describe(claim)} that the question names." if claim else None


@lru_cache(maxsize=32)
def _parse_article(text: str, language: str, year: int | None) -> Parsed:
    return parse(text, language, year)


def find_quote(statement: str, passage: Passage | str, encoder: Encoder | None = None, question: str = "") -> Span:
    """Offsets of the sentence or two of `passage` that bear `statement`.

    A sentence that holds the statement's numbers and names is preferred to one that is merely near in meaning; a
    second one is taken only where it holds some that the first lacks.
    """
    text, language, year = _unpack(passage)
    read = parse(text, language, year)
    said = _trace_quotations(parse(statement, detect(f"{question} {statement}").code), read, encoder)
    return pick_quote(gather(said, question, read, encoder))


def find_answer(question: str, passage: Passage, encoder: Encoder) -> Span:
    """Offsets of the two neighbouring sentences of `passage` that answer `question` best; of the only one it has."""
    spans = split_sentences(passage.text, passage.language)
    asked = encoder.encode([question], "query")
    read = encoder.encode([passage.text[start:end] for start, end in spans], "passage")
    pairs = [slice(first, first + 2) for first in range(max(len(spans) - 1, 1))]
    near = [(read.vectors[pair] @ asked.vectors[0]).max() for pair in pairs]
    matched = match(asked.tokens[0], [np.concatenate(read.tokens[pair]) for pair in pairs])
    best = spans[pairs[int((matched + near).argmax())]]
    return best[0][0], best[-1][1]


def cite(statement: Statement, question: str, number: int, encoder: Encoder) -> Citation:
    """Quote the sentence or two of the statement's passage that bear the statement."""
    passage = statement.hit.passage
    return quote(passage, find_quote(statement.text, passage, encoder, question), number)


def quote(passage: Passage, span: Span, number: int) -> Citation:
    """The citation of a stretch of a passage."""
    start, end = span
    return Citation(
        number=number,
        source=passage.source,
        language=passage.language,
        script=passage.script,
        date=passage.date,
        quote=passage.text[start:end],
        start=passage.start + start,
        end=passage.start + end,
    )


def _unpack(passage: Passage | str) -> tuple[str, str, int | None]:
    """Text, language, and the year of the article if it is known."""
    if isinstance(passage, str):
        return passage, detect(passage).code, None
    return passage.text, passage.language, int(passage.date[:4]) if passage.date else None


def _trace_quotations(said: Parsed, read: Parsed, encoder: Encoder | None) -> Parsed:
    """The statement with its quotations in the words of the passage, where they are translations of them."""
    if encoder is None or said.language == read.language or not read.quotations:
        return said
    nearest = [(words, *find_nearest(words, read.quotations, encoder)) for words in said.quotations]
    return replace(said, quotations=tuple(other if near >= CLOSE else words for words, other, near in nearest))


def _check_claims(said: Parsed, asked: Parsed, read: Parsed, encoder: Encoder | None) -> Iterator[Verdict]:
    missing = [
        claim
        for claim in claims_of(said)
        if not holds(read, claim) and not (kind_of(claim) in ("name", "quotation") and holds(asked, claim))
    ]
    for claim in missing:
        outcome = _judge_missing(claim, missing, said, asked, read, encoder)
        if outcome:
            yield Verdict(outcome, f"The passage does not have {describe(claim)}.", kind_of(claim))


def _judge_missing(
    claim: Claim, missing: list[Claim], said: Parsed, asked: Parsed, read: Parsed, encoder: Encoder | None
) -> Outcome | None:
    """What it means that the passage lacks a claim; None if it may be no claim at all."""
    if isinstance(claim, Quotation):
        return "undecided" if encoder is None and said.language != read.language else "unsupported"
    if not isinstance(claim, Name):
        return "unsupported" if read.known and said.known else "undecided"
    if claim.initial:
        return "undecided" if _may_begin_with_name(claim, asked, encoder) else None
    if said.language == "de":
        # Any noun has a capital; two in a row are first name and surname.
        places = {other.start for other in missing if isinstance(other, Name)}
        ends = {other.start + len(other.text) + 1 for other in missing if isinstance(other, Name)}
        return "undecided" if claim.start in ends or claim.start + len(claim.text) + 1 in places else None
    return "unsupported" if said.known and any(char.isupper() for char in read.text) else "undecided"


def _may_begin_with_name(name: Name, asked: Parsed, encoder: Encoder | None) -> bool:
    """Whether the first word of a sentence, which has a capital anyway, may be a name.

    The vocabulary of an encoder knows a word as it is mostly written: the other way it takes more tokens.
    """
    if encoder:
        as_name, as_word = encoder.count_tokens([name.text, name.text.lower()])
        if as_word == 1 or as_word < as_name:
            return False
        if as_name < as_word and asked.language != "de":
            return True
    lexicon = load_lexicon(asked.language)
    words = split_words(asked.text, asked.language)
    return lexicon is not None and any(word.form in lexicon.who for word in words)


def _check_bounds(said: Parsed, asked: Parsed, read: Parsed) -> Iterator[Verdict]:
    for number, bound in find_exact(said, read):
        if not holds(asked, number):
            yield Verdict("unsupported", f"In the passage it is {bound} than {describe(number)}.", "number")


def _check_counted(said: Parsed, read: Parsed, encoder: Encoder) -> Iterator[Verdict]:
    """Find numbers that the passage has, of something else: 10,000 engineers where it has soldiers."""
    counted = {
        number: found for number in read.facts.quantities if not number.unit and (found := _find_counted(read, number))
    }
    for claim in claims_of(said):
        if not isinstance(claim, Quantity) or claim.unit or len(counted) < 2:
            continue
        noun, equal = _find_counted(said, claim), [bool(number.values & claim.values) for number in counted]
        if not noun or not any(equal):
            continue
        near = encoder.encode(list(counted.values()), "passage").vectors @ encoder.encode([noun], "query").vectors[0]
        if near.max() > near[equal].max() + NEARER:
            yield Verdict("unsupported", f"The passage has {describe(claim)} of something else.", "number")


def _find_counted(text: Parsed, number: Quantity) -> str:
    """Up to three words after a number."""
    found = _COUNTED.match(text.text, number.end)
    return found[1].strip() if found and found[1] else ""


def _check_negation(
    said: Parsed, asked: Parsed, quote: str, language: str, encoder: Encoder | None
) -> Iterator[Verdict]:
    says, bears = polarity_of(said.text, said.language), polarity_of(quote, language)
    if not says or not bears or not (says.denied or bears.denied):
        return
    asks = polarity_of(asked.text, asked.language)
    if asks and asks.denied:
        # `The radar` is a whole answer to what did not work.
        return
    # A long sentence may deny one thing and affirm another: the nearer of its clauses tell which of them is meant.
    lead = _compare_clauses(said.text, quote, language, encoder) if bears.denied else -1.0
    if lead > -SAME_CLAUSE if says.denied else lead < -OTHER_CLAUSE:
        return
    # `Refuse` denies without a negation, and without an encoder the quote is a guess.
    contrary = not bears.denied if says.denied else lead > CONTRARY
    decided = encoder is not None and says.weak == bears.weak and contrary
    denying, affirming = ("statement", "passage") if says.denied else ("passage", "statement")
    yield Verdict(
        "unsupported" if decided else "undecided", f"The {denying} denies what the {affirming} affirms.", "negation"
    )


def _compare_clauses(statement: str, sentence: str, language: str, encoder: Encoder | None) -> float:
    """By how much a clause that denies is nearer to the statement than any that affirms."""
    denies: list[str] = []
    affirms: list[str] = []
    for clause in split_clauses(sentence):
        polarity = polarity_of(clause, language)
        (denies if polarity and polarity.denied else affirms).append(clause)
    if encoder is None or not denies or not affirms:
        return 0.0 if encoder is None else 1.0 if denies else -1.0
    (said,) = encoder.encode([statement], "query").vectors
    near = [float((encoder.encode(clauses, "passage").vectors @ said).max()) for clauses in (denies, affirms)]
    return near[0] - near[1]


def _check_direction(said: Parsed, quote: str, language: str) -> Iterator[Verdict]:
    if is_mutual(said.text):
        return
    actors, others = find_actors(said.text, said.language), find_actors(quote, language)
    for agent, other in permutations(actors, 2):
        if (agent.role, other.role) != ("agent", "other") or _roles_of(other, others) != {"agent"}:
            continue
        roles = _roles_of(agent, others)
        if roles and "agent" not in roles:
            yield Verdict(
                "unsupported" if roles == {"other"} else "undecided",
                f"In the passage {other.name} acts, not {agent.name}.",
                "direction",
            )


def _check_ways(said: Parsed, quote: str, language: str) -> Iterator[Verdict]:
    """Find who comes where the passage has them go, or goes where it has them come from."""
    places = find_ways(quote, language)
    for place in find_ways(said.text, said.language):
        found = {other.way for other in places if _is_same(place, other)}
        if found and place.way not in found:
            asserted, read = ("from", "to") if place.way == "from" else ("to", "from")
            yield Verdict("unsupported", f"In the passage it is {read} {place.name}, not {asserted} it.", "direction")


def _check_subject(evidence: Evidence, start: int, end: int) -> Iterator[Verdict]:
    """Find what the passage says beside the question: so speaks a sentence that was planted to be repeated."""
    bearing = [place for place, span in enumerate(evidence.spans) if start <= span[0] and span[1] <= end]
    if evidence.asked.max() > evidence.asked[bearing].max() + ASIDE:
        yield Verdict("undecided", "The passage says it where it does not speak of what was asked.", None)


def _check_address(statement: str) -> Iterator[Verdict]:
    if _ADDRESS.search(statement):
        yield Verdict("undecided", "It holds an address, which the article may have planted.", None)


def _roles_of(actor: Actor, others: list[Actor]) -> set[Role | None]:
    return {other.role for other in others if _is_same(actor, other)}


def _is_same(one: Actor | Place, other: Actor | Place) -> bool:
    if one.is_country or other.is_country:
        return one.is_country == other.is_country and one.name == other.name
    return same_name(one.name, other.name)


def _check_meaning(said: Parsed, read: Parsed, farthest: float | None) -> Verdict:
    if farthest is None:
        held = next((claim for claim in claims_of(said) if holds(read, claim)), None)
        if held:
            return Verdict("supported", f"The passage has {describe(held)}, and nothing speaks against it.", None)
        return Verdict("undecided", "There is no number, date or name to compare.", None)
    if farthest < CLOSE:
        return Verdict("unsupported", f"Some of it is far from the passage: {farthest:.2f}.", "meaning")
    return Verdict("supported", f"The facts agree, and all of it is near to the passage: {farthest:.2f}.", None)
