"""Whether a text denies something, by the words of negation of its language."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rag.text.lexicon import Lexicon, Word, load_lexicon, split_words

ONLY_WITHIN = 4
"""Words after `not` within which `only` takes the denial back."""

# A participle, a past or a present form of a verb; adjectives such as nezákonný and superlatives have other endings.
_NEGATED_VERB = re.compile(r"(?!nej\w*(?:ší\w*|e|í)$)\w{3,}(?:l[aoiy]?|n[aoy]?|t|je|jí|ují|[^ln]á|í|e|ou|u|i|me|te)")


@dataclass(frozen=True, slots=True)
class Polarity:
    """How a text denies, if it does."""

    denied: bool
    """By a word of negation: not, nobody, never."""
    weak: bool
    """By a word that has the denial in its meaning: without, refuse."""


def polarity_of(text: str, language: str) -> Polarity | None:
    """How `text` denies; None where there is no lexicon of the language."""
    lexicon = load_lexicon(language)
    if lexicon is None:
        return None
    words = split_words(text, language)
    # `No, they refused` answers the question and then says what is so.
    if len(words) > 2 and words[0].form in lexicon.negation and text[words[0].end : words[0].end + 1] == ",":
        words = words[1:]
    return Polarity(
        denied=any(_denies(words, place, lexicon) for place in range(len(words))),
        weak=any(word.form in lexicon.weak for word in words),
    )


def _denies(words: Sequence[Word], place: int, lexicon: Lexicon) -> bool:
    form = words[place].form
    prefix = lexicon.negative_prefix
    verb = prefix and form.startswith(prefix) and form not in lexicon.positive and _NEGATED_VERB.fullmatch(form)
    if not (form in lexicon.negation or verb or form.endswith("n't")):
        return False
    return not any(word.form in lexicon.only for word in words[place + 1 : place + 1 + ONLY_WITHIN])
