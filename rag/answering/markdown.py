"""Write answers as text that a program may read as Markdown. Links, images and HTML from articles are escaped."""

import re

from rag.answering.answer import Answer
from rag.text.language import name_of
from rag.text.markup import escape_links
from rag.text.prompts import Prompts

_WORDS = re.compile(r"\w(?:.*\w)?", re.DOTALL)
_BREAK = re.compile(r"(?<!\n)\n(?!\n)")
"""A line break within a paragraph."""


def write_answer(answer: Answer, prompts: Prompts) -> str:
    """Return the answer with the answering words in bold, followed by the sources that its markers refer to."""
    written = (answer.language, answer.script)
    lines = ["".join(_embolden(part) if is_marked else escape_links(part) for part, is_marked in answer.split_marked())]
    if answer.citations:
        lines += ["", prompts.say("sources", *written), ""]
    for citation in answer.citations:
        page = prompts.say("page", *written, page=str(citation.page)) if citation.page else None
        facts = (citation.source, page, name_of(citation.language, *written), citation.date)
        lines.append(escape_links(f"[{citation.number}] {' · '.join(filter(None, facts))}: “{citation.shown}”"))
    # Markdown keeps a line break after two spaces, which are invisible to a reader of plain text.
    return _BREAK.sub("  \n", "\n".join(lines))


def _embolden(words: str) -> str:
    # Asterisks between a letter and punctuation would not count as marks.
    return _WORDS.sub(lambda found: f"**{found[0]}**", escape_links(words), count=1)
