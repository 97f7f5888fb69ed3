"""Phrase the text of an answer, and cite its sources."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from rag.answering.answer import Citation
from rag.answering.citations import cite, cite_statement
from rag.answering.quoting import choose_quote
from rag.answering.short_form import Marked, write_short_form
from rag.encoding.query import Query
from rag.text.language import Language, name_of
from rag.text.prompts import Prompts
from rag.text.sentences import Span
from rag.text.structure import tidy
from rag.types import Document, Hit, Passage, Statement

Phrased = tuple[str, tuple[Citation, ...]]
"""The text of an answer, with a marker `[n]` for each of its citations."""


def phrase(
    query: Query,
    promising: Sequence[Hit],
    statements: Sequence[Statement],
    prompts: Prompts,
    open_article: Callable[[str], Document],
) -> Phrased:
    """Quote the first promising hit, unless there are checked statements; abstain if there is neither.

    `open_article` returns the document of a source.
    """
    if statements:
        return _state(statements, query, open_article)
    if promising:
        return _quote(promising[0], query, prompts, open_article)
    return prompts.say("abstain", query.language.code, query.language.script), ()


def name_origin(citation: Citation, language: Language) -> str:
    """Return the language and date of a citation, in `language`.

    The file name is left out, since it is not trusted text: anybody may have chosen it.
    """
    return ", ".join(filter(None, (name_of(citation.language, language.code, language.script), citation.date)))


def _quote(hit: Hit, query: Query, prompts: Prompts, open_article: Callable[[str], Document]) -> Phrased:
    """Answer with the sentences of a hit that answer the question best."""
    written = (query.language.code, query.language.script)
    document = open_article(hit.passage.source)
    quote = choose_quote(query, hit, document)
    span, short = _shift(quote.span, hit.passage), quote.short and _shift(quote.short, hit.passage)
    citation = _add_short_form(cite(document, span, 1, short, hit.passage), query)
    origin = name_of(citation.language, *written)
    quoted = f"{prompts.say('quoted', *written, origin=origin, quote=citation.shown)} [1]"
    said = citation.short.said if citation.short else None
    return f"{said}\n{quoted}" if said else quoted, (citation,)


def _shift(span: Span, passage: Passage) -> Span:
    """Return offsets of a passage as offsets of its document."""
    return passage.start + span[0], passage.start + span[1]


def _add_short_form(citation: Citation, query: Query) -> Citation:
    """Return the citation with its answering words written in the language of the question, if that can be done."""
    if citation.short is None:
        return citation
    start, end = citation.short.start - citation.start, citation.short.end - citation.start
    said = write_short_form(Marked(citation.quote, citation.language, start, end), query.text, query.language)
    is_new = said is not None and said.lower() not in tidy(citation.short.text).lower()
    return replace(citation, short=replace(citation.short, said=said if is_new else None))


def _state(statements: Sequence[Statement], query: Query, open_article: Callable[[str], Document]) -> Phrased:
    """Answer with checked statements, each on a line of its own.

    Several statements are never blended into one; each names the language and date of its articles.
    """
    citations: list[Citation] = []
    lines = []
    for statement in statements:
        own = [
            cite_statement(statement.text, hit, query, number, open_article(hit.passage.source))
            for number, hit in enumerate(statement.hits, start=len(citations) + 1)
        ]
        citations += own
        marks = "".join(f"[{citation.number}]" for citation in own)
        origins = "; ".join(name_origin(citation, query.language) for citation in own)
        lines.append(f"{statement.text}{f' ({origins})' if len(statements) > 1 else ''} {marks}")
    return "\n".join(lines), tuple(citations)
