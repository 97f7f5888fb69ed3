"""Distinguish languages that share most of their words or letters.

`data/relatives.toml` lists the groups and the alphabets, and `data/members.toml` the words that only some members of a
group have.
"""

import re
import tomllib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from rag.text.scripts import script_of_letter, usual_script

RELATIVES = Path(__file__).parent / "data" / "relatives.toml"
MEMBERS = Path(__file__).parent / "data" / "members.toml"
STRAY = 0.1
"""Likelihood of a letter from outside a language's alphabet."""
SHARED = 11 / 12
"""Rough share of the letters of a Russian text that Serbian has too.

While a text has only such letters, each of them makes the larger language less likely by this factor."""
WITHOUT_OWN = 0.1
"""Likelihood that a text has none of the letters that only its language has."""


@dataclass(frozen=True, slots=True)
class Group:
    """Languages that are treated as one until the last step of detection."""

    speakers: dict[str, float]
    """Millions of speakers of each member, by ISO 639-1 code."""
    scripts: tuple[str, ...]
    only: dict[str, str] = field(default_factory=dict)
    """The only member that is written in a script, by script."""


@dataclass(frozen=True, slots=True)
class _Relatives:
    aliases: dict[str, str]
    """The code of a language or a group, keyed by its other codes and by the codes of the group's members."""
    groups: dict[str, Group]
    lingua: dict[str, list[str]]
    alphabets: dict[str, str]
    own_letters: dict[str, str]
    minor: frozenset[str]


def resolve(code: str) -> str:
    """Return the code of the language's group, or of the language itself if it has no group."""
    return _load().aliases.get(code, code)


def find_group(code: str) -> Group | None:
    """Return the group with that code, or None if the code belongs to a single language."""
    return _load().groups.get(code)


def list_scripts(code: str) -> tuple[str, ...]:
    """Return the scripts that a language, or its group, is written in; none if CLDR does not know the language."""
    group = find_group(resolve(code))
    if group:
        return group.scripts
    usual = usual_script(code)
    return (usual,) if usual and len(code) == 2 else ()


def list_in_lingua(code: str, script: str) -> list[str]:
    """Return lingua's codes for a language or a group in a script."""
    group = find_group(code)
    if group and script in group.only:
        return [group.only[script]]
    return _load().lingua.get(code) or (list(group.speakers) if group else [code])


def load_alphabets() -> dict[str, str]:
    """Return the Cyrillic letters of each language or group that has an alphabet in the table."""
    return _load().alphabets


def weigh_letters(letters: str, code: str) -> float:
    """Return a factor: how likely a text in a language is to have exactly these Cyrillic letters.

    If the letters fit several languages, this favours a small language over its larger relatives.
    """
    table = _load()
    used = {letter for letter in set(letters) if script_of_letter(letter) == "Cyrl"}
    if not used or code not in table.alphabets:
        return 1.0
    factor: float = STRAY ** len(used.difference(table.alphabets[code]))
    if code in table.own_letters:
        return factor * (1.0 if used & set(table.own_letters[code]) else WITHOUT_OWN)
    if code not in table.minor and used <= set().union(*(table.alphabets[minor] for minor in table.minor)):
        return factor * SHARED ** len(letters)
    return factor


def pick_member(text: str, group: Group, script: str, probabilities: Mapping[str, float]) -> str:
    """Return the member of the group that `text` is written in.

    Words that only some members have decide. Ties are broken by `probabilities`, by language, and by speakers.
    """
    if script in group.only:
        return group.only[script]
    counts: Counter[str] = Counter()
    for expression, languages in _load_telling_words():
        counts.update(dict.fromkeys(languages, len(expression.findall(text.lower()))))
    speakers = group.speakers
    return max(speakers, key=lambda member: (counts[member], probabilities.get(member, 0.0) * speakers[member]))


@cache
def _load() -> _Relatives:
    table = tomllib.loads(RELATIVES.read_text(encoding="utf-8"))
    groups = {
        code: Group(group["speakers"], tuple(group["scripts"]), group.get("only", {}))
        for code, group in table["groups"].items()
    }
    members = {member: code for code, group in groups.items() for member in group.speakers}
    return _Relatives(
        aliases=members | table["aliases"],
        groups=groups,
        lingua=table["lingua"],
        alphabets=table["alphabets"],
        own_letters=table["own_letters"],
        minor=frozenset(table["minor"]["languages"]),
    )


@cache
def _load_telling_words() -> list[tuple[re.Pattern[str], list[str]]]:
    """Return patterns of words, each with the members of a group that have these words."""
    groups = tomllib.loads(MEMBERS.read_text(encoding="utf-8"))["words"]
    alternatives = ("|".join(map(re.escape, group["written"].split())).replace(r"\*", r"\w*") for group in groups)
    return [
        (re.compile(rf"\b(?:{words})\b"), group["languages"]) for words, group in zip(alternatives, groups, strict=True)
    ]
