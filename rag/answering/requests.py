"""Read what a question asks about the articles as a collection, from the words of its language in `data/requests.toml`.

Every word of the question is given a role: an article, a number, a language, a date, a verb such as “mention”, or a
function word. The words without a role are what the articles should mention or be about. A question is understood only
if these stand together and the question asks for articles, not for what they say. So “How many articles mention the
soldiers?” is understood, and “How many soldiers do the articles mention?” is not.
"""

import re
import tomllib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from rag.answering.named_languages import find_language, is_article, is_country
from rag.retrieval.periods import Period, find_period, is_date_word
from rag.text.folding import fold_in_script
from rag.text.function_words import is_function_word, is_question_word
from rag.text.language import Language
from rag.text.vocabulary import Vocabulary

TABLE = Path(__file__).parent / "data" / "requests.toml"
LONGEST = 16
"""Maximum number of words of a question about the collection."""
ROLES = ("language", "count", "mention", "summary", "parts", "what", "which", "about", "have", "other")
"""The lists of the table, in the order in which a word is looked up in them."""
Kind = Literal["list", "languages", "mentioning", "concerning", "uncounted"]
_WORD = re.compile(r"[^\W_]+(?:[-.][^\W_]+)*")
_STRONG = {"mention", "about"}
_BESIDE_WHAT = {"article", "text", "named", "language"}


@dataclass(frozen=True, slots=True)
class Request:
    """A question about the collection, taken apart."""

    kind: Kind
    subject: str = ""
    """The name or topic that the articles should have, in the words of the question."""
    language: str | None = None
    """The language of the articles asked about, ISO 639-1."""
    period: Period | None = None
    """The period that the articles asked about are from."""


@dataclass(frozen=True, slots=True)
class _Word:
    role: str
    """One of `ROLES`, or `article`, `text`, `named` (a language), `date`, `weak`, `function` or `unknown`.

    `weak` is a function word that may mean `about`. `which what` is a word of both lists."""
    start: int
    end: int


def read_request(question: str, language: Language, spoken: Collection[str]) -> Request | None:
    """Return what the question asks about the collection, or None if it does not, or if it is not understood.

    `spoken` lists the languages that it may name.
    """
    found = list(_WORD.finditer(question))
    if language.code not in _load() or len(found) > LONGEST:
        return None
    parts = _load()[language.code]["parts"]
    if not any(is_article(match.group()) or fold_in_script(match.group()) in parts for match in found):
        return None
    period = find_period(question, language.code, of_articles=True)
    words = [_read_word(match, match is found[0], language, spoken, period) for match in found]
    roles = [word.role for word in words]
    if not _asks_for_articles(roles):
        return None
    kind = _find_kind(roles, period)
    if kind is None:
        return None
    unknown = [word for word in words if word.role == "unknown"]
    subject = question[unknown[0].start : unknown[-1].end] if unknown else ""
    return Request(kind, subject, find_language(question, language, spoken), period)


def asks_for_summary(question: str, language: Language) -> bool:
    """Return whether a question that names an article asks what it is about."""
    words = [fold_in_script(match.group()) for match in _WORD.finditer(question)]
    # The language of so short a request is uncertain, but words such as “summarise” are of one language only.
    wanted = [lists["summary"] for lists in _load().values()]
    if language.code in _load():
        wanted.append(_load()[language.code]["about"])
    return any(word in listed for word in words for listed in wanted)


def _asks_for_articles(roles: Sequence[str]) -> bool:
    """Return whether the words ask for articles, or for their parts, and not for what they say."""
    if not {"article", "text"} & set(roles) and not {"count", "parts"} <= set(roles):
        return False
    beside = (following for role, following in zip(roles, (*roles[1:], ""), strict=True) if role == "which what")
    return "what" not in roles and all(following in _BESIDE_WHAT for following in beside)


def _find_kind(roles: Sequence[str], period: Period | None) -> Kind | None:
    unknown = [place for place, role in enumerate(roles) if role == "unknown"]
    if not unknown:
        return _find_kind_of_all(roles, period)
    article = next((place for place, role in enumerate(roles) if role in ("article", "text")), None)
    if article is None:
        return None
    first, last = unknown[0], unknown[-1]
    # “How many soldiers do the articles mention?”, but in some languages the subject may stand before “how many”.
    if first < article and (last > article or not {"count", "which"} & set(roles[last:article])):
        return None
    if "summary" in roles or _STRONG & set(roles[first:last]):
        return None
    if "mention" in roles:
        return "mentioning"
    # “About” precedes the subject in most languages, and follows it in others.
    before = [role for role in roles[:first] if role != "function"]
    if "about" in roles or "weak" in (*before[-1:], *roles[last + 1 : last + 2]):
        return "concerning"
    return "uncounted" if "count" in roles[:article] and "article" in roles and "have" not in roles else None


def _find_kind_of_all(roles: Sequence[str], period: Period | None) -> Kind | None:
    """Return what is asked about all articles, or those in a language or from a period."""
    if "parts" in roles:
        return "uncounted" if "count" in roles else None
    if {"summary", "about", "mention"} & set(roles):
        return None
    if "language" in roles and "named" not in roles:
        return "languages"
    return "list" if period or "count" in roles else None


def _read_word(
    match: re.Match[str], opens: bool, language: Language, spoken: Collection[str], period: Period | None
) -> _Word:
    role = _find_role(match.group(), language, spoken, period)
    # Kim is also a question word in Polish.
    is_name = not opens and match.group().istitle() and role in ("what", "function")
    return _Word("unknown" if is_name else role, match.start(), match.end())


def _find_role(word: str, language: Language, spoken: Collection[str], period: Period | None) -> str:
    if is_article(word):
        return "article" if is_article(word, texts=False) else "text"
    if period and is_date_word(word, language.code):
        return "date"
    lists = _load()[language.code]
    role = next((role for role in ROLES if fold_in_script(word) in lists[role]), None)
    if role == "what" and fold_in_script(word) in lists["which"]:
        return "which what"
    is_function = is_function_word(word, language.code)
    if role == "about" and is_function:
        return "weak"
    if role:
        return role
    if is_function:
        return "what" if is_question_word(word, language.code) else "function"
    is_named = find_language(word, language, spoken) and not is_country(word, language)
    return "named" if is_named else "unknown"


@cache
def _load() -> dict[str, dict[str, Vocabulary]]:
    """Return the lists of each language."""
    loaded: dict[str, dict[str, Vocabulary]] = {}
    for code, table in tomllib.loads(TABLE.read_text(encoding="utf-8")).items():
        lists = {
            role: Vocabulary((fold_in_script(word), role) for word in table.get(role, "").split()) for role in ROLES
        }
        loaded |= dict.fromkeys((code, *table.get("also", ())), lists)
    return loaded
