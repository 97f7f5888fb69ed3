"""The pages under docs/ name only commands, settings, models and files that exist."""

import re
from pathlib import Path

import click
import pytest

from rag.cli import cli
from rag.config import ROOT, Config
from rag.models.registry import known_models

PAGES = sorted((ROOT / "docs").glob("*.md"))
DOCUMENTS = [*PAGES, ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "evaluation" / "README.md"]
SETTINGS = {f"RAG_{name.upper()}" for name in Config.model_fields}


def find(pattern: str, page: Path) -> list[str]:
    return re.findall(pattern, page.read_text(encoding="utf-8"), re.MULTILINE)


def test_the_readme_is_short_and_leads_to_each_page() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(readme.splitlines()) <= 150
    assert PAGES
    assert [page for page in PAGES if f"(docs/{page.name})" not in readme] == []


@pytest.mark.parametrize("page", DOCUMENTS, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_a_page_names_only_what_exists(page: Path) -> None:
    assert set(find(r"(?<![A-Z_])RAG_[A-Z_]+", page)) <= SETTINGS
    for line in find(r"(?:`|^)rag ([a-z][^`\n]*)", page):
        check_command(line.split())
    for link in find(r"\]\(([^)#]+)[^)]*\)", page):
        assert link.startswith("http") or (page.parent / link).exists()
    for path in find(r"`((?:rag|evaluation|stress|tests|prompts|docs|scripts)/[\w./-]+)", page):
        assert (ROOT / path.rstrip(".")).exists(), path
    for module in find(r"python -m ([a-z_.]+)", page):
        if module.split(".")[0] in ("rag", "evaluation", "stress"):
            path = ROOT / module.replace(".", "/")
            assert path.with_suffix(".py").exists() or (path / "__main__.py").exists(), module


def check_command(words: list[str]) -> None:
    command: click.Command = cli
    while isinstance(command, click.Group):
        command = command.commands[words.pop(0)]
    known = {name for option in command.params for name in option.opts}
    assert {word for word in words if word.startswith("-")} <= known


def test_the_page_on_models_lists_every_known_model() -> None:
    page = (ROOT / "docs" / "choosing-models.md").read_text(encoding="utf-8")
    assert [model.name for model in known_models() if f"`{model.name}`" not in page] == []
