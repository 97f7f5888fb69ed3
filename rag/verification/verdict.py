"""What each check says of a statement beside its passage: facts first, then negation, who acts, and the meaning."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import permutations
from typing import Literal

from rag.protocols import Encoder
from rag.text.lexicon import load_lexicon, split_words
from rag.text.names import Name, same_name
from rag.verification.bounds import find_exact
from rag.verification.claims import Claim, Kind, Parsed, Quotation, claims_of, describe, holds, kind_of
from rag.verification.directions import Place, find_ways
from rag.verification.evidence import SentenceEvidence, pick_quote, split_clauses
from rag.verification.facts import Quantity
from rag.verification.polarity import polarity_of
from rag.verification.roles import Actor, Role, find_actors, find_adjectives, is_mutual

Outcome = Literal["supported", "unsupported", "undecided"]
WORST: tuple[Outcome, ...] = ("unsupported", "undecided", "supported")
"""Of several outcomes the first of these counts."""

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


def check(
    said: Parsed, asked: Parsed, read: Parsed, evidence: SentenceEvidence, encoder: Encoder | None
) -> Iterator[Verdict]:
    """The verdict of every check that has one to give; at least one."""
    start, end = pick_quote(evidence)
    quote = read.text[start:end]
    yield from _check_claims(said, asked, read, encoder)
    yield from _check_bounds(said, asked, read)
    if encoder:
        yield from _check_counted(said, read, encoder)
    yield from _check_negation(said, asked, quote, read.language, encoder)
    yield from _check_direction(said, quote, read.language)
    yield from _check_ways(said, quote, read.language)
    yield from _check_subject(evidence, start, end)
    yield from _check_address(said.text)
    yield _check_meaning(said, read, evidence.farthest)


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
        elif place.is_country and place.way == "to" and place.name in find_adjectives(quote, language):
            yield Verdict("undecided", f"In the passage {place.name} describes somebody or something.", "direction")


def _check_subject(evidence: SentenceEvidence, start: int, end: int) -> Iterator[Verdict]:
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
