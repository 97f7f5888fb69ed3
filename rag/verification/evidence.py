"""Compare each sentence of a passage with a statement, by the facts in it and by meaning."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from rag.encoding.matching import measure_farthest
from rag.protocols import Encoder
from rag.text.invisible import drop_hidden
from rag.text.lexicon import load_lexicon
from rag.text.sentences import Span, split_sentences
from rag.types import Vectors
from rag.verification.claims import Parsed, holds, list_claims, parse
from rag.verification.directions import PAUSE

SECOND = 0.4
"""Share of the facts, by weight, that a second sentence must add to be quoted too."""


@dataclass(frozen=True, slots=True)
class SentenceEvidence:
    """The sentences of a passage, compared with a statement."""

    spans: tuple[Span, ...]
    held: Vectors
    """Weight of each fact of the statement in each sentence that contains it; shape `(sentences, facts)`."""
    near: Vectors
    """Cosine of each sentence with question and statement together, or zeros without an encoder; `(sentences,)`."""
    asked: Vectors
    """Cosine of each sentence with the question, or zeros without an encoder or a question; shape `(sentences,)`."""
    facts: float
    """The gain in cosine of a sentence that contains all facts of the statement."""
    farthest: float | None
    """Mean of the lowest quarter of the best cosines of the statement's tokens, or None without an encoder."""


def gather(said: Parsed, question: str, read: Parsed, encoder: Encoder | None) -> SentenceEvidence:
    """Split the passage into sentences and compare each with the statement."""
    spans = tuple(split_sentences(read.text, read.language)) or ((0, len(read.text)),)
    near = alone = np.zeros(len(spans), np.float32)
    farthest = None
    if encoder:
        # A short statement is understood only together with its question.
        asked = encoder.encode([f"{question} {said.text}".strip(), question], "query")
        sentences = encoder.encode([drop_hidden(read.text[start:end]) for start, end in spans], "passage")
        near = sentences.vectors @ asked.vectors[0]
        alone = sentences.vectors @ asked.vectors[1] if question else alone
        own = asked.tokens[0][-max(1, encoder.count_tokens([said.text])[0]) :]
        farthest = measure_farthest(own, sentences.tokens)
    facts = encoder.settings.facts if encoder else 1.0
    return SentenceEvidence(spans, _weigh_facts(said, read, spans), near, alone, facts, farthest)


def pick_quote(evidence: SentenceEvidence) -> Span:
    """Return the offsets of the sentence that supports the statement best.

    A neighbouring sentence is included if it contains facts that this sentence lacks.
    """
    spans, held = evidence.spans, evidence.held
    best = int((evidence.near + evidence.facts * held.sum(axis=1)).argmax())
    beside = [place for place in (best - 1, best + 1) if 0 <= place < len(spans)]
    added = {place: float((held[place] - held[best]).clip(0).sum()) for place in beside}
    other = max(beside, key=added.__getitem__, default=best)
    if added.get(other, 0.0) <= SECOND:
        return spans[best]
    return spans[min(best, other)][0], spans[max(best, other)][1]


def split_clauses(sentence: str, language: str) -> list[str]:
    """Split a sentence roughly into clauses of two words or more; at least one is returned."""
    return [clause for clause in _compile_clause(language).split(sentence) if len(clause.split()) > 1] or [sentence]


@cache
def _compile_clause(language: str) -> re.Pattern[str]:
    lexicon = load_lexicon(language)
    words = "|".join(map(re.escape, lexicon.conjunctions if lexicon else ()))
    return re.compile(rf"{PAUSE.pattern}|\s(?:{words})\s" if words else PAUSE.pattern)


def _weigh_facts(said: Parsed, read: Parsed, spans: Sequence[Span]) -> Vectors:
    """Return `SentenceEvidence.held`. A fact in several sentences weighs less; the weights sum to at most one."""
    claims = [claim for claim in list_claims(said) if holds(read, claim)]
    sentences = [parse(read.text[start:end], read.language, read.year) for start, end in spans]
    held = np.array([[holds(sentence, claim) for claim in claims] for sentence in sentences], dtype=np.float32)
    held = held.reshape(len(spans), len(claims))
    weights = 1 / np.maximum(held.sum(axis=0), 1)
    return np.asarray(held * weights / max(float(weights.sum()), 1.0), dtype=np.float32)
