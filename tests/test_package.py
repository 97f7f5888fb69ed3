"""The package exports what it says, imports little, and keeps each heavy library in its own modules."""

import ast
import inspect
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import rag
from rag.config import ROOT

HEAVY = (
    "torch",
    "transformers",
    "sentence_transformers",
    "faiss",
    "llama_cpp",
    "gradio",
    "openai",
    "lingua",
    "mcp",
    "ray",
)
OWNERS = {
    "sentence_transformers": {"transformer"},
    "faiss": {"vectors"},
    "llama_cpp": {"engine", "probe"},
    "openai": {"remote"},
    "pymilvus": {"milvus"},
    "ray": {"ray_workers"},
    "mcp": {"mcp_tools"},
    "watchfiles": {"watch"},
    "gradio": {"app", "api", "layout", "handlers"},
}
IMPORTED_LATE = {
    "generation.engine",
    "page.api",
    "page.layout",
    "page.handlers",
    "reading.inputs",
    "reading.network",
    "reading.packing",
}
"""Modules that are imported when they are first needed."""
MODULES = {
    ".".join(file.relative_to(ROOT / "rag").with_suffix("").parts): file
    for file in (ROOT / "rag").rglob("*.py")
    if file.stem != "__init__"
}


def run(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout


def parse(file: Path) -> ast.Module:
    try:
        return ast.parse(file.read_text(encoding="utf-8"))
    except SystemError:
        # CPython 3.11 occasionally miscounts its recursion depth (gh-106905). A second attempt succeeds.
        return ast.parse(file.read_text(encoding="utf-8"))


def imports_of(file: Path) -> Iterator[str]:
    """Yield the modules that a file imports anywhere, except those imported for type checking only."""
    tree = parse(file)
    for_types = {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING"
        for node in ast.walk(block)
    }
    for node in ast.walk(tree):
        if id(node) in for_types:
            continue
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.module
            assert not node.level
            yield node.module
            yield from (f"{node.module}.{name.name}" for name in node.names)


def test_the_package_exports_its_public_names_and_nothing_else() -> None:
    names = set(run("from rag import *; print(*[name for name in dir() if not name.startswith('__')])").split())
    assert names == set(rag.__all__)
    assert list(rag.__all__) == sorted(rag.__all__)
    for name in rag.__all__:
        thing = getattr(rag, name)
        assert inspect.getdoc(thing) or name == "Event"
        assert getattr(thing, "__name__", name) == name


def test_the_names_for_type_checkers_are_those_that_exist() -> None:
    tree = ast.parse((ROOT / "rag" / "__init__.py").read_text(encoding="utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    seen = {name.name: node.module for node in block.body if isinstance(node, ast.ImportFrom) for name in node.names}
    assert set(seen) == set(rag.__all__)
    for name, module in seen.items():
        assert getattr(rag, name) is getattr(sys.modules[str(module)], name)


def test_a_missing_name_raises_attribute_error_as_in_any_module() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Answers'"):
        rag.Answers  # noqa: B018


def test_importing_the_package_imports_nothing_but_the_standard_library() -> None:
    loaded = run(
        "import sys; before = set(sys.modules); import rag\n"
        "print(*{name.split('.')[0] for name in set(sys.modules) - before} - sys.stdlib_module_names)"
    )
    assert loaded.split() == ["rag"]


def test_importing_every_module_imports_no_heavy_library() -> None:
    modules = ", ".join(f"rag.{name}" for name in MODULES.keys() - IMPORTED_LATE)
    loaded = run(f"import sys, {modules}; print(*sys.modules)").split()
    assert {f"rag.{name}" for name in MODULES.keys() - IMPORTED_LATE} <= set(loaded)
    assert not {f"rag.{name}" for name in IMPORTED_LATE} & set(loaded)
    assert [name for name in HEAVY if name in loaded] == []


def test_the_command_is_imported_fast_enough_for_completion() -> None:
    loaded = run("import sys, rag.cli; print(*sys.modules)").split()
    assert {"numpy", "rich", *HEAVY}.isdisjoint(loaded)


@pytest.mark.parametrize("library", OWNERS)
def test_each_heavy_library_is_imported_by_its_own_modules_only(library: str) -> None:
    files = [*MODULES.values(), ROOT / "app.py"]
    importers = {file.stem for file in files if any(name.split(".")[0] == library for name in imports_of(file))}
    assert importers == OWNERS[library]
