"""Find the words that a text gives as somebody's own, and look them up in a passage."""

import re
from collections.abc import Iterator, Sequence

from rag.encoding.matching import measure_farthest
from rag.protocols import Encoder
from rag.text.folding import fold
from rag.text.lexicon import normalise

LEAST_WORDS = 2
"""Least words of speech. A single word between quotation marks is a title or a doubt."""

_PARAGRAPHS = re.compile(r"\n\s*\n")
_MARKED = re.compile(
    r"«([^«»]+)»|»([^«»]+)«|„([^„“”\"]+)[“”\"]|“([^“”]+)”|”([^“”]+)”|(?<!\w)\"(?=\S)([^\"]+)(?<=\S)\""
    r"|「([^「」]+)」|『([^『』]+)』|‚([^‚‘]+)‘|‘([^‘]+?)’(?!\w)"
)
# A passage is cut out of an article and may begin or end within a quotation.
_ENDING = re.compile(r"\A([^„“”\"«»]+)(?<=\S)[“”\"»](?!\w)")
_BEGINNING = re.compile(r"(?<!\w)[„“\"«](?=\S)([^„“”\"«»]+)\Z")
# Newspapers of some languages begin direct speech with a dash at the start of a line, and may end it with another.
_DASHED = re.compile(r"^[ \t]*[-–—][ \t]+(.+?)(?:[ \t][-–—][ \t].*)?$", re.MULTILINE)
_OMITTED = re.compile(r"\[?(?:\.\.\.|…)\]?")
_WORD = re.compile(r"\w+")


def find_quotations(text: str) -> list[str]:
    """Return the words between quotation marks, of any language, within a paragraph."""
    return [quotation for paragraph in _PARAGRAPHS.split(text) for quotation in _find_marked(paragraph)]


def find_speech(passage: str) -> list[str]:
    """Return the quotations of a passage, among them those that lack a mark and those that follow a dash."""
    rest = [_MARKED.sub(" ", paragraph) for paragraph in _PARAGRAPHS.split(passage)]
    cut = [found[1].strip() for part in rest for pattern in (_ENDING, _BEGINNING) if (found := pattern.search(part))]
    return [*find_quotations(passage), *cut, *(found[1].strip() for found in _DASHED.finditer(passage))]


def is_speech(quotation: str) -> bool:
    """Return whether a quotation is more than a word and not a name, all of whose words have a capital."""
    words: Sequence[str] = _WORD.findall(quotation)
    return len(words) >= LEAST_WORDS and any(word[0].isalpha() and not word[0].isupper() for word in words)


def has_verbatim(text: str, quotation: str, language: str) -> bool:
    """Return whether a text in `language` has the words of a quotation, in any script.

    The parts before and after an ellipsis must follow one another.
    """
    read, at = _fold_words(text, language), 0
    for part in _OMITTED.split(quotation):
        words = _fold_words(part, language)
        at = read.find(words, at) if words.strip() else at
        if at < 0:
            return False
    return True


def find_nearest(quotations: Sequence[str], others: Sequence[str], encoder: Encoder) -> list[tuple[str, float]]:
    """Return for each quotation the nearest of `others`, which may not be empty, and how near it is.

    Nearness is measured in cosine by the tokens that match worst, as for a statement.
    """
    said, heard = encoder.encode(quotations, "query").tokens, encoder.encode(others, "passage").tokens
    near = [[measure_farthest(tokens, [other]) for other in heard] for tokens in said]
    return [max(zip(others, row, strict=True), key=lambda pair: pair[1]) for row in near]


def _find_marked(paragraph: str) -> Iterator[str]:
    for found in _MARKED.finditer(paragraph):
        quotation = next(filter(None, found.groups())).strip()
        if quotation:
            yield quotation


def _fold_words(text: str, language: str) -> str:
    """Return the words in lower-case ASCII, with a space before and after each."""
    return f" {' '.join(fold(normalise(word, language)) for word in _WORD.findall(text))} "
