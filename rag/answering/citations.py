"""Cite words of an article."""

from rag.answering.answer import Citation, Short
from rag.encoding.query import Query
from rag.text.sentences import Span
from rag.text.structure import find_page, show
from rag.types import Document, Hit, Passage
from rag.verification.verify import find_quote


def cite_statement(statement: str, hit: Hit, query: Query, number: int, document: Document) -> Citation:
    """Cite the one or two sentences of the hit's passage in the document that support a statement."""
    start, end = find_quote(statement, hit.passage, query.encoder, query.text)
    return cite(document, (hit.passage.start + start, hit.passage.start + end), number, passage=hit.passage)


def cite(
    document: Document, span: Span, number: int, short: Span | None = None, passage: Passage | None = None
) -> Citation:
    """Cite the words of a document at the offsets `span`, with those at `short` as the answering words.

    Their language is that of the passage, if it is given: an article may quote a post in another language.
    """
    start, end = span
    written = passage or document
    return Citation(
        number=number,
        source=document.source,
        language=written.language,
        script=written.script,
        date=document.date,
        quote=document.text[start:end],
        start=start,
        end=end,
        shown=show(document.text, span),
        page=find_page(document.text, start),
        short=Short(document.text[slice(*short)], *short) if short else None,
    )
