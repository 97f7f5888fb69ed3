"""What an article can be asked about: the names in it, as far as that shows in the form that a dictionary has.

Nothing is known of how a language inflects. The shortest of several forms of a name is taken for its own; it is surer
where all others begin with it, where it is the only one though met often, or where another language has it too.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from rag.text.folding import fold
from rag.text.lexicon import Word, load_lexicon, split_words
from rag.types import Document

READ = 6000
"""Characters of an article that are looked at."""
LONGEST = 3
"""Words of a name."""
SHORT = 4
"""Letters from which on a word is a name; one in capitals may be shorter by one."""
ENDING = 3
"""Letters in which two forms of a word may differ: Putin, Putinovi."""
STEM = 3
"""Letters that they share at least."""
OPENING = range(4, 61)
"""Characters of a title, or of an article's first words, that it can be asked about by."""
_SENTENCE = re.compile(r"(?:^|[.!?…:;\n])[\s\"'“”„«»‘’(¿¡\-–—]*$")
_PAUSE = re.compile(r"[\n.,;:!?…。、，！？।؟،]")


@dataclass(frozen=True, slots=True)
class _Run:
    """Words with capitals that follow one another."""

    text: str
    initial: bool
    """True where a sentence begins, as any word there has a capital."""


def find_topics(document: Document, elsewhere: Collection[str] = ()) -> list[str]:
    """Names in an article, the best to ask about first, and after them its title or its first words.

    `elsewhere` holds names of articles in other languages, folded.
    """
    runs = list(_list_runs(document))
    counts = Counter(run.text for run in runs)
    ranked: dict[str, tuple[bool, bool, int]] = {}
    for name in dict.fromkeys(run.text for run in runs if not run.initial):
        own, *others = sorted((form for form in counts if _is_same(form, name)), key=len)
        settled = all(_begins(other, own) for other in others) if others else counts[own] > 1
        # An abbreviation is rather who reports than what is reported on.
        sure = not own.isupper() and (settled or fold(own) in elsewhere)
        ranked[own] = (sure, " " in own, sum(counts[form] for form in (own, *others)))
    # Sorting keeps the order of equals.
    names = sorted(ranked, key=ranked.__getitem__, reverse=True)
    opening = document.title or _PAUSE.split(document.text.strip(), maxsplit=1)[0].strip()
    return [*names, opening] if len(opening) in OPENING else names


def list_names(document: Document) -> set[str]:
    """All that may be a name in an article, folded."""
    return {fold(run.text) for run in _list_runs(document)}


def _list_runs(document: Document) -> Iterator[_Run]:
    text = document.text[:READ]
    run: list[Word] = []
    for word in [*split_words(text, document.language), None]:
        if run and not (word and text[run[-1].end : word.start] == " " and word.text[0].isupper()):
            initial = _SENTENCE.search(text, 0, run[0].start) is not None
            # Too long for a name, it may be one that another word goes before.
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


def _is_same(one: str, other: str) -> bool:
    """Whether two names are forms of one, word by word."""
    words, others = one.split(), other.split()
    return len(words) == len(others) and all(map(_share_stem, words, others))


def _begins(form: str, name: str) -> bool:
    """Whether a form is the name with endings, if any."""
    return all(map(str.startswith, form.split(), name.split()))


def _share_stem(one: str, other: str) -> bool:
    short, long = sorted((one, other), key=len)
    stem = len(long) - ENDING
    return len(short) >= stem and (long.startswith(short) or (stem >= STEM and long[:stem] == short[:stem]))
