"""Ask a folder of articles in many languages; get answers cited to the exact words.

>>> import rag
>>> answer = rag.answer("Kdo pozval Lavrova do KLDR?")
>>> print(answer.text)
>>> for citation in answer.citations:
...     print(citation.source, citation.start, citation.quote)

`answer` opens the default index and keeps it. `Assistant.load` opens any index and also searches, streams the events on
the way to an answer, and lists the articles. `build_index` makes an index from files, and `verify` checks a statement
against a passage. Every error that a user can fix is a `RagError` whose message says how.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from rag.hardware import sleep_while_waiting

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

_MODULES = {
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

# OpenMP reads the setting when torch or llama.cpp is loaded, and this package loads neither before it is used.
sleep_while_waiting()


def __getattr__(name: str) -> Any:
    """Import the module of a public name when the name is first used, so that `import rag` takes almost no time."""
    if name not in _MODULES:
        raise AttributeError(f"module 'rag' has no attribute {name!r}")
    return getattr(import_module(f"rag.{_MODULES[name]}"), name)
