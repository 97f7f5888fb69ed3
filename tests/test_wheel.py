"""The wheel is complete: it holds all data of the package, finds its own folders, and declares what it imports."""

import ast
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path
from zipfile import ZipFile

import pytest

from rag.config import ROOT

LOAD = """
import json
from pathlib import Path
from rag.config import Config
from rag.encoding.alignment import load_calibration
from rag.models.registry import known_models
from rag.text.prompts import Prompts

config = Config.from_env()
Prompts.load(config.prompts)
assert known_models() and load_calibration()
print(json.dumps([str(config.prompts), str(config.corpus), str(config.indexes)]))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def names(wheel: Path) -> set[str]:
    with ZipFile(wheel) as archive:
        return set(archive.namelist())


def list_files(folder: str) -> Iterator[str]:
    for file in (ROOT / folder).rglob("*"):
        if file.is_file() and "__pycache__" not in file.parts:
            yield file.relative_to(ROOT).as_posix()


def test_every_file_of_the_package_and_every_prompt_is_inside(names: set[str]) -> None:
    assert set(list_files("rag")) <= names
    assert {f"rag/{file}" for file in list_files("prompts")} <= names


def test_nothing_but_the_package_is_inside(names: set[str]) -> None:
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {"rag"}


def test_an_installed_wheel_uses_its_own_prompts_and_the_folders_of_its_user(wheel: Path, tmp_path: Path) -> None:
    packages, home = tmp_path / "packages", tmp_path / "home"
    home.mkdir()
    with ZipFile(wheel) as archive:
        archive.extractall(packages)
    foreign = ("RAG_", "XDG_")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    environment |= {"PYTHONPATH": str(packages), "HOME": str(home)}
    command = [sys.executable, "-c", LOAD]
    child = subprocess.run(command, cwd=home, env=environment, capture_output=True, text=True, check=True)
    assert child.stdout.strip() == (
        f'["{packages}/rag/prompts", "{home}/seeds", "{home}/.local/share/rag-assistant/indexes"]'
    )


def test_every_library_that_is_imported_is_declared() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    requirements = [*project["dependencies"], *(one for extra in extras if extra != "dev" for one in extras[extra])]
    declared = {normalise(re.split(r"[^\w.-]", requirement)[0]) for requirement in requirements}
    installed = packages_distributions()
    for file in [*(ROOT / "rag").rglob("*.py"), ROOT / "app.py"]:
        for library in list_imports(file) - sys.stdlib_module_names - {"rag"}:
            assert declared & set(map(normalise, installed.get(library, []))), f"{file} imports {library}"


def normalise(name: str) -> str:
    return name.lower().replace("_", "-")


def list_imports(file: Path) -> set[str]:
    nodes = list(ast.walk(ast.parse(file.read_text(encoding="utf-8"))))
    plain = {name.name for node in nodes if isinstance(node, ast.Import) for name in node.names}
    return {name.split(".")[0] for name in plain | {str(n.module) for n in nodes if isinstance(n, ast.ImportFrom)}}
