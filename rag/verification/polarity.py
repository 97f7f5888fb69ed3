"""Find out whether a text denies something, by the words of negation of its language."""

from collections.abc import Sequence
from dataclasses import dataclass

from rag.text.lexicon import Word, load_lexicon, split_words
from rag.text.vocabulary import Lexicon

ONLY_WITHIN = 4
"""Words after a negation among which `only` takes it back."""


@dataclass(frozen=True, slots=True)
class Polarity:
    """How a text denies, if it does."""

    denied: bool
    """True if it has a word of negation: not, nobody, never."""
    weak: bool
    """True if it has a word that denies by its meaning: without, refuse."""


def find_polarity(text: str, language: str) -> Polarity | None:
    """Return how a text denies, or None if its language has no table."""
    lexicon = load_lexicon(language)
    if lexicon is None:
        return None
    words = split_words(text, language)
    # `No, they refused` answers the question, and then affirms.
    if len(words) > 2 and words[0].form in lexicon.negation and text[words[0].end : words[0].end + 1] == ",":
        words = words[1:]
    return Polarity(
        denied=any(_denies(words, place, lexicon) for place in range(len(words))),
        weak=any(word.form in lexicon.weak for word in words),
    )


def _denies(words: Sequence[Word], place: int, lexicon: Lexicon) -> bool:
    form = words[place].form
    verb = lexicon.negative_verbs.fullmatch(form) and form not in lexicon.positive
    if not (form in lexicon.negation or verb or form.endswith(lexicon.negative_endings)):
        return False
    return not any(word.form in lexicon.only for word in words[place + 1 : place + 1 + ONLY_WITHIN])
