"""Detect the language of a question from its words, the conversation and the articles.

The words of a short question may fit several languages. It is then likelier to be in the language of the question
before it, or in one that articles are written in. Keywords without any function word, such as “OPAVA BAZEN CENA”, are
compared with the words of the nearest passages.
"""

import re
from collections.abc import Mapping, Sequence

from rag.encoding.query import Query
from rag.index.index import Index
from rag.protocols import Encoder
from rag.retrieval.followups import is_joined
from rag.text.folding import fold
from rag.text.function_words import has_function_words
from rag.text.language import SHORT, Language, detect
from rag.types import Turn

ARTICLE_ODDS = 3.0
"""Factor by which a language of the articles is likelier than others for a short question."""
WORD_ODDS = 10.0
"""Factor by which each word that a near passage has makes the language of the passage likelier."""
NEAREST = 8
"""Number of passages whose words are compared."""
LETTERS = 4
"""Minimum number of letters in a word that is compared. Shorter ones are the same in many languages."""
_WORD = re.compile(r"[^\W\d_]+")


def detect_asked(question: str, history: Sequence[Turn], likelier: Mapping[str, float]) -> Language:
    """Return the language of a question in a conversation.

    A short question is in the language of the question before it, unless it opens as questions in another language do.
    `likelier` holds the factors by which the articles make languages more likely, by code.
    """
    alone = detect(question, likelier=likelier)
    if not history or len(question.split()) > SHORT:
        return alone
    before = detect(history[-1].question, likelier=likelier)
    if is_joined(question, alone.code, alone.script) and not is_joined(question, before.code, alone.script):
        return alone
    return detect(question, home=before, likelier=likelier)


def weigh_languages(question: str, index: Index, encoder: Encoder) -> dict[str, float]:
    """Return the factors by which the articles make languages likelier for a short question, by code."""
    words = _WORD.findall(question)
    if len(words) > SHORT:
        return {}
    likelier = dict.fromkeys(index.read_languages(), ARTICLE_ODDS)
    if not has_function_words(words):
        for language, count in _count_shared(words, question, index, encoder).items():
            likelier[language] = ARTICLE_ODDS * WORD_ODDS**count
    return likelier


def _count_shared(words: Sequence[str], question: str, index: Index, encoder: Encoder) -> dict[str, int]:
    """Return how many of the words the nearest passages in each language have, spelled with or without accents.

    Names are ignored, because an article writes them in the same way as a question in another language.
    """
    query = Query(question, Language("", ""), encoder)
    wanted = {fold(word) for word in words if len(word) >= LETTERS}
    shared: dict[str, set[str]] = {}
    for row, _ in index.search(query.vector, NEAREST):
        passage = index.read_passage(row)
        written = {fold(word) for word in _WORD.findall(passage.text) if not word[0].isupper()}
        shared.setdefault(passage.language, set()).update(wanted & written)
    return {language: len(found) for language, found in shared.items()}
