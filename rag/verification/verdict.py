"""The verdict on a statement: whether its passage supports it, and why."""

from dataclasses import dataclass
from typing import Literal

from rag.verification.claims import Kind

Outcome = Literal["supported", "unsupported", "undecided"]
WORST: tuple[Outcome, ...] = ("unsupported", "undecided", "supported")
"""Outcomes from the worst to the best. The worst of several counts."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome of checking a statement against a passage, with the reason."""

    outcome: Outcome
    reason: str
    """An English sentence for a log."""
    kind: Kind | None
    """The kind of claim that failed, or None."""
