"""Cite words of an article."""

from rag.answering.answer import Citation, Short
from rag.encoding.query import Query
from rag.text.sentences import Span
from rag.text.structure import find_page, show
from rag.types import Document, Hit
from rag.verification.verify import find_quote


def cite_statement(statement: str, hit: Hit, query: Query, number: int, document: Document) -> Citation:
    """Cite the one or two sentences of the hit's passage in the document that support a statement."""
    start, end = find_quote(statement, hit.passage, query.encoder, query.text)
    return cite(document, (hit.passage.start + start, hit.passage.start + end), number)


def cite(document: Document, span: Span, number: int, short: Span | None = None) -> Citation:
    """Cite the words of a document at the offsets `span`, with those at `short` as the answering words."""
    start, end = span
    return Citation(
        number=number,
        source=document.source,
        language=document.language,
        script=document.script,
        date=document.date,
        quote=document.text[start:end],
        start=start,
        end=end,
        shown=show(document.text, span),
        page=find_page(document.text, start),
        short=Short(document.text[slice(*short)], *short) if short else None,
    )
