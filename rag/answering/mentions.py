"""Find the articles that mention a name, in any script and grammatical case."""

import re
from collections.abc import Iterator
from functools import lru_cache

from rag.text.folding import fold, fold_in_script
from rag.text.language import Language
from rag.text.names import find_entities, same_name, share_stem
from rag.text.scripts import CASED, UNSPACED, script_of
from rag.text.sentences import Span, split_sentences
from rag.types import Document

SHORT = 5
"""Maximum number of letters in a name that is compared only with names in its own script, letter by letter."""
_WORD = re.compile(r"[^\W_]+")


def find_mention(name: str, language: Language, article: Document) -> Span | None:
    """Return the offsets of the first sentence of an article that mentions a name, or None.

    `name` is written as in a question in `language`. A country is found under the name that the article's language has
    for it.
    """
    place = next(_find_places(name, language, article), None)
    if place is None:
        return None
    sentences = split_sentences(article.text, article.language)
    return next((span for span in sentences if span[0] <= place < span[1]), None)


def _find_places(name: str, language: Language, article: Document) -> Iterator[int]:
    """Yield the offsets at which an article mentions a name."""
    entities = find_entities(name, language.code)
    if len(entities) == 1 and _covers(name, next(iter(entities.values()))):
        yield from (start for start, _ in find_entities(article.text, article.language).get(next(iter(entities)), ()))
        return
    parts = _WORD.findall(name)
    if script_of(name) in UNSPACED:
        yield from (match.start() for match in re.finditer(re.escape(name), article.text))
        return
    words = list(_WORD.finditer(article.text))
    for first in range(len(words) - len(parts) + 1):
        beside = words[first : first + len(parts)]
        if all(_is_form(part, word.group()) for part, word in zip(parts, beside, strict=True)):
            yield beside[0].start()


def _covers(name: str, spans: list[Span]) -> bool:
    """Return whether the spans hold all letters of the name."""
    outside = [char for place, char in enumerate(name) if not any(start <= place < end for start, end in spans)]
    return not any(map(str.isalnum, outside))


@lru_cache(maxsize=65536)
def _is_form(part: str, word: str) -> bool:
    """Return whether a word of an article is a form of a word of the name."""
    if share_stem(fold_in_script(part), fold_in_script(word)):
        return _is_capitalised(word) or not _is_capitalised(part) or part.isupper()
    if not (_is_capitalised(part) and _is_capitalised(word)):
        return False
    if script_of(part) == script_of(word) and min(len(part), len(word)) <= SHORT:
        return share_stem(fold(part), fold(word))
    return same_name(part, word)


def _is_capitalised(word: str) -> bool:
    """Return whether a word may be a name; any word may in a script without capitals."""
    return word[0].isupper() or script_of(word) not in CASED
