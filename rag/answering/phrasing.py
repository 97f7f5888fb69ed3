"""What was found to what the reader is told, with where it stands."""

from collections.abc import Sequence
from dataclasses import replace

from rag.answering.answer import Citation
from rag.answering.answerer import Finding
from rag.answering.citations import cite, find_answer, quote
from rag.protocols import Encoder
from rag.text.language import Language, name_of
from rag.text.prompts import Prompts
from rag.types import Statement


def phrase(
    finding: Finding, question: str, language: Language, prompts: Prompts, encoder: Encoder
) -> tuple[str, tuple[Citation, ...]]:
    """The answer's text in `language`, with a marker `[n]` for each of its citations.

    Statements of several articles stand on a line each, with language and date, never blended into one.
    """
    if finding.statements:
        return _list_statements(finding.statements, question, language, encoder)
    written = (language.code, language.script)
    if finding.quoted:
        passage = finding.quoted.passage
        citation = quote(passage, find_answer(question, passage, encoder), 1)
        origin = name_of(citation.language, *written)
        return f"{prompts.say('quoted', *written, origin=origin, quote=citation.quote)} [1]", (citation,)
    return prompts.say("abstain", *written), ()


def name_origin(citation: Citation, language: Language) -> str:
    """Language and date of what is cited, for who reads `language`; not its file, whose name anybody may have given."""
    return ", ".join(filter(None, (name_of(citation.language, language.code, language.script), citation.date)))


def _list_statements(
    statements: Sequence[Statement], question: str, language: Language, encoder: Encoder
) -> tuple[str, tuple[Citation, ...]]:
    citations: list[Citation] = []
    lines = []
    for statement in statements:
        borne = [
            cite(replace(statement, hit=hit), question, number, encoder)
            for number, hit in enumerate(statement.hits, start=len(citations) + 1)
        ]
        citations += borne
        marks = "".join(f"[{one.number}]" for one in borne)
        origins = f" ({'; '.join(name_origin(one, language) for one in borne)})" if len(statements) > 1 else ""
        lines.append(f"{statement.text}{origins} {marks}")
    return "\n".join(lines), tuple(citations)
