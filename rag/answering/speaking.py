"""Question and hit to a statement: the generator reads one passage at a time."""

import re

from rag.protocols import Generator
from rag.text.language import Language, name_of
from rag.text.prompts import Prompts
from rag.types import Hit, Reply

BISCRIPTAL = {"sr", "bs", "uz", "az", "kk"}
"""Languages of which the generator must be told the script."""
SCRIPTS = {"Latn": "Latin", "Cyrl": "Cyrillic", "Arab": "Arabic"}
MARKER = re.compile(r"\s*\[\d+\]")


def read(
    question: str, language: Language, hit: Hit, generator: Generator, prompts: Prompts, max_tokens: int,
    insist: bool = False,
) -> Reply:  # fmt: skip
    """Stream what the generator says to the question after reading the hit's passage.

    The reply is asked for in `language`, with `insist` once more and plainly. The passage comes first and the question
    last, so what the generator computes for a passage serves every question. Closing the stream stops the generator.
    Raises GenerationError.
    """
    prefix = prompts.fill("excerpt", passage=hit.passage.text)
    suffix = prompts.fill("insist" if insist else "question", question=question, language=_name(language))
    return generator.generate(prefix, suffix, max_tokens, stop=("\n",))


def _name(language: Language) -> str:
    name = name_of(language.code, "en")
    return f"{name} ({SCRIPTS.get(language.script, language.script)} script)" if language.code in BISCRIPTAL else name


def clean(reply: str) -> str:
    """The reply as a statement on one line: markers that the generator wrote itself are no citations of ours."""
    while (cleaned := MARKER.sub("", reply)) != reply:
        # What stood around a marker may be one itself: `[[1]2]`.
        reply = cleaned
    return " ".join(reply.split())
