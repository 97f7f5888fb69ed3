"""Which generators judge, and how far each is believed: measured before it was shipped, or here by `calibrating.py`.

judges.toml                                  those that are shipped
<cache>/judges/<generator>-<digest>.toml     what was measured of one generator here
"""

import hashlib
import json
import logging
import re
import tomllib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from rag.config import Config
from rag.errors import ModelError
from rag.protocols import Generator
from rag.text.language import name_of
from rag.text.prompts import Prompts

logger = logging.getLogger(__name__)

SHIPPED = Path(__file__).with_name("judges.toml")
CASES = Path(__file__).parent / "data" / "reports.jsonl"
"""What a generator is asked to find out."""
AGREEMENT = 2.0
"""What it is worth, in odds, that retrieval put the same passage first: the two err on different questions."""
NAME_CHARS = 60
"""Of a generator's name, in that of a file."""


@dataclass(frozen=True, slots=True)
class Judge:
    """How far a generator is to be believed; evaluation/README.md has the figures."""

    weight: float
    """What a unit of retrieval's score is worth in odds."""
    least: float
    """The evidence from which on a passage is believed to hold the answer."""
    speaks: tuple[str, ...]
    """Languages, by ISO 639-1, in which it says more right than wrong; in others the article itself is quoted."""

    def weigh(self, odds: Sequence[float], scores: Sequence[float]) -> list[float]:
        """The evidence that each of some passages, at least one, holds the answer."""
        evidence = [of_one + self.weight * score for of_one, score in zip(odds, scores, strict=True)]
        best = evidence.index(max(evidence))
        if scores[best] == max(scores):
            evidence[best] += AGREEMENT
        return evidence

    def __str__(self) -> str:
        languages = ", ".join(name_of(language, "en") for language in self.speaks)
        return f"judges passages; its own words are shown {f'in {languages} alone' if languages else 'in no language'}"


@dataclass(frozen=True, slots=True)
class Calibration:
    """What came of asking a generator questions of which the right passage is known."""

    questions: int
    alone: int
    """Questions for which retrieval alone puts the right passage first."""
    judged: int
    """Those for which the generator's odds and retrieval do together."""
    judge: Judge | None
    """None where that is no better."""

    def __str__(self) -> str:
        found = f"right passage first for {self.judged} of {self.questions} questions, by retrieval alone {self.alone}"
        return f"{self.judge or 'does not judge passages, so it is not asked: articles are quoted'} ({found})"


def find_judge(generator: Generator, config: Config, prompts: Prompts) -> Judge | None:
    """How a generator is used as a judge; None for one that is no better than retrieval alone, or not known.

    Raises ModelError when it cannot be told which one it is.
    """
    if shipped := find_shipped(generator.name):
        return shipped
    calibration = recall(locate(generator, config, prompts))
    return calibration.judge if calibration else None


def find_shipped(name: str) -> Judge | None:
    """The judge of that name that was measured before it was shipped."""
    return _load_shipped().get(name)


def locate(generator: Generator, config: Config, prompts: Prompts) -> Path:
    """The file of what was measured of a generator here, if it was. Raises ModelError as `identify` does.

    Another model, encoder, prompt or set of cases has another file.
    """
    facts = (generator.identify(), config.encoder, sorted(prompts.templates.items()), _checksum_cases())
    digest = hashlib.sha256(repr(facts).encode()).hexdigest()
    name = re.sub(r"[^\w.-]+", "-", generator.name, flags=re.ASCII)[-NAME_CHARS:]
    return config.cache / "judges" / f"{name}-{digest[:16]}.toml"


def recall(file: Path) -> Calibration | None:
    """What was kept in `file`; None if nothing was, or nothing that can be read."""
    try:
        kept = tomllib.loads(file.read_text(encoding="utf-8"))
        judge = _judge(kept["judge"]) if "judge" in kept else None
        return Calibration(int(kept["questions"]), int(kept["alone"]), int(kept["judged"]), judge)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        logger.warning("%s cannot be used (%s); the generator counts as not calibrated.", file, error)
        return None


def keep(calibration: Calibration, file: Path) -> None:
    """Write it to `file`, whole or not at all. Raises ModelError when the disk refuses."""
    lines = [f"{name} = {getattr(calibration, name)}" for name in ("questions", "alone", "judged")]
    if judge := calibration.judge:
        lines += ["", "[judge]", f"weight = {judge.weight}", f"least = {judge.least}"]
        lines.append(f"speaks = {json.dumps(judge.speaks)}")
    draft = file.with_name(f".{uuid.uuid4().hex}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        draft.write_text("\n".join(lines) + "\n", encoding="utf-8")
        draft.replace(file)
    except OSError as error:
        raise ModelError(
            f"{file} cannot be written: {error.strerror or error}. Free it, or set RAG_CACHE to a folder elsewhere."
        ) from error


@cache
def _load_shipped() -> dict[str, Judge]:
    known = tomllib.loads(SHIPPED.read_text(encoding="utf-8"))
    return {name: _judge(rule) for name, rule in known.items()}


def _judge(rule: dict[str, Any]) -> Judge:
    return Judge(float(rule["weight"]), float(rule["least"]), tuple(rule["speaks"]))


@cache
def _checksum_cases() -> str:
    return hashlib.sha256(CASES.read_bytes()).hexdigest()
