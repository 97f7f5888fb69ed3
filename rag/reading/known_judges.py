"""Find out which generators are used as judges: those measured before they were shipped, or calibrated here.

rag/models/tables/<generator>.toml           the shipped ones
<cache>/judges/<generator>-<digest>.toml     the calibration of one generator on this machine
"""

import hashlib
import json
import logging
import re
import uuid
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from rag.config import Config
from rag.errors import ModelError
from rag.models.settings import find_table
from rag.protocols import Generator
from rag.reading.judge import Judge
from rag.text.prompts import Prompts
from rag.text.records import read_record

logger = logging.getLogger(__name__)

CASES = Path(__file__).parent / "data" / "reports.jsonl"
"""The reports and questions of a calibration."""
NAME_CHARS = 60
"""Most characters of a generator's name in a file name."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """The result of asking a generator questions of which the right passage is known."""

    questions: int
    alone: int
    """Number of questions for which retrieval alone puts the right passage first."""
    judged: int
    """Number of questions for which the generator's odds together with retrieval do."""
    judge: Judge | None = None
    """None if the generator is no better than retrieval alone."""

    def __str__(self) -> str:
        result = self.judge or "does not judge passages well enough, so it is not asked and articles are quoted"
        found = f"right passage first for {self.judged} of {self.questions} questions, by retrieval alone {self.alone}"
        return f"{result} ({found})"


def find_judge(generator: Generator, config: Config, prompts: Prompts) -> Judge | None:
    """Return how a generator is used as a judge; None if it was not measured, or is no better than retrieval alone.

    Raises ModelError if it cannot be told which model the generator is.
    """
    if shipped := find_shipped(generator.name):
        return shipped
    calibration = read_calibration(locate_calibration(generator, config, prompts))
    return calibration.judge if calibration else None


def find_shipped(name: str) -> Judge | None:
    """Return the shipped judge of that name, or None."""
    table = find_table(name)
    return read_record(Judge, table) if table else None


def locate_calibration(generator: Generator, config: Config, prompts: Prompts) -> Path:
    """Return the file for the calibration of a generator, whether it exists or not.

    It is a different file for another model, encoder, prompt or set of cases. Raises ModelError as `identify` does.
    """
    facts = (generator.identify(), config.encoder, sorted(prompts.templates.items()), _checksum_cases())
    digest = hashlib.sha256(repr(facts).encode()).hexdigest()
    name = re.sub(r"[^\w.-]+", "-", generator.name, flags=re.ASCII)[-NAME_CHARS:]
    return config.cache / "judges" / f"{name}-{digest[:16]}.toml"


def read_calibration(file: Path) -> Calibration | None:
    """Return the calibration in `file`; None if the file does not exist or cannot be used, which is logged."""
    try:
        return read_record(Calibration, file)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        logger.warning("%s cannot be used (%s); the generator is treated as not calibrated.", file, error)
        return None


def write_calibration(calibration: Calibration, file: Path) -> None:
    """Write the calibration to `file`, whole or not at all. Raises ModelError if that fails."""
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
            f"{file} cannot be written: {error.strerror or error}. Free the disk or correct its permissions, "
            "or set RAG_CACHE to another folder."
        ) from error


@cache
def _checksum_cases() -> str:
    return hashlib.sha256(CASES.read_bytes()).hexdigest()
