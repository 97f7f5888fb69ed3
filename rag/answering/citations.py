"""Cite words of an article."""

from rag.answering.answer import Citation, Short
from rag.encoding.query import Query
from rag.text.sentences import Span
from rag.text.structure import find_page, show
from rag.types import Document, Hit, Passage
from rag.verification.verify import find_quote


def cite_statement(statement: str, hit: Hit, query: Query, number: int, document: Document) -> Citation:
    """Cite the one or two sentences of the hit's passage in the document that support a statement."""
    return cite(hit.passage, find_quote(statement, hit.passage, query.encoder, query.text), number, document)


def cite(
    origin: Document | Passage, span: Span, number: int, document: Document, short: Span | None = None
) -> Citation:
    """Cite the words at the offsets `span` of a document or of a passage of it.

    Those at `short`, if given, answer by themselves.
    """
    start, end = span
    before = origin.start if isinstance(origin, Passage) else 0
    return Citation(
        number=number,
        source=origin.source,
        language=origin.language,
        script=origin.script,
        date=origin.date,
        quote=origin.text[start:end],
        start=before + start,
        end=before + end,
        shown=show(document.text, (before + start, before + end)),
        page=find_page(document.text, before + start),
        short=Short(origin.text[slice(*short)], before + short[0], before + short[1]) if short else None,
    )
