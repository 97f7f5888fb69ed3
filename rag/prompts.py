"""Every text that the model or the reader is given, from `prompts/`, checked when it is loaded.

    prompts/excerpt.txt            what the generator reads before it knows the question
    prompts/question.txt           what follows the excerpt
    prompts/sentences/<tag>.toml   what the reader is told, by language: `cs`, `sr`, `sr-Latn`
"""

import string
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from rag.errors import PromptError

FALLBACK = "en"
TEMPLATES = {"excerpt": {"passage"}, "question": {"question", "language"}}
SENTENCES: dict[str, set[str]] = {"abstain": set(), "nearest": set(), "sources": set()}


@dataclass(frozen=True, slots=True)
class Prompts:
    """The texts of one folder."""

    templates: dict[str, str]
    sentences: dict[str, dict[str, str]]

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read and check `folder`. Raises PromptError naming the file and what is wrong with it."""
        templates = {name: _read(folder / f"{name}.txt") for name in TEMPLATES}
        for name, text in templates.items():
            _check(folder / f"{name}.txt", text, TEMPLATES[name])
        sentences = {file.stem: _load_sentences(file) for file in sorted((folder / "sentences").glob("*.toml"))}
        if FALLBACK not in sentences:
            raise PromptError(f"{folder / 'sentences' / FALLBACK}.toml is missing. Restore it: git checkout prompts")
        return cls(templates, sentences)

    def fill(self, name: str, **values: str) -> str:
        """The template `name` with its variables replaced; the values themselves are never interpreted."""
        return self.templates[name].format(**values)

    def say(self, key: str, language: str, script: str | None = None, **values: str) -> str:
        """The sentence `key` in the given language and script, in English where there is none."""
        for tag in (f"{language}-{script}", language, FALLBACK):
            if tag in self.sentences:
                return self.sentences[tag][key].format(**values)
        raise AssertionError("load() made sure of the fallback")


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PromptError(f"{file} cannot be read ({error}). Restore it: git checkout prompts") from error


def _load_sentences(file: Path) -> dict[str, str]:
    try:
        sentences = tomllib.loads(_read(file))
    except tomllib.TOMLDecodeError as error:
        raise PromptError(f"{file} is not valid TOML: {error}. Correct it there.") from error
    if sentences.keys() != SENTENCES.keys():
        wrong = ", ".join(sorted(sentences.keys() ^ SENTENCES.keys()))
        raise PromptError(f"{file} lacks or does not need: {wrong}. It must hold exactly {', '.join(sorted(SENTENCES))}.")
    for key, text in sentences.items():
        if not isinstance(text, str) or not text.strip():
            raise PromptError(f"{file}: {key} must be a sentence. Write one.")
        _check(file, text, SENTENCES[key])
    return sentences


def _check(file: Path, text: str, variables: set[str]) -> None:
    try:
        found = {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}
    except ValueError as error:
        raise PromptError(f"{file} is malformed: {error}. Braces that are not variables are written twice.") from error
    if found != variables:
        names = ", ".join(sorted(variables)) or "none"
        raise PromptError(f"{file} must use exactly these variables: {names}; it uses {', '.join(sorted(found)) or 'none'}.")
