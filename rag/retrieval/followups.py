"""Complete a question that depends on earlier questions of the conversation by putting them before it.

Whether a question may depend on others is decided from its words, which costs nothing: how it opens, whether it points
back, and whether it names anything. Answers are left out. They quote articles, whose words must not become part of a
question.
"""

import re
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from rag.text.language import Language, detect
from rag.text.scripts import CASED, UNSPACED
from rag.types import Turn

SIGNS = Path(__file__).parent / "data" / "followups.toml"
LINKS = 3
"""The maximum number of earlier questions that a question can depend on."""
STANDS = 6
"""The number of words from which a question that names something is independent, however it opens."""
POINTING = 10
"""The number of words up to which a question that points back before it names anything depends on others. A longer one
points to something within itself."""
VAGUE = 7
"""The number of words up to which a question that names nothing depends on others if a word in it may point back."""
BARE = 4
"""The number of words up to which a question that names nothing depends on others without any such word."""
ChangesTopic = Callable[[str, str], bool]
"""Returns whether a question has another topic than the questions before it. Takes the question and its completion."""
_WORD = re.compile(r"\w+(?:['’\-]\w+)*")


@dataclass(frozen=True, slots=True)
class Signs:
    """Words of one language that show that a question depends on others."""

    joining: tuple[str, ...] = ()
    """Openings of such a question."""
    pointing: frozenset[str] = frozenset()
    """Words for somebody, something, a place or a time that was named before."""
    vague: frozenset[str] = frozenset()
    """Words that may point back, or may have another function."""
    late: frozenset[str] = frozenset()
    """Words that point back even after a capitalised word, in a language that capitalises all nouns."""
    inverting: frozenset[str] = frozenset()
    """Words after which a pronoun may be joined to the verb, as in “pourquoi a-t-elle”."""


def complete(
    question: str, language: Language, history: Sequence[Turn], longest: int, changes_topic: ChangesTopic | None = None
) -> str:
    """Return the question preceded by the questions that it depends on.

    An independent question is returned as it is, and so is one that would exceed `longest` characters. `changes_topic`
    decides about a question that has no word for what was named before.
    """
    if not history or not is_dependent(question, language):
        return question
    *earlier, last = history[-LINKS:]
    before = complete(last.question, detect(last.question), earlier, longest, changes_topic)
    completed = f"{before} {question}"
    if len(completed) > longest:
        return question
    if changes_topic and not points_back(question, language) and changes_topic(question, completed):
        return question
    return completed


def is_joined(question: str, language: str, script: str) -> bool:
    """Return whether a question opens as one in that language does that continues the question before it."""
    text = " ".join(_WORD.findall(question)).lower()
    return _opens(text, _load_signs().get(language, Signs()).joining, script)


def points_back(question: str, language: Language) -> bool:
    """Return whether a short question has a word for something that was named before, and no name before that word."""
    signs = _load_signs().get(language.code, Signs())
    words = _WORD.findall(question)
    named = next((place for place, word in enumerate(words) if _names(word, place)), None)
    return _count(words, language) <= POINTING and _has(signs.pointing, words[:named], language.script)


def is_dependent(question: str, language: Language) -> bool:
    """Return whether a question can be understood only together with the questions before it."""
    signs = _load_signs().get(language.code, Signs())
    words = [match.group() for match in _WORD.finditer(question)]
    count = _count(words, language)
    named = next((place for place, word in enumerate(words) if _names(word, place)), None)
    if _opens(" ".join(words).lower(), signs.joining, language.script) and (named is None or count < STANDS):
        return True
    if points_back(question, language):
        return True
    if count < STANDS and signs.late.intersection(words):
        return True
    if named is None and count <= POINTING and signs.pointing.intersection(_split_inverted(words, signs)):
        return True
    if named is not None:
        return False
    # In a script without capitals, names cannot be recognised.
    bare = BARE if language.script in CASED else BARE / 2
    return count <= bare or (count <= VAGUE and _has(signs.vague, words, language.script))


def _count(words: Sequence[str], language: Language) -> float:
    """Return the number of words. In a script without spaces, two characters count as a word."""
    return sum(map(len, words)) / 2 if language.script in UNSPACED else len(words)


def _split_inverted(words: Sequence[str], signs: Signs) -> list[str]:
    """Return the words joined to the verb that follows the question word."""
    first, *others = [re.split("[-'’]", word.lower()) for word in words[:2]] or [[""]]
    return [*first[1:], *(others[0][1:] if others else ())] if first[0] in signs.inverting else []


def _names(word: str, place: int) -> bool:
    """Return whether a word is a name or a number. The first word, always capitalised, never counts as a name."""
    return any(char.isdigit() for char in word) or (place > 0 and word[0].isupper())


def _opens(text: str, openings: Sequence[str], script: str) -> bool:
    after = "" if script in UNSPACED else " "
    return any(text.startswith(opening + after) for opening in openings)


def _has(signs: frozenset[str], words: Sequence[str], script: str) -> bool:
    if script in UNSPACED:
        return any(sign in word for sign in signs for word in words)
    return any(word.lower() in signs for word in words)


@cache
def _load_signs() -> dict[str, Signs]:
    loaded: dict[str, Signs] = {}
    for code, table in tomllib.loads(SIGNS.read_text(encoding="utf-8")).items():
        others = (frozenset(table.get(name, "").split()) for name in ("pointing", "vague", "late", "inverting"))
        signs = Signs(tuple(table["joining"]), *others)
        loaded |= dict.fromkeys((code, *table.get("also", ())), signs)
    return loaded
