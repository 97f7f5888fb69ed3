"""Recognise messages that ask nothing of the articles: greetings, thanks, and questions about the assistant itself.

A message is small talk only if it consists of phrases in `data/small_talk.toml` alone, so no question to the articles
is taken for one.
"""

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from rag.text.folding import fold_in_script
from rag.text.language import Language
from rag.text.relatives import list_scripts
from rag.text.scripts import UNSPACED, script_of
from rag.types import Turn

TABLE = Path(__file__).parent / "data" / "small_talk.toml"
SENTENCES = {
    "about": "about",
    "opening": "about",
    "thanks": "welcome",
    "greeting": "greeting",
    "farewell": "farewell",
    "ready": "ready",
}
"""The sentence in `prompts/` that replies to each kind. If a message has several kinds, the first one here counts."""
LONGEST = 100
"""Maximum number of characters in small talk."""


@dataclass(frozen=True, slots=True)
class SmallTalk:
    """The reply that a message without a question to the articles gets."""

    sentence: str
    """The key of the sentence that replies to it."""
    language: Language


def find_small_talk(message: str, language: Language, opens: bool) -> SmallTalk | None:
    """Return what a message amounts to if it is small talk, or None.

    `language` is preferred if the message is small talk in several languages. `opens` tells whether the message is the
    first of the conversation.
    """
    if len(message) > LONGEST:
        return None
    script = script_of(message)
    words = _normalise(message, script)
    found = {code: kind for code in _load() if (kind := _classify(words, code, script, opens))}
    if not found:
        return None
    code = language.code if language.code in found else next(iter(found))
    scripts = list_scripts(code)
    return SmallTalk(SENTENCES[found[code]], Language(code, script if script in scripts else scripts[0]))


def drop_small_talk(history: Sequence[Turn]) -> list[Turn]:
    """Return the turns that are not small talk, in their order."""
    return [
        turn
        for place, turn in enumerate(history)
        if not find_small_talk(turn.question, Language("", ""), opens=place == 0)
    ]


def _classify(words: str, language: str, script: str, opens: bool) -> str | None:
    """Return the kind of small talk in one language that the words are, or None."""
    space = "" if script in UNSPACED else " "
    text = words + space
    # The kinds of the phrases that the text up to each offset consists of, where it consists of phrases.
    parsed: dict[int, frozenset[str]] = {0: frozenset()}
    for start in range(len(text)):
        for phrase, kind in _load_phrases(language, script).items() if start in parsed else ():
            if text.startswith(phrase + space, start):
                parsed.setdefault(start + len(phrase + space), parsed[start] | {kind})
    kinds = parsed.get(len(text), frozenset())
    if "opening" in kinds and not opens:
        return None
    return next((kind for kind in SENTENCES if kind in kinds), None)


def _normalise(text: str, script: str) -> str:
    """Return the words of a text without case, accents and punctuation; in an unspaced script, without spaces."""
    return ("" if script in UNSPACED else " ").join(re.findall(r"\w+", fold_in_script(text)))


@cache
def _load() -> dict[str, dict[str, list[str]]]:
    """Return the phrases of each kind, by language."""
    table = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    return table | {other: kinds for kinds in table.values() for other in kinds.get("also", ())}


@cache
def _load_phrases(language: str, script: str) -> dict[str, str]:
    """Return the kind of each phrase of a language, normalised for a script, the longest phrase first."""
    kinds = _load()[language]
    phrases = {
        _normalise(phrase, script): kind for kind in ("filler", *reversed(SENTENCES)) for phrase in kinds.get(kind, ())
    }
    return dict(sorted(phrases.items(), key=lambda item: -len(item[0])))
