"""Names of people and places: find them in a text, and recognise their forms.

Two functions compare words. `same_name` compares names across scripts and ways of transliteration, by their consonants.
It takes Lavrova for Λαβρόφ, but also some different words for one name. `share_stem` compares any words in one
spelling, by the letters that they begin with. It is strict enough for words that are not names, and needs no knowledge
of how a language inflects.
"""

import re
import tomllib
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cache, lru_cache
from itertools import product, takewhile
from typing import Any

from rag.text.folding import fold
from rag.text.lexicon import WORDS, load_lexicon, split_words

ALIKE = 0.5
"""Least share of common letters, as difflib counts it, in two forms of a name."""
CROSS_ALIKE = 0.8
"""Least share of common sounds, as difflib counts it, in two names of which one is Greek."""
STEM = 4
"""Least letters in the stem of a word that has another ending."""
ENDING = 3
"""Most letters in the ending of a word: Putin, Putinovi."""
SYLLABLE = 5
"""Most letters in the part of a name after a hyphen, its case ending included."""
ABBREVIATION = 3
"""Most letters in an abbreviation, which counts as a name only in capitals."""
BEFORE = 20
"""Characters before a word in which to look for the end of the previous sentence."""
KOREAS = ("KP", "KR")

_WORD = re.compile(r"[^\W\d_]+")
_BEFORE_SENTENCE = re.compile(r"(?:^|[.!?…:;]|\n)[\s\"'“”„«»‘’(¿¡\-–—]*$")
_GREEK = re.compile(r"[\u0370-\u03ff\u1f00-\u1fff]")
_FROM_GREEK = [
    (re.compile(pattern), letters)
    for pattern, letters in (
        ("oy", "u"), ("gk", "g"), ("gg", "ng"), ("tz", "j"), (r"^mp|(?<=[rl])mp", "b"), (r"^nt|(?<=[rl])nt", "d"),
        (r"\bgi(?=[aou])", "j"), (r"\bgu(?=[ao])", "v"), ("ch", "h"),
    )
]  # fmt: skip
_SOUNDS = [
    (re.compile(pattern), sound)
    for pattern, sound in (
        (r"(?<=p)(?:kh|ch|h)", ""), ("shch|tsch|dzh|tch|sch|zh|sh|cz|sz|rz|dz|ts|tz", "S"), ("kh|ck|q", "K"),
        ("x", "KS"), ("ph", "V"), ("th", "T"), (r"(?<!^)h", ""), (r"[gkh]", "K"), ("[sz]", "S"), ("[vfw]", "V"),
        ("[bp]", "P"), ("[td]", "T"), ("m", "M"), ("n", "N"), ("l", "L"), ("r", "R"),
    )
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Name:
    """A capitalised word of a text, or one part of a hyphenated word: `Jong` and `un` of Jong-un."""

    text: str
    start: int
    initial: bool
    """True at the beginning of a sentence, where any word has a capital."""


def find_names(text: str, language: str) -> list[Name]:
    """Return the capitalised words of `text` that may be names, without months, numbers and words of titles."""
    lexicon = load_lexicon(language)
    names = []
    for word in split_words(text, language):
        if not any(char.isupper() for char in word.text[:1]):
            continue
        if lexicon and any(
            word.form in words
            for words in (lexicon.months, lexicon.weekdays, lexicon.numerals, lexicon.negation, lexicon.ordinary)
        ):
            continue
        initial = _BEFORE_SENTENCE.search(text, max(0, word.start - BEFORE), word.start) is not None
        names += [
            Name(part.group(), word.start + part.start(), initial)
            for part in _WORD.finditer(word.text)
            if len(part.group()) > 1 and (part.group()[0].isupper() or _is_syllable(word.text, part))
        ]
    return names


def _is_syllable(word: str, part: re.Match[str]) -> bool:
    """Return whether a lower-case part belongs to a Korean name, such as Jong-un, rather than to a compound."""
    return len(part.group()) <= SYLLABLE and word[part.start() - 1] in "-‑"


def find_entities(text: str, language: str) -> dict[str, list[tuple[int, int]]]:
    """Return the entities that `text` names, each with the offsets of the words that name it.

    Entities are countries and other names that each language has its own word for.
    """
    words = list(_WORD.finditer(text))
    folded = [re.sub(r"\W", "", fold(word.group())) for word in words]
    offsets, at = [], 0
    for word in folded:
        offsets.append(at)
        at += len(word) + 1
    found: dict[str, list[tuple[int, int]]] = {}
    taken: set[int] = set()
    line = " ".join(folded)
    # `Pohjois-Korea` comes from babel and must be tried before the table's `Korea`.
    for entity, pattern, capital in (*_list_territories(language), *_list_entities()):
        for match in pattern.finditer(line):
            places = range(bisect_left(offsets, match.start()), bisect_left(offsets, match.end()))
            # `us`, `el` and `un` are words unless they are in capitals.
            named = words[places[0]].group()
            if not taken.isdisjoint(places) or (len(named) <= ABBREVIATION and not named.isupper()):
                continue
            if capital and not named[0].isupper():
                continue
            taken.update(places)
            found.setdefault(entity, []).append((words[places[0]].start(), words[places[-1]].end()))
    return found


def implied(entities: Iterable[str]) -> set[str]:
    """Return the entities together with the countries that their capitals stand for."""
    entities = set(entities)
    return entities | {_load_table()["implies"][entity] for entity in entities if entity in _load_table()["implies"]}


def is_among(name: str, others: Sequence[str]) -> bool:
    """Return whether one of the others is the same name, in any script, case or transliteration."""
    return any(same_name(name, other) for other in others)


@lru_cache(maxsize=65536)
def same_name(left: str, right: str) -> bool:
    """Return whether two words are forms of one name, in any script: Lavrova, Λαβρόφ; Čong, Џонг; Wonsanis, Вонсану."""
    cross = bool(_GREEK.search(left)) != bool(_GREEK.search(right))
    spelled = SequenceMatcher(None, _spell(left), _spell(right)).ratio()
    if spelled < ALIKE:
        return False
    return any(_is_same_key(a, b, cross) for a, b in product(_list_keys(left), _list_keys(right)))


def share_stem(left: str, right: str, changed_from: int = STEM) -> bool:
    """Return whether two words in one spelling are forms of one word: Putin, Putinovi; Lavrova, Lavrovem.

    Either the longer word is the shorter one with an ending, or both have the same stem of at least `STEM` letters with
    different endings. The latter is accepted if the longer word has at least `changed_from` letters. A number has no
    other forms. Letters are compared as they are, so fold words of different scripts first.
    """
    if left[:1].isdigit() or right[:1].isdigit():
        return left == right
    short, long = sorted((left, right), key=len)
    shared, ending = count_shared(left, right), len(long) - len(short)
    changed = len(long) >= changed_from and shared >= max(STEM, len(long) - ENDING)
    return changed or (shared == len(short) and ending <= ENDING)


def count_shared(left: str, right: str) -> int:
    """Return how many letters both words begin with."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(left, right, strict=False)))


def _is_same_key(left: str, right: str, cross: bool) -> bool:
    short, long = sorted((left, right), key=len)
    if not short:
        return False
    # A case ending may add consonants.
    if long.startswith(short) and len(long) - len(short) <= (2 if len(short) > 2 else len(short) - 1):
        return True
    # Greek writes d as nt and b as mp.
    near = len(short) > 3 and len(long) - len(short) < 2
    return cross and near and SequenceMatcher(None, left, right).ratio() > CROSS_ALIKE


@lru_cache(maxsize=65536)
def _spell(word: str) -> str:
    """Return a name in lower-case ASCII, with Greek digraphs spelled as they sound."""
    spelled = re.sub(r"[^a-z]", "", fold(word))
    if _GREEK.search(word):
        for pattern, letters in _FROM_GREEK:
            spelled = pattern.sub(letters, spelled)
    return re.sub("dzh|dz|dj", "j", spelled).replace("w", "v").replace("ou", "u")


@lru_cache(maxsize=65536)
def _list_keys(word: str) -> tuple[str, ...]:
    """Return the consonants of a name by class, in each way that its letters may sound. Only a first vowel is kept."""
    keys = []
    for ch, inner, c in product(("s", "k"), ("", "s"), ("s", "k")):
        sounds = _spell(word).replace("cch", "ch").replace("ch", ch).replace("c", c)
        sounds = re.sub(r"(?<=[aeiou])[jy](?=[aeiou])", inner, re.sub(r"^[jy]", "s", sounds))
        for pattern, sound in _SOUNDS:
            sounds = pattern.sub(sound, sounds)
        sounds = re.sub(r"^[aeiou]+", "A", sounds)
        keys.append(re.sub(r"(.)\1+", r"\1", re.sub(r"[^A-Z]", "", sounds)))
    return tuple(dict.fromkeys(keys))


@cache
def _load_table() -> dict[str, Any]:
    return tomllib.loads((WORDS / "entities.toml").read_text(encoding="utf-8"))


@cache
def _list_entities() -> list[tuple[str, re.Pattern[str], bool]]:
    """Return the table's entities: name, pattern over folded words, and whether the first word needs a capital."""
    return [
        (name, re.compile(rf"\b(?:{'|'.join(forms)})(?!\w)"), name in _load_table()["capitals"]["names"])
        for name, forms in _load_table()["names"].items()
    ]


@cache
def _list_territories(language: str) -> list[tuple[str, re.Pattern[str], bool]]:
    """Return the countries as babel names them, in the form of `_list_entities`.

    Countries of the table are left out in languages that have a lexicon.
    """
    from babel import Locale, UnknownLocaleError

    try:
        territories = Locale.parse(language).territories
    except (UnknownLocaleError, ValueError):
        return []
    listed = _load_table()["names"] if load_lexicon(language) else {}
    names = {code: re.findall("[a-z]+", fold(name)) for code, name in territories.items() if code.isalpha()}
    return [
        (code, re.compile(rf"\b{' '.join(map(_write_inflected, words))}(?!\w)"), True)
        for code, words in names.items()
        if code not in listed and len("".join(words)) > ABBREVIATION
    ]


def _write_inflected(word: str) -> str:
    """Return a pattern of a folded word in its cases."""
    kept = len(word) - (2 if len(word) > 6 or word.endswith("ya") else 1 if len(word) > 4 else 0)
    return word[:kept] + (r"\w{0,5}" if kept > ABBREVIATION else "")
