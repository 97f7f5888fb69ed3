"""A conversation to take along: as text with its sources, as Markdown, as JSON."""

import json
import re
from collections.abc import Sequence

from rag.answering.answer import Citation
from rag.page.conversation import Exchange
from rag.page.labels import Wording

SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#+\-.!|~$&:@])")


def write_plain(exchange: Exchange) -> str:
    """An answer and its sources as text; nothing where there is none."""
    if not exchange.answer:
        return ""
    sources = [f"[{cited.number}] {_describe(cited)}: “{cited.quote}”" for cited in exchange.answer.citations]
    return "\n\n".join(filter(None, [exchange.answer.text, "\n".join(sources)]))


def write_markdown(exchanges: Sequence[Exchange], wording: Wording) -> str:
    """The conversation as Markdown in which everything from outside is text."""
    parts = [f"# {_quote(wording.label('title'))}"]
    for exchange in exchanges:
        parts.append(f"## {_quote(exchange.question)}")
        if exchange.answer:
            parts.append("\\\n".join(map(_quote, exchange.answer.text.splitlines())))
            parts += [
                f"{cited.number}. {_quote(_describe(cited))}\n   > {_quote(cited.quote)}"
                for cited in exchange.answer.citations
            ]
        elif exchange.error:
            parts.append(f"*{_quote(wording.explain(exchange.error))}*")
        elif exchange.surprise:
            parts.append(f"*{_quote(exchange.surprise)}*")
    return "\n\n".join(parts) + "\n"


def write_json(exchanges: Sequence[Exchange]) -> str:
    """The conversation with all that is known of its answers, as `Answer.as_dict()` gives it."""
    entries = [
        {
            "question": one.question,
            "answer": one.answer.as_dict() if one.answer else None,
            "error": str(one.error) if one.error else None,
        }
        for one in exchanges
    ]
    return json.dumps({"exchanges": entries}, ensure_ascii=False, indent=2)


def _describe(cited: Citation) -> str:
    return ", ".join(filter(None, [cited.source, cited.language, cited.date]))


def _quote(text: str) -> str:
    """The text as Markdown that shows it, in one paragraph."""
    return SPECIAL.sub(r"\\\1", " ".join(text.split()))
