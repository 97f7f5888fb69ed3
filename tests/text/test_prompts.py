"""Valid texts in `prompts/` are loaded, and invalid ones are refused with an error that names the file."""

import tomllib
import unicodedata
from pathlib import Path

import pytest

from rag.config import ROOT
from rag.errors import PromptError
from rag.text.prompts import PAGE, PROGRAMS, SENTENCES, Prompts

ASKING = ROOT / "rag/text/data/asking.toml"
"""The question words of every language that is expected to be asked in."""
LANGUAGES = [*tomllib.loads(ASKING.read_text(encoding="utf-8")), "bs", "ja", "ko", "sr-Latn", "th", "zh"]
KEYS = [key for key, variables in SENTENCES.items() if not variables]


def sentences(tag: str) -> str:
    return write(SENTENCES, tag)


def labels(tag: str) -> str:
    return write(PAGE, tag)


def write(keys: dict[str, set[str]], tag: str) -> str:
    variables = {key: "".join(f" {{{name}}}" for name in sorted(names)) for key, names in keys.items()}
    return "".join(f'{key} = "{key} in {tag}{variables[key]}"\n' for key in keys)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("sentences", "page"):
        (tmp_path / name).mkdir()
    (tmp_path / "programs.toml").write_text("".join(f'{key} = "What {key} does."\n' for key in PROGRAMS))
    (tmp_path / "excerpt.txt").write_text("Read: {passage}", encoding="utf-8")
    (tmp_path / "judge.txt").write_text("Is it there? {question}", encoding="utf-8")
    (tmp_path / "question.txt").write_text('{{"ask": "{question}"}} in {language}', encoding="utf-8")
    (tmp_path / "insist.txt").write_text("{question} again in {language}", encoding="utf-8")
    for tag in ("en", "sr", "sr-Latn"):
        (tmp_path / "sentences" / f"{tag}.toml").write_text(sentences(tag), encoding="utf-8")
        (tmp_path / "page" / f"{tag}.toml").write_text(labels(tag), encoding="utf-8")
    return tmp_path


def test_every_promised_language_has_sentences_in_its_own_script() -> None:
    prompts = Prompts.load(ROOT / "prompts")
    assert set(LANGUAGES) <= prompts.sentences.keys()
    for key in KEYS:
        assert alphabets(prompts.say(key, "sr", "Cyrl")) == {"CYRILLIC"}
        assert alphabets(prompts.say(key, "sr", "Latn")) == {"LATIN"}
    for tag in LANGUAGES:
        found = alphabets(" ".join(prompts.say(key, tag) for key in KEYS))
        assert len(found - {"HIRAGANA", "KATAKANA"}) == 1, f"{tag} mixes {found}"
        quoted = prompts.say("quoted", tag, origin="", quote="") + prompts.say("articles", tag, count="")
        assert alphabets(quoted) <= found | {"KATAKANA"}, f"{tag} quotes in {alphabets(quoted)}"
        assert tag == "en" or prompts.say("abstain", tag) != prompts.say("abstain", "en"), f"{tag} is not translated"


def alphabets(text: str) -> set[str]:
    return {unicodedata.name(letter).split()[0] for letter in text if letter.isalpha()}


@pytest.mark.parametrize(
    "name", ["excerpt.txt", "judge.txt", "question.txt", "sentences/en.toml", "page/en.toml", "programs.toml"]
)
def test_a_missing_file_is_refused_by_name(folder: Path, name: str) -> None:
    (folder / name).unlink()
    assert_refused(folder, name)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (sentences("cs") + 'apology = "Promiňte"\n', "apology"),
        (sentences("cs").replace("nearest = ", "closest = "), "keys: closest, nearest"),
        (sentences("cs").replace("abstain in cs", "{question}"), "question"),
        (sentences("cs").replace("abstain in cs", "{"), "malformed"),
        (sentences("cs").replace("abstain in cs", "  "), "abstain"),
        (sentences("cs").replace('"abstain in cs"', "7"), "abstain"),
        (sentences("cs").replace('cs"', "cs"), "not valid TOML"),
        ("", f"keys: {', '.join(sorted(SENTENCES))}"),
    ],
    ids=["unknown key", "renamed key", "variable", "open brace", "blank", "number", "unclosed string", "empty"],
)
def test_malformed_sentences_are_refused_by_file_and_reason(folder: Path, content: str, reason: str) -> None:
    (folder / "sentences" / "cs.toml").write_text(content, encoding="utf-8")
    assert_refused(folder, "sentences/cs.toml", reason)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("Read this.", "passage"),
        ("Read: {text}", "text"),
        ("Read: {passage} {question}", "question"),
        ("Read: {passage.source}", "passage"),
        ("Read: {passage:d}", "without formats"),
        ("Read: {passage!r}", "without formats"),
        ("Read: {passage", "malformed"),
        ("Read: passage}", "malformed"),
    ],
    ids=[
        "absent variable",
        "wrong variable",
        "variable too many",
        "attribute",
        "format",
        "conversion",
        "open brace",
        "closing brace",
    ],
)
def test_a_malformed_template_is_refused_by_file_and_reason(folder: Path, content: str, reason: str) -> None:
    (folder / "excerpt.txt").write_text(content, encoding="utf-8")
    assert_refused(folder, "excerpt.txt", reason)


@pytest.mark.parametrize("name", ["excerpt.txt", "sentences/sr.toml"])
def test_a_file_that_is_not_utf8_is_refused_by_name(folder: Path, name: str) -> None:
    content = (folder / name).read_text(encoding="utf-8")
    (folder / name).write_bytes(content.replace("sr", "č").replace("Read", "čti").encode("cp1250"))
    assert_refused(folder, name, "utf-8")


def assert_refused(folder: Path, name: str, reason: str = "") -> None:
    with pytest.raises(PromptError) as caught:
        Prompts.load(folder)
    message = str(caught.value)
    assert str(folder / name) in message
    assert reason in message.replace(str(folder / name), "")


def test_braces_in_a_value_are_text_and_doubled_braces_in_a_template_are_one(folder: Path) -> None:
    filled = Prompts.load(folder).fill("question", question="{language} {0} {{x}} }{", language="{question}")
    assert filled == '{"ask": "{language} {0} {{x}} }{"} in {question}'


@pytest.mark.parametrize(
    ("language", "script", "tag"),
    [
        ("sr", "Latn", "sr-Latn"),
        ("sr", "Cyrl", "sr"),
        ("sr", None, "sr"),
        ("en", "Latn", "en"),
        ("xx", "Latn", "en"),
        ("xx", None, "en"),
    ],
)
def test_sentences_and_labels_are_in_the_nearest_language_and_script(
    folder: Path, language: str, script: str | None, tag: str
) -> None:
    prompts = Prompts.load(folder)
    assert [prompts.say(key, language, script) for key in KEYS] == [f"{key} in {tag}" for key in KEYS]
    label = prompts.label("reading", language, script, source="{news}.txt")
    assert label == f"reading in {tag} {{news}}.txt"
