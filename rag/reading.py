"""Question and hit to a statement: the generator reads one passage at a time."""

import re
from collections.abc import Iterator

from rag.prompts import Prompts
from rag.types import Generator, Hit

MARKER = re.compile(r"\s*\[\d+\]")


def read(
    question: str, language: str, hit: Hit, generator: Generator, prompts: Prompts, max_tokens: int
) -> Iterator[str]:
    """Stream what the generator says to the question after reading the hit's passage.

    `language` is the English name of the language to answer in. The passage comes first and the question
    last, so what the generator computes for a passage serves every question. Raises GenerationError.
    """
    prefix = prompts.fill("excerpt", passage=hit.passage.text)
    suffix = prompts.fill("question", question=question, language=language)
    return generator.generate(prefix, suffix, max_tokens, stop=("\n",))


def clean(reply: str) -> str:
    """The reply as a statement: markers that the generator wrote itself are no citations of ours."""
    return MARKER.sub("", reply).strip()
