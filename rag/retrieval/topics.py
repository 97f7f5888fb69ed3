"""Decide whether a question that may continue the conversation has a topic of its own.

The question is searched for alone and after the earlier questions, and both results are rated by the question alone. It
has a topic of its own if what it finds alone fits it well, and much better than the article that it finds as a
follow-up.
"""

from rag.encoding.query import Query
from rag.index.index import Index
from rag.retrieval.search import retrieve
from rag.types import Filter


def changes_topic(question: Query, completed: Query, index: Index, among: Filter | None) -> bool:
    """Return whether a question has another topic than the questions that it is `completed` with."""
    settings = question.encoder.settings
    alone = retrieve(question, index, settings.candidates, among)
    if not alone or alone[0].score < settings.topic_least:
        return False
    (nearest,) = retrieve(completed, index, 1, among)
    same = (hit.score for hit in alone if hit.passage.source == nearest.passage.source)
    return alone[0].score - next(same, alone[-1].score) >= settings.topic_lead
