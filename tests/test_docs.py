"""What the pages under docs/ name is there: commands, settings, models, files."""

import re
from pathlib import Path

import click
import pytest

from rag.cli import cli
from rag.config import ROOT, Config
from rag.models.registry import known_models

PAGES = sorted((ROOT / "docs").glob("*.md"))


def find(pattern: str, page: Path) -> list[str]:
    return re.findall(pattern, page.read_text(encoding="utf-8"))


def test_the_readme_leads_to_each_page() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert PAGES
    assert [page for page in PAGES if f"(docs/{page.name})" not in readme] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_what_a_page_names_is_there(page: Path) -> None:
    settings = {f"RAG_{name.upper()}" for name in Config.model_fields}
    assert set(find(r"RAG_[A-Z_]+", page)) <= settings
    for line in find(r"(?:`|^|\d )rag ([a-z][^`\n]*)", page):
        check_command(line.split())
    for link in find(r"\]\(([^)#]+)[^)]*\)", page):
        assert (page.parent / link).exists()
    for room in find(r"`(\w+\.py|checks/)`", page):
        assert (ROOT / "rag" / room).exists()


def check_command(words: list[str]) -> None:
    command: click.Command = cli
    while isinstance(command, click.Group):
        command = command.commands[words.pop(0)]
    known = {name for option in command.params for name in option.opts}
    assert {word for word in words if word.startswith("-")} <= known


def test_the_page_on_models_tells_of_all_that_are_known() -> None:
    page = (ROOT / "docs" / "choosing-models.md").read_text(encoding="utf-8")
    assert [model.name for model in known_models() if f"`{model.name}`" not in page] == []
