"""Answers as text for programs that may take it for Markdown. Whatever stands in articles is text there too."""

import re

from rag.answering.answer import Answer
from rag.text.language import name_of
from rag.text.prompts import Prompts

ACTIVE = re.compile(r"[\\<]|(?<=\])[(:]")
"""What makes a link, an image or a tag of the text around it, or unmakes an escape."""
BREAK = re.compile(r"(?<!\n)\n(?!\n)")
"""The end of a line within a paragraph; Markdown keeps it after two spaces, which nobody sees who takes it for text."""


def write_answer(answer: Answer, prompts: Prompts) -> str:
    """The answer, and below it the sources that its markers name."""
    written = (answer.language, answer.script)
    lines = [answer.text]
    if answer.citations:
        lines += ["", prompts.say("sources", *written), ""]
    for citation in answer.citations:
        facts = (citation.source, name_of(citation.language, *written), citation.date)
        lines.append(f"[{citation.number}] {' · '.join(filter(None, facts))}: “{citation.quote}”")
    return BREAK.sub("  \n", _disarm("\n".join(lines)))


def _disarm(text: str) -> str:
    """The text with a backslash before what is active in Markdown, which shows it without one."""
    return ACTIVE.sub(r"\\\g<0>", text)
