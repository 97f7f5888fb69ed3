"""Steps that are done once: again only when their key has changed or when something that they left is gone."""

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
    """Something to be done once."""

    name: str
    news: str
    """Said before it is done: what, how large, how long."""
    key: str
    """The step is done again when this changes."""
    run: Callable[[], Sequence[Path]]
    """Do it, and return what must exist as long as it counts as done."""


def carry_out(steps: Sequence[Step], ledger: Path) -> None:
    """Do those steps that `ledger` does not know as done, in order, recording each."""
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
