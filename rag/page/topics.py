"""Find what an article can be asked about: the names in it, each in its basic form as far as that can be seen.

This works without knowing how a language inflects. The shortest of several forms of a name is taken as the basic form.
It is more certain if all other forms begin with it, if it is the only form of a frequent name, or if an article in
another language has it too.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import partial

from rag.text.folding import fold
from rag.text.lexicon import Word, load_lexicon, split_words
from rag.text.names import share_stem
from rag.types import Document

READ = 6000
"""Characters of an article that are searched for names, from its beginning."""
LONGEST = 3
"""Most words in a name."""
SHORT = 4
"""Least letters in a name of one word. A word in capitals may be one letter shorter."""
CHANGED = 6
"""Least letters in a name whose forms may have different endings. Of Rusko, Ruska and Rusku, none is clearly basic."""
OPENING = range(4, 61)
"""Characters in a title, or in the first words of an article, for it to be a topic."""
_SENTENCE = re.compile(r"(?:^|[.!?…:;\n])[\s\"'“”„«»‘’(¿¡\-–—]*$")
_PAUSE = re.compile(r"[\n.,;:!?…。、，！？।؟،]")


@dataclass(frozen=True, slots=True)
class _Run:
    """Consecutive capitalised words."""

    text: str
    initial: bool
    """True at the beginning of a sentence, where any word has a capital."""


def find_topics(document: Document, elsewhere: Collection[str] = ()) -> list[str]:
    """Return the names in an article, best topics first, followed by its title or its first words.

    `elsewhere` holds the folded names of articles in other languages.
    """
    runs = list(_list_runs(document))
    counts = Counter(run.text for run in runs)
    ranked: dict[str, tuple[bool, bool, int]] = {}
    for name in dict.fromkeys(run.text for run in runs if not run.initial):
        own, *others = sorted((form for form in counts if _is_same(form, name)), key=len)
        settled = all(_begins(other, own) for other in others) if others else counts[own] > 1
        # An abbreviation is probably the news agency, not the topic.
        sure = not own.isupper() and (settled or fold(own) in elsewhere)
        ranked[own] = (sure, " " in own, sum(counts[form] for form in (own, *others)))
    # Sorting keeps the order of equal names.
    names = sorted(ranked, key=ranked.__getitem__, reverse=True)
    opening = document.title or _PAUSE.split(document.text.strip(), maxsplit=1)[0].strip()
    return [*names, opening] if len(opening) in OPENING else names


def list_names(document: Document) -> set[str]:
    """Return everything in an article that may be a name, folded."""
    return {fold(run.text) for run in _list_runs(document)}


def _list_runs(document: Document) -> Iterator[_Run]:
    text = document.text[:READ]
    run: list[Word] = []
    for word in [*split_words(text, document.language), None]:
        if run and not (word and text[run[-1].end : word.start] == " " and word.text[0].isupper()):
            initial = _SENTENCE.search(text, 0, run[0].start) is not None
            # A run that is too long may be a name after the first word of a sentence.
            words = run[1:] if initial and len(run) > LONGEST else run
            if len(words) <= LONGEST and _is_name(words, document.language):
                yield _Run(text[words[0].start : words[-1].end], initial and words == run)
            run = []
        if word and word.text[0].isupper():
            run.append(word)


def _is_name(run: list[Word], language: str) -> bool:
    lexicon = load_lexicon(language)
    common = (lexicon.months, lexicon.weekdays, lexicon.numerals, lexicon.negation) if lexicon else ()
    if any(word.form in words for word in run for words in common):
        return False
    (first, *others) = run
    return bool(others) or len(first.text) >= SHORT - first.text.isupper()


def _is_same(left: str, right: str) -> bool:
    """Return whether two names are forms of one name, word by word."""
    words, others = left.split(), right.split()
    return len(words) == len(others) and all(map(partial(share_stem, changed_from=CHANGED), words, others))


def _begins(form: str, name: str) -> bool:
    """Return whether a form is the name itself, with or without endings."""
    return all(map(str.startswith, form.split(), name.split()))
