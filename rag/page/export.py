"""Write a conversation for copying or saving: as plain text, as Markdown, or as JSON."""

import json
from collections.abc import Sequence

from rag.answering.answer import Citation
from rag.page.conversation import Exchange
from rag.page.labels import Wording
from rag.text.markup import escape_markdown


def write_plain(exchange: Exchange, wording: Wording) -> str:
    """Return an answer and its sources as text, or "" if there is no answer."""
    if not exchange.answer:
        return ""
    sources = [f"[{cited.number}] {_describe(cited, wording)}: “{cited.shown}”" for cited in exchange.answer.citations]
    return "\n\n".join(filter(None, [exchange.answer.text, "\n".join(sources)]))


def write_markdown(exchanges: Sequence[Exchange], wording: Wording) -> str:
    """Return the conversation as Markdown. Questions, answers and articles are escaped in it."""
    parts = [f"# {escape_markdown(wording.label('title'))}"]
    for exchange in exchanges:
        parts.append(f"## {escape_markdown(exchange.question)}")
        if exchange.answer:
            parts.append("\\\n".join(map(escape_markdown, exchange.answer.text.splitlines())))
            parts += [
                f"{cited.number}. {escape_markdown(_describe(cited, wording))}\n   > {escape_markdown(cited.shown)}"
                for cited in exchange.answer.citations
            ]
        elif exchange.error:
            parts.append(f"*{escape_markdown(wording.explain(exchange.error))}*")
        elif exchange.unexpected:
            parts.append(f"*{escape_markdown(exchange.unexpected)}*")
    return "\n\n".join(parts) + "\n"


def write_json(exchanges: Sequence[Exchange]) -> str:
    """Return the conversation as JSON, with each answer in the form of `Answer.as_dict()`."""
    entries = [
        {
            "question": one.question,
            "answer": one.answer.as_dict() if one.answer else None,
            "error": str(one.error) if one.error else None,
        }
        for one in exchanges
    ]
    return json.dumps({"exchanges": entries}, ensure_ascii=False, indent=2)


def _describe(cited: Citation, wording: Wording) -> str:
    return ", ".join(filter(None, [cited.source, wording.name_page(cited.page), cited.language, cited.date]))
