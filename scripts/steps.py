"""Run steps once, and again only if their key has changed or something that they made is missing."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from processes import say

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


@dataclass(frozen=True)
class Step:
    """A step of the set-up."""

    name: str
    news: str
    """Printed before the step runs: what it does, how large it is, how long it takes."""
    key: str
    """The step runs again when this changes."""
    run: Callable[[], Sequence[Path]]
    """Run the step and return the paths that must exist for it to count as done."""


def carry_out(steps: Sequence[Step], ledger: Path) -> None:
    """Run the steps that `ledger` does not record as done, in order, and record each."""
    done = _read_ledger(ledger)
    for step in steps:
        known = done.get(step.name, {})
        if known.get("key") == step.key and all(Path(path).exists() for path in known["leaves"]):
            continue
        say(step.news)
        leaves = step.run()
        done[step.name] = {"key": step.key, "leaves": [str(path) for path in leaves]}
        draft = ledger.with_suffix(".new")
        draft.write_text(json.dumps(done, indent=1), encoding="utf-8")
        draft.replace(ledger)


def _read_ledger(ledger: Path) -> dict[str, dict[str, Any]]:
    try:
        return dict(json.loads(ledger.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return {}
