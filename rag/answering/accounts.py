"""Show an article of another date that says the contrary of the quoted one.

Two sentences are contrary if one denies and the other does not, and if they share most of what they are about. Only
sentences in one language are compared, because a wrong accusation would be worse than none.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from rag.answering.answer import Citation
from rag.answering.citations import cite
from rag.answering.phrasing import Phrased, name_origin
from rag.encoding.query import Query
from rag.text.folding import fold
from rag.text.function_words import is_function_word
from rag.text.lexicon import load_lexicon
from rag.text.names import share_stem
from rag.text.prompts import Prompts
from rag.text.sentences import split_sentences
from rag.types import Document, Hit
from rag.verification.polarity import find_polarity

SHARED = 4
"""Minimum number of words, one of them a name and one not, that contrary sentences share."""
PREFIX = 2
"""Number of letters in the prefix of a negated verb."""
_WORD = re.compile(r"[^\W\d_]+")


def add_contrary(
    phrased: Phrased,
    promising: Sequence[Hit],
    query: Query,
    prompts: Prompts,
    open_article: Callable[[str], Document],
) -> Phrased:
    """Return a quoting answer with the article of another date that says the contrary, the newest first.

    `open_article` returns the document of a source.
    """
    _, citations = phrased
    if len(citations) != 1:
        return phrased
    quoted = citations[0]
    contrary = next(filter(None, (_find_contrary(quoted, hit, open_article) for hit in promising)), None)
    if contrary is None:
        return phrased
    ordered = sorted((quoted, contrary), key=lambda one: str(one.date), reverse=True)
    numbered = tuple(replace(one, number=number) for number, one in enumerate(ordered, start=1))
    written = (query.language.code, query.language.script)
    lines = [
        f"{prompts.say('quoted', *written, origin=name_origin(one, query.language), quote=one.shown)} [{one.number}]"
        for one in numbered
    ]
    return "\n".join([*lines, prompts.say("contrary", *written)]), numbered


def _find_contrary(quoted: Citation, hit: Hit, open_article: Callable[[str], Document]) -> Citation | None:
    """Return the sentence of a hit from another date that says the contrary of the quoted one."""
    passage = hit.passage
    if not (quoted.date and passage.date) or quoted.date == passage.date or passage.language != quoted.language:
        return None
    spans = split_sentences(passage.text, passage.language)
    found = (span for span in spans if _are_contrary(quoted.quote, passage.text[slice(*span)], quoted.language))
    span = next(found, None)
    if span is None:
        return None
    where = (passage.start + span[0], passage.start + span[1])
    return cite(open_article(passage.source), where, 2, passage=passage)


def _are_contrary(one: str, other: str, language: str) -> bool:
    left, right = find_polarity(one, language), find_polarity(other, language)
    if left is None or right is None or left.denied == right.denied:
        return False
    words, others = _list_words(one, language), _list_words(other, language)
    shared = [word for word in words if any(share_stem(fold(word), fold(second)) for second in others)]
    names = [word for word in shared if word[0].isupper()]
    return len(shared) >= SHARED and 0 < len(names) < len(shared)


def _list_words(sentence: str, language: str) -> list[str]:
    """Return the words that are not function words, negated verbs without their prefix."""
    lexicon = load_lexicon(language)
    words = (word for word in _WORD.findall(sentence) if not is_function_word(word, language))
    if lexicon is None:
        return list(words)
    listed = []
    for word in words:
        form = word.lower()
        if form not in lexicon.negation:
            negated = lexicon.negative_verbs.fullmatch(form) and form not in lexicon.positive
            listed.append(word[PREFIX:] if negated else word)
    return listed
