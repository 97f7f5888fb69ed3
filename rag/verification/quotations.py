"""Words that a text gives as somebody's own, and the nearest that a passage has."""

import re
from collections.abc import Iterator, Sequence

from rag.encoding.matching import measure_farthest
from rag.protocols import Encoder
from rag.text.folding import fold
from rag.text.lexicon import form_of

LEAST_WORDS = 2
"""One word between quotation marks is a title or a doubt, not what somebody said."""

_PARAGRAPHS = re.compile(r"\n\s*\n")
_MARKED = re.compile(
    r"«([^«»]+)»|»([^«»]+)«|„([^„“”\"]+)[“”\"]|“([^“”]+)”|”([^“”]+)”|(?<!\w)\"(?=\S)([^\"]+)(?<=\S)\""
    r"|「([^「」]+)」|『([^『』]+)』|‚([^‚‘]+)‘|‘([^‘]+?)’(?!\w)"
)
# Passages are cut out of articles, some of them within a quotation.
_ENDING = re.compile(r"\A([^„“”\"«»]+)(?<=\S)[“”\"»](?!\w)")
_BEGINNING = re.compile(r"(?<!\w)[„“\"«](?=\S)([^„“”\"«»]+)\Z")
# In Polish, Greek and Spanish newspapers direct speech may begin a line with a dash, and end with another.
_DASHED = re.compile(r"^[ \t]*[-–—][ \t]+(.+?)(?:[ \t][-–—][ \t].*)?$", re.MULTILINE)
_OMITTED = re.compile(r"\[?(?:\.\.\.|…)\]?")
_WORD = re.compile(r"\w+")


def find_quotations(text: str) -> list[str]:
    """What stands between the quotation marks of any language, within a paragraph."""
    return [quotation for paragraph in _PARAGRAPHS.split(text) for quotation in _find_marked(paragraph)]


def find_speech(passage: str) -> list[str]:
    """What a passage quotes: between quotation marks, of which it may lack one, or after the dash of direct speech."""
    rest = [_MARKED.sub(" ", paragraph) for paragraph in _PARAGRAPHS.split(passage)]
    cut = [found[1].strip() for part in rest for pattern in (_ENDING, _BEGINNING) if (found := pattern.search(part))]
    return [*find_quotations(passage), *cut, *(found[1].strip() for found in _DASHED.finditer(passage))]


def is_speech(quotation: str) -> bool:
    """Whether it is more than a word, and no name, all of whose words have a capital."""
    words: Sequence[str] = _WORD.findall(quotation)
    return len(words) >= LEAST_WORDS and any(word[0].isalpha() and not word[0].isupper() for word in words)


def has_verbatim(text: str, quotation: str) -> bool:
    """Whether a text has the words of a quotation, in whatever script; those before and after an ellipsis in turn."""
    read, at = _fold_words(text), 0
    for part in _OMITTED.split(quotation):
        words = _fold_words(part)
        at = read.find(words, at) if words.strip() else at
        if at < 0:
            return False
    return True


def find_nearest(quotations: Sequence[str], others: Sequence[str], encoder: Encoder) -> list[tuple[str, float]]:
    """For each quotation the nearest of some others, at least one, and how near it is.

    It is measured as the nearness of a statement is: in cosine, by the tokens that match worst.
    """
    said, heard = encoder.encode(quotations, "query").tokens, encoder.encode(others, "passage").tokens
    near = [[measure_farthest(tokens, [other]) for other in heard] for tokens in said]
    return [max(zip(others, row, strict=True), key=lambda pair: pair[1]) for row in near]


def _find_marked(paragraph: str) -> Iterator[str]:
    for found in _MARKED.finditer(paragraph):
        quotation = next(filter(None, found.groups())).strip()
        if quotation:
            yield quotation


def _fold_words(text: str) -> str:
    """Its words in lower-case ASCII, each between spaces; Serbian is the same in both of its scripts."""
    return f" {' '.join(fold(form_of(word, 'sr')) for word in _WORD.findall(text))} "
