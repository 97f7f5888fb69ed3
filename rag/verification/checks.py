"""Check a statement against its passage: facts, negation, who acts, and meaning."""

import re
from collections.abc import Iterator
from itertools import permutations

from rag.protocols import Encoder
from rag.text.lexicon import load_lexicon, split_words
from rag.text.names import Name, same_name
from rag.verification.bounds import find_exact
from rag.verification.claims import Claim, Parsed, Quotation, classify, describe, holds, list_claims, name_entity
from rag.verification.directions import Endpoint, find_ways
from rag.verification.evidence import SentenceEvidence, pick_quote, split_clauses
from rag.verification.facts import Quantity
from rag.verification.polarity import find_polarity
from rag.verification.roles import Actor, Role, find_actors, find_adjectives, is_mutual
from rag.verification.verdict import Outcome, Verdict

WITHOUT_ENCODER = (0.5, 0.5, 0.5)
"""Limits of a lead between clauses without an encoder, when the lead is -1, 0 or 1."""
_ADDRESS = re.compile(r"\w://|\bwww\.|\]\(")
_COUNTED = re.compile(r"[\s.-]*((?:[^\W\d_][\w-]*\s*){1,3})")


def check(
    said: Parsed, asked: Parsed, read: Parsed, evidence: SentenceEvidence, encoder: Encoder | None
) -> Iterator[Verdict]:
    """Yield the verdict of every check that reaches one; at least one is reached."""
    start, end = pick_quote(evidence)
    quote = read.text[start:end]
    yield from _check_claims(said, asked, read, encoder)
    yield from _check_bounds(said, asked, read)
    if encoder:
        yield from _check_counted(said, read, encoder)
    yield from _check_negation(said, asked, quote, read.language, encoder)
    yield from _check_direction(said, quote, read.language)
    yield from _check_ways(said, quote, read.language)
    if encoder:
        yield from _check_subject(evidence, start, end, encoder.settings.aside)
    yield from _check_address(said.text)
    yield _check_meaning(said, read, evidence.farthest, encoder.settings.close if encoder else 0.0)


def _check_claims(said: Parsed, asked: Parsed, read: Parsed, encoder: Encoder | None) -> Iterator[Verdict]:
    missing = [
        claim
        for claim in list_claims(said)
        if not holds(read, claim) and not (classify(claim) in ("name", "quotation") and holds(asked, claim))
    ]
    for claim in missing:
        outcome = _judge_missing(claim, missing, said, asked, read, encoder)
        if outcome:
            yield Verdict(outcome, f"The passage does not mention {describe(claim)}.", classify(claim))


def _judge_missing(
    claim: Claim, missing: list[Claim], said: Parsed, asked: Parsed, read: Parsed, encoder: Encoder | None
) -> Outcome | None:
    """Return what it means that the passage lacks a claim; None if the words may be no claim at all."""
    if isinstance(claim, Quotation):
        return "undecided" if encoder is None and said.language != read.language else "unsupported"
    if not isinstance(claim, Name):
        return "unsupported" if read.known and said.known else "undecided"
    if claim.initial:
        return "undecided" if _may_begin_with_name(claim, asked, encoder) else None
    if _has_capital_nouns(said.language):
        # Only two words in a row are a name: first name and surname.
        places = {other.start for other in missing if isinstance(other, Name)}
        ends = {other.start + len(other.text) + 1 for other in missing if isinstance(other, Name)}
        return "undecided" if claim.start in ends or claim.start + len(claim.text) + 1 in places else None
    return "unsupported" if said.known and any(char.isupper() for char in read.text) else "undecided"


def _may_begin_with_name(name: Name, asked: Parsed, encoder: Encoder | None) -> bool:
    """Return whether the first word of a sentence, which has a capital anyway, may be a name.

    An encoder's vocabulary has a word the way it is mostly written. Written the other way it takes more tokens.
    """
    if encoder:
        as_name, as_word = encoder.count_tokens([name.text, name.text.lower()])
        if as_word == 1 or as_word < as_name:
            return False
        if as_name < as_word and not _has_capital_nouns(asked.language):
            return True
    lexicon = load_lexicon(asked.language)
    words = split_words(asked.text, asked.language)
    return lexicon is not None and any(word.form in lexicon.who for word in words)


def _has_capital_nouns(language: str) -> bool:
    lexicon = load_lexicon(language)
    return lexicon is not None and lexicon.capital_nouns


def _check_bounds(said: Parsed, asked: Parsed, read: Parsed) -> Iterator[Verdict]:
    for number, bound in find_exact(said, read):
        if not holds(asked, number):
            reason = f"The statement gives {describe(number)} as exact. The passage says {bound} than that."
            yield Verdict("unsupported", reason, "number")


def _check_counted(said: Parsed, read: Parsed, encoder: Encoder) -> Iterator[Verdict]:
    """Find numbers that count something else in the passage: 10,000 engineers where it has soldiers."""
    counted = {
        number: found for number in read.facts.quantities if not number.unit and (found := _find_counted(read, number))
    }
    for claim in list_claims(said):
        if not isinstance(claim, Quantity) or claim.unit or len(counted) < 2:
            continue
        noun, equal = _find_counted(said, claim), [bool(number.values & claim.values) for number in counted]
        if not noun or not any(equal):
            continue
        near = encoder.encode(list(counted.values()), "passage").vectors @ encoder.encode([noun], "query").vectors[0]
        if near.max() > near[equal].max() + encoder.settings.nearer:
            yield Verdict("unsupported", f"In the passage {describe(claim)} counts something else.", "number")


def _find_counted(text: Parsed, number: Quantity) -> str:
    """Return up to three words after a number."""
    found = _COUNTED.match(text.text, number.end)
    return found[1].strip() if found and found[1] else ""


def _check_negation(
    said: Parsed, asked: Parsed, quote: str, language: str, encoder: Encoder | None
) -> Iterator[Verdict]:
    says, bears = find_polarity(said.text, said.language), find_polarity(quote, language)
    if not says or not bears or not (says.denied or bears.denied):
        return
    asks = find_polarity(asked.text, asked.language)
    if asks and asks.denied:
        # `The radar` is a complete answer to `What did not work?`.
        return
    # A long sentence may deny one thing and affirm another. The nearest of its clauses tells which one is meant.
    lead = _compare_clauses(said.text, quote, language, encoder) if bears.denied else -1.0
    settings = encoder.settings if encoder else None
    limits = (settings.same_clause, settings.other_clause, settings.contrary) if settings else WITHOUT_ENCODER
    same, other, contrary_lead = limits
    if lead > -same if says.denied else lead < -other:
        return
    # `Refuse` denies without a negation. Without an encoder the quote is a guess.
    contrary = not bears.denied if says.denied else lead > contrary_lead
    decided = encoder is not None and says.weak == bears.weak and contrary
    denying, affirming = ("statement", "passage") if says.denied else ("passage", "statement")
    yield Verdict(
        "unsupported" if decided else "undecided", f"The {denying} denies what the {affirming} affirms.", "negation"
    )


def _compare_clauses(statement: str, sentence: str, language: str, encoder: Encoder | None) -> float:
    """Return by how much the nearest denying clause is nearer to the statement than the nearest affirming one."""
    denies: list[str] = []
    affirms: list[str] = []
    for clause in split_clauses(sentence, language):
        polarity = find_polarity(clause, language)
        (denies if polarity and polarity.denied else affirms).append(clause)
    if encoder is None or not denies or not affirms:
        return 0.0 if encoder is None else 1.0 if denies else -1.0
    (said,) = encoder.encode([statement], "query").vectors
    near = [float((encoder.encode(clauses, "passage").vectors @ said).max()) for clauses in (denies, affirms)]
    return near[0] - near[1]


def _check_direction(said: Parsed, quote: str, language: str) -> Iterator[Verdict]:
    if is_mutual(said.text, said.language):
        return
    actors, others = find_actors(said.text, said.language), find_actors(quote, language)
    for agent, other in permutations(actors, 2):
        if (agent.role, other.role) != ("agent", "other") or _roles_of(other, others) != {"agent"}:
            continue
        roles = _roles_of(agent, others)
        if roles and "agent" not in roles:
            yield Verdict(
                "unsupported" if roles == {"other"} else "undecided",
                f"In the passage {_show(other)} acts, not {_show(agent)}.",
                "direction",
            )


def _check_ways(said: Parsed, quote: str, language: str) -> Iterator[Verdict]:
    """Find those who come from where they go in the passage, or go to where they come from."""
    places = find_ways(quote, language)
    for place in find_ways(said.text, said.language):
        found = {other.way for other in places if _is_same(place, other)}
        if found and place.way not in found:
            asserted, read = ("from", "to") if place.way == "from" else ("to", "from")
            reason = f"The passage says {read} {_show(place)}, not {asserted} there."
            yield Verdict("unsupported", reason, "direction")
        elif place.is_country and place.way == "to" and place.name in find_adjectives(quote, language):
            yield Verdict("undecided", f"The passage has {_show(place)} only as a description.", "direction")


def _check_subject(evidence: SentenceEvidence, start: int, end: int, aside: float) -> Iterator[Verdict]:
    """Find words of the passage that are not about the question, as those planted to be repeated mostly are not."""
    bearing = [place for place, span in enumerate(evidence.spans) if start <= span[0] and span[1] <= end]
    if evidence.asked.max() > evidence.asked[bearing].max() + aside:
        yield Verdict("undecided", "The words are in a part of the passage that is not about the question.", None)


def _check_address(statement: str) -> Iterator[Verdict]:
    if _ADDRESS.search(statement):
        yield Verdict("undecided", "The statement contains a web address, which the article may have planted.", None)


def _roles_of(actor: Actor, others: list[Actor]) -> set[Role | None]:
    return {other.role for other in others if _is_same(actor, other)}


def _show(one: Actor | Endpoint) -> str:
    return name_entity(one.name) if one.is_country else one.name


def _is_same(one: Actor | Endpoint, other: Actor | Endpoint) -> bool:
    if one.is_country or other.is_country:
        return one.is_country == other.is_country and one.name == other.name
    return same_name(one.name, other.name)


def _check_meaning(said: Parsed, read: Parsed, farthest: float | None, least: float) -> Verdict:
    if farthest is None:
        held = next((claim for claim in list_claims(said) if holds(read, claim)), None)
        if held:
            return Verdict(
                "supported", f"The passage mentions {describe(held)}, and nothing contradicts the statement.", None
            )
        return Verdict("undecided", "There is no number, date or name to compare.", None)
    if farthest < least:
        return Verdict(
            "unsupported", f"Part of the statement is far in meaning from the passage: {farthest:.2f}.", "meaning"
        )
    return Verdict(
        "supported",
        f"The facts agree, and the whole statement is near in meaning to the passage: {farthest:.2f}.",
        None,
    )
