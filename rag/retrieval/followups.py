"""A question that leans on the conversation, completed by the questions before it.

Whether it leans is told by its words alone, so it costs nothing: how it opens, whether it points back, and whether it
names anything. Answers are left out: what they quote is from the articles, and must not become part of a question.
"""

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from rag.text.language import Language, detect
from rag.types import Turn

SIGNS = Path(__file__).parent / "data" / "followups.toml"
LINKS = 3
"""How many questions before it one may lean on."""
STANDS = 6
"""Words from which on a question that names something stands by itself, however it opens."""
POINTING = 10
"""Words up to which one that points back before it names anything leans; in longer ones it points within itself."""
VAGUE = 7
"""Words up to which one that names nothing leans if something in it may point back."""
BARE = 4
"""Words up to which one that names nothing leans without any sign."""
FEW_WORDS = 6
"""A question of up to so many words tells little of its language."""
CASED = {"Latn", "Cyrl", "Grek", "Armn"}
"""Scripts in which names have capitals; in others, twice as few words are bare."""
UNSPACED = {"Hani", "Jpan", "Thai"}
"""Scripts without spaces; two letters are counted as a word."""
_WORD = re.compile(r"\w+(?:['’\-]\w+)*")


@dataclass(frozen=True, slots=True)
class Signs:
    """The words by which questions of one language lean on others."""

    joining: tuple[str, ...] = ()
    pointing: frozenset[str] = frozenset()
    vague: frozenset[str] = frozenset()
    late: frozenset[str] = frozenset()
    """Those that point back after a word with a capital too, where all nouns have one."""
    inverting: frozenset[str] = frozenset()
    """Those after which a pronoun may be joined to the verb: pourquoi a-t-elle."""


def complete(question: str, language: Language, history: Sequence[Turn], longest: int) -> str:
    """The question after those that it leans on, at most `longest` characters; as it is where it stands by itself."""
    if not history or not leans(question, language):
        return question
    *earlier, last = history[-LINKS:]
    before = complete(last.question, detect(last.question), earlier, longest)
    completed = f"{before} {question}"
    return completed if len(completed) <= longest else question


def tell_language(question: str, history: Sequence[Turn]) -> Language:
    """The language of a question; a short one is in that of the question before it, unless it opens as another does."""
    if not history or len(question.split()) > FEW_WORDS:
        return detect(question)
    before, alone = detect(history[-1].question), detect(question)
    text = " ".join(_WORD.findall(question)).lower()
    joined = {code for code, signs in _load_signs().items() if _opens(text, signs.joining, alone.script)}
    return alone if alone.code in joined and before.code not in joined else detect(question, home=before)


def leans(question: str, language: Language) -> bool:
    """Whether a question cannot be understood without those before it."""
    signs = _load_signs().get(language.code, Signs())
    words = [match.group() for match in _WORD.finditer(question)]
    count = sum(map(len, words)) / 2 if language.script in UNSPACED else len(words)
    named = next((place for place, word in enumerate(words) if _names(word, place)), None)
    if _opens(" ".join(words).lower(), signs.joining, language.script) and (named is None or count < STANDS):
        return True
    if count <= POINTING and _has(signs.pointing, words[:named], language.script):
        return True
    if count < STANDS and signs.late.intersection(words):
        return True
    if named is None and count <= POINTING and signs.pointing.intersection(_split_inverted(words, signs)):
        return True
    if named is not None:
        return False
    bare = BARE if language.script in CASED else BARE / 2
    return count <= bare or (count <= VAGUE and _has(signs.vague, words, language.script))


def _split_inverted(words: Sequence[str], signs: Signs) -> list[str]:
    """What is joined to the verb right after the word that asks."""
    first, *others = [re.split("[-'’]", word.lower()) for word in words[:2]] or [[""]]
    return [*first[1:], *(others[0][1:] if others else ())] if first[0] in signs.inverting else []


def _names(word: str, place: int) -> bool:
    """Whether a word is a name or a number; the first one has a capital anyway."""
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
