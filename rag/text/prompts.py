"""Load and check the texts in `prompts/`: everything that a model or a user is given to read.

prompts/excerpt.txt            the passage, which the generator reads before the question
prompts/judge.txt              follows the passage and asks whether it contains the answer
prompts/question.txt           follows the passage and asks for the answer
prompts/insist.txt             replaces question.txt after an answer in the wrong language
prompts/sentences/<tag>.toml   sentences around an answer, by language: `cs`, `sr`, `sr-Latn`
prompts/page/<tag>.toml        labels and messages of the page, by language
prompts/programs.toml          descriptions of tools and endpoints for programs, in English
"""

import re
import string
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from rag.errors import PromptError
from rag.text.invisible import drop_hidden

FALLBACK = "en"
"""Language of the texts that are used for a language without its own."""
TEMPLATES = {
    "excerpt": {"passage"},
    "judge": {"question"},
    "question": {"question", "language"},
    "insist": {"question", "language"},
}
SENTENCES: dict[str, set[str]] = {
    "abstain": set(),
    "nearest": set(),
    "sources": set(),
    "page": {"page"},
    "quoted": {"origin", "quote"},
    "articles": {"count"},
    "newest": set(),
    "oldest": set(),
    "summary": set(),
    **{key: set() for key in ("greeting", "welcome", "ready", "farewell", "about", "uncounted", "contrary")},
    "languages": {"languages"},
    "mentioning": {"name", "count"},
    "concerning": {"count"},
}
PAGE: dict[str, set[str]] = {
    **{
        key: set()
        for key in (
            *("title", "tongue", "tab_ask", "tab_figures"),
            *("articles", "find", "undated", "add", "remove_sure"),
            *("filters", "languages", "files", "since", "until"),
            *("conversation", "placeholder", "ask", "stop", "examples", "searching", "judging", "stopped"),
            *("empty_question", "nothing_passes"),
            *("verified", "listed", "abstained", "sources", "nearest", "evidence", "open"),
            *("steps", "unjudged", "said", "rejected", "copy", "copied", "save_markdown", "save_json"),
            *("article", "previous", "next", "close", "changed", "gone"),
            *("by_language", "by_date", "index_state", "index_name", "built", "passages", "encoder", "generator"),
            *("last_answers", "question", "to_evidence", "to_answer", "nothing_asked", "evaluation", "heat_map"),
        )
    },
    "intro": {"articles", "languages"},
    "example": {"name"},
    "found": {"found", "all"},
    "adding": {"source"},
    "encoding": {"done", "total"},
    "in_use": {"articles"},
    "remove": {"source"},
    "removing": {"source"},
    "queued": {"place"},
    "reading": {"source"},
    "unexpected": {"error"},
    "long_question": {"length", "most"},
    "no_date": {"date"},
    "marker": {"number"},
    "likely": {"percent"},
    "seconds": {"seconds"},
    "citation": {"number", "all"},
}
PROGRAMS: dict[str, set[str]] = {
    key: set()
    for key in (
        *("title", "instructions", "among"),
        *("ask", "search", "list_articles", "open_article", "answer", "converse"),
    )
}
_QUOTATION = re.compile('"{3,}')
_ROLE = re.compile(r"\[(/?[A-Z_]+)\]")
_ANGLES = str.maketrans("<>", "‹›")
Table = dict[str, dict[str, str]]


@dataclass(frozen=True, slots=True)
class Prompts:
    """The checked texts of one folder."""

    templates: dict[str, str]
    sentences: Table
    page: Table
    programs: dict[str, str]

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read and check `folder`. Raises PromptError, which names the file and what is wrong with it."""
        templates = {name: _read(folder / f"{name}.txt") for name in TEMPLATES}
        for name, text in templates.items():
            _check(folder / f"{name}.txt", text, TEMPLATES[name])
        return cls(
            templates,
            _load_table(folder / "sentences", SENTENCES),
            _load_table(folder / "page", PAGE),
            _load_language(folder / "programs.toml", PROGRAMS),
        )

    def fill(self, name: str, **values: str) -> str:
        """Return the template `name` with its variables replaced. No value can act as markup or as a variable."""
        return self.templates[name].format(**{key: _tame(value) for key, value in values.items()})

    def say(self, key: str, language: str, script: str | None = None, **values: str) -> str:
        """Return the sentence `key` in a language and script, or in English if there is none."""
        return _choose(self.sentences, language, script)[key].format(**values)

    def label(self, key: str, language: str, script: str | None = None, **values: str) -> str:
        """Return the label `key` of the page in a language and script, or in English if there is none."""
        return _choose(self.page, language, script)[key].format(**values)


def _tame(value: str) -> str:
    """Return a value that can neither close the quotation around it nor be read as the markup of a chat template.

    The generator in this process ignores such markup anyway, but a server may not.
    """
    value = _QUOTATION.sub("”", drop_hidden(value))
    return _ROLE.sub(r"(\1)", value).translate(_ANGLES)


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise PromptError(f"{file} cannot be read ({error}). Restore it: git checkout prompts") from error


def _choose(table: Table, language: str, script: str | None) -> dict[str, str]:
    tags = (f"{language}-{script}", language, FALLBACK)
    return next(table[tag] for tag in tags if tag in table)


def _load_table(folder: Path, keys: dict[str, set[str]]) -> Table:
    table = {file.stem: _load_language(file, keys) for file in sorted(folder.glob("*.toml"))}
    if FALLBACK not in table:
        raise PromptError(f"{folder / FALLBACK}.toml is missing. Restore it: git checkout prompts")
    return table


def _load_language(file: Path, keys: dict[str, set[str]]) -> dict[str, str]:
    try:
        sentences = tomllib.loads(_read(file))
    except tomllib.TOMLDecodeError as error:
        raise PromptError(f"{file} is not valid TOML: {error}. Correct the file.") from error
    if sentences.keys() != keys.keys():
        wrong = ", ".join(sorted(sentences.keys() ^ keys.keys()))
        raise PromptError(
            f"{file} has missing or unknown keys: {wrong}. It must have exactly {', '.join(sorted(keys))}."
        )
    for key, text in sentences.items():
        if not isinstance(text, str) or not text.strip():
            raise PromptError(f"{file}: {key} must be a non-blank string. Write one.")
        _check(file, text, keys[key])
    return sentences


def _check(file: Path, text: str, variables: set[str]) -> None:
    try:
        fields = [field for field in string.Formatter().parse(text) if field[1] is not None]
    except ValueError as error:
        raise PromptError(f"{file} is malformed: {error}. Double braces that are not variables.") from error
    found = {str(name) for _, name, _, _ in fields}
    # A format or a conversion would fail only when the text is used, or change it silently.
    if found != variables or any(spec or conversion for _, _, spec, conversion in fields):
        raise PromptError(
            f"{file} must use exactly these variables, without formats: {_list(variables)}. It uses {_list(found)}. "
            "Correct the file."
        )


def _list(variables: set[str]) -> str:
    return ", ".join(f"{{{name}}}" for name in sorted(variables)) or "none"
