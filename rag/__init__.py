"""Ask a folder of articles in many languages; get answers cited to the exact words.

>>> from rag import answer
>>> found = answer("Kdo pozval Lavrova do KLDR?")
>>> print(found.text, found.citations[0].source)
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rag.answering.answer import Answer, Citation
    from rag.answering.events import Event
    from rag.assistant import Assistant, answer
    from rag.config import Config
    from rag.errors import RagError
    from rag.ingest.build import Summary, build_index
    from rag.types import Article, Document, Filter, Hit, Passage, Turn
    from rag.verification.verdict import Verdict
    from rag.verification.verify import verify

_ROOMS = {
    "Answer": "answering.answer",
    "Article": "types",
    "Assistant": "assistant",
    "Citation": "answering.answer",
    "Config": "config",
    "Document": "types",
    "Event": "answering.events",
    "Filter": "types",
    "Hit": "types",
    "Passage": "types",
    "RagError": "errors",
    "Summary": "ingest.build",
    "Turn": "types",
    "Verdict": "verification.verdict",
    "answer": "assistant",
    "build_index": "ingest.build",
    "verify": "verification.verify",
}

__all__ = [
    "Answer",
    "Article",
    "Assistant",
    "Citation",
    "Config",
    "Document",
    "Event",
    "Filter",
    "Hit",
    "Passage",
    "RagError",
    "Summary",
    "Turn",
    "Verdict",
    "answer",
    "build_index",
    "verify",
]


def __getattr__(name: str) -> Any:
    """Open a room when something in it is first asked for, so that `import rag` costs next to nothing."""
    if name not in _ROOMS:
        raise AttributeError(f"module 'rag' has no attribute {name!r}")
    return getattr(import_module(f"rag.{_ROOMS[name]}"), name)
