"""A passage beside a statement, sentence by sentence: which facts each sentence holds, and how near it is."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rag.encoding.matching import measure_farthest
from rag.protocols import Encoder
from rag.text.sentences import Span, split_sentences
from rag.types import Vectors
from rag.verification.claims import Parsed, claims_of, holds, parse

FACTS = 0.1
"""What holding all facts of a statement is worth to a sentence, beside its cosine; chosen on the development half."""
SECOND = 0.4
"""Share of the facts, by weight, that a second sentence must add to be quoted too."""

_CLAUSE = re.compile(
    r"[,;:–—()\"“”„«»]|\s(?:a|ale|ja|aga|kuid|i|lecz|и|али|но|και|αλλά|und|aber|and|but|et|mais|y|pero)\s"
)


@dataclass(frozen=True, slots=True)
class SentenceEvidence:
    """What the sentences of a passage say to a statement."""

    spans: tuple[Span, ...]
    held: Vectors
    """Of shape `(sentences, facts)`: the weight of each fact that the passage holds, in the sentences that do."""
    near: Vectors
    """Of shape `(sentences,)`: cosine with question and statement; zero without an encoder."""
    asked: Vectors
    """Of shape `(sentences,)`: cosine with the question alone; zero without an encoder or a question."""
    farthest: float | None
    """Mean of the lowest quarter of the best cosines of the statement's tokens; None without an encoder."""


def gather(said: Parsed, question: str, read: Parsed, encoder: Encoder | None) -> SentenceEvidence:
    """Split the passage into sentences and compare each with the statement."""
    spans = tuple(split_sentences(read.text, read.language)) or ((0, len(read.text)),)
    near = alone = np.zeros(len(spans), np.float32)
    farthest = None
    if encoder:
        # A short statement is understood only together with what was asked.
        asked = encoder.encode([f"{question} {said.text}".strip(), question], "query")
        sentences = encoder.encode([read.text[start:end] for start, end in spans], "passage")
        near = sentences.vectors @ asked.vectors[0]
        alone = sentences.vectors @ asked.vectors[1] if question else alone
        own = asked.tokens[0][-max(1, encoder.count_tokens([said.text])[0]) :]
        farthest = measure_farthest(own, sentences.tokens)
    return SentenceEvidence(spans, _weigh_facts(said, read, spans), near, alone, farthest)


def pick_quote(evidence: SentenceEvidence) -> Span:
    """Offsets of the sentence that bears the statement, with a neighbour that holds facts which it lacks."""
    spans, held = evidence.spans, evidence.held
    best = int((evidence.near + FACTS * held.sum(axis=1)).argmax())
    beside = [place for place in (best - 1, best + 1) if 0 <= place < len(spans)]
    added = {place: float((held[place] - held[best]).clip(0).sum()) for place in beside}
    other = max(beside, key=added.__getitem__, default=best)
    if added.get(other, 0.0) <= SECOND:
        return spans[best]
    return spans[min(best, other)][0], spans[max(best, other)][1]


def split_clauses(sentence: str) -> list[str]:
    """The clauses of a sentence, about; never none."""
    return [clause for clause in _CLAUSE.split(sentence) if len(clause.split()) > 1] or [sentence]


def _weigh_facts(said: Parsed, read: Parsed, spans: Sequence[Span]) -> Vectors:
    """Weights that sum to one at most; a fact in one sentence tells more of it than one in many."""
    claims = [claim for claim in claims_of(said) if holds(read, claim)]
    sentences = [parse(read.text[start:end], read.language, read.year) for start, end in spans]
    held = np.array([[holds(sentence, claim) for claim in claims] for sentence in sentences], dtype=np.float32)
    held = held.reshape(len(spans), len(claims))
    weights = 1 / np.maximum(held.sum(axis=0), 1)
    return np.asarray(held * weights / max(float(weights.sum()), 1.0), dtype=np.float32)
