"""Set everything up: `python3 scripts/setup.py [--dev]`.

Uses only the standard library, as it runs before anything is installed. Every finished step is recorded in
`.venv/setup.json`, so a second run takes no time and an interrupted one continues where it stopped.
"""

# ruff: noqa: T201 - this is a command line

from __future__ import annotations

import argparse
import fcntl
import hashlib
import importlib.util
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from processes import say, started, watch
from steps import Step, carry_out

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ROOT = Path(__file__).resolve().parents[1]
OLDEST_PYTHON = (3, 11)
TOOLS = {"gcc": "gcc", "g++": "g++", "cmake": "cmake", "make": "make"}
"""Commands that building llama.cpp needs, and the Debian packages that provide them."""
GIGABYTE = 10**9
DISK = 4 * GIGABYTE
"""Bytes that `.venv` needs while it is built. Space for the models is checked when they are fetched."""

LIGHT_MODEL = "qwen2.5-coder-0.5b"
LLAMA = "llama-cpp-python"
NO_TILES = "-mno-amx-tile -mno-amx-int8 -mno-amx-bf16"
CANNOT_BE_LOADED = 3
BAD_BUILD = {-signal.SIGILL, -signal.SIGSEGV, -signal.SIGABRT, -signal.SIGBUS, -signal.SIGFPE, CANNOT_BE_LOADED}
"""Exit codes of rag.generation.probe that mean llama.cpp was built for another machine."""

AGAIN = "Run the same command again; it continues from there."
CAUSES = {
    r"No space left on device|Disk quota exceeded": "The disk is full. Free some space.",
    r"Retrying \(|Max retries exceeded|Connection broken|Read timed out": (
        "The Python package index cannot be reached. Check the connection and pip's proxy and index settings."
    ),
    r"No matching distribution found for (?P<what>\S+)": (
        "The package index that pip uses has no {what} for this Python and processor. Set pip to one that does."
    ),
}


class SetupError(Exception):
    """The set-up cannot continue. The message says why and what to do."""


def plan(root: Path, development: bool) -> list[Step]:
    """Return every step, in order."""
    here = Environment(root)
    sources = [root / "pyproject.toml", root / "constraints.txt", Path(__file__)]
    installed = _hash(sys.version, *(file.read_text(encoding="utf-8") for file in sources))
    settings = [f"{name}={value}" for name, value in sorted(os.environ.items()) if name.startswith("RAG_")]
    fetched = _hash(installed, *settings, (root / "rag" / "models" / "models.toml").read_text(encoding="utf-8"))
    processor = read_processor()
    corpus = Path(os.environ.get("RAG_CORPUS", root / "seeds"))
    indexed = _hash(fetched, *(_describe(file) for file in sorted(corpus.rglob("*"))))

    def prove_build() -> list[Path]:
        prove(
            [str(here.python), "-m", "rag.generation.probe"],
            here.rebuild_llama,
            [native_build(), safe_build(processor)],
        )
        return []

    steps = [
        Step("environment", "Creating the virtual environment in .venv.", installed, here.create),
        Step("torch", "Installing torch: 0.2 GB, or 3 GB for a build with GPU support.", installed, here.install_torch),
        Step("llama.cpp", "Installing llama.cpp: 77 MB, then 5 to 10 minutes to build.", installed, here.install_llama),
        Step("packages", "Installing the other packages: 0.4 GB.", installed, here.install_packages),
        Step("models", "Fetching the models: 1.2 GB, stored in the cache.", fetched, here.fetch_models),
        Step("proof", "Testing llama.cpp on this processor.", _hash(fetched, processor), prove_build),
        Step("index", "Bringing the index up to date.", indexed, here.build_index),
    ]
    for_tests = [
        Step("tools", "Installing the test tools: 0.6 GB.", installed, here.install_tools),
        Step("light model", "Fetching the light model for the tests: 0.5 GB.", fetched, here.fetch_light_model),
    ]
    return [*steps, *for_tests] if development else steps


class Environment:
    """The virtual environment in `root/.venv`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / ".venv"
        self.python = self.folder / "bin" / "python"
        self.packages = self.folder / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"

    def create(self) -> list[Path]:
        """Create the environment, unless a working one for this Python exists, and pin pip."""
        check_machine(os.environ.get("PATH", os.defpath), self.root)
        sound = f"import sys, pip; sys.exit(sys.version_info[:2] != {tuple(sys.version_info[:2])})"
        if not self.python.exists() or watch([str(self.python), "-c", sound], "checking .venv")[0] != 0:
            code, output = watch([sys.executable, "-m", "venv", "--clear", str(self.folder)], "creating .venv")
            if code != 0:
                raise SetupError(f"{self.folder} cannot be created: {' '.join(output).strip()}")
        self.pip("--upgrade", "pip")
        return [self.python]

    def install_torch(self) -> list[Path]:
        """Install the pinned torch before another package can ask for a different one."""
        self.pip("torch")
        return [self.packages / "torch"]

    def install_llama(self) -> list[Path]:
        """Install llama.cpp, from pip's cache if it was built before."""
        self.pip("--verbose", LLAMA, label="llama.cpp", cmake=native_build())
        return [self.packages / "llama_cpp"]

    def rebuild_llama(self, cmake: str) -> None:
        """Build llama.cpp from source, and remove the former build from pip's cache."""
        watch([str(self.python), "-m", "pip", "cache", "remove", LLAMA.replace("-", "_")], "clearing the cache")
        anew = ["--no-cache-dir", "--no-binary", LLAMA, "--force-reinstall", "--no-deps", "--verbose", LLAMA]
        self.pip(*anew, label="llama.cpp", cmake=cmake)

    def install_packages(self) -> list[Path]:
        """Install this project in place, with its dependencies."""
        self.pip("--editable", f"{self.root}[documents,server]")
        return [self.folder / "bin" / "rag", self.packages / "sentence_transformers", self.packages / "gradio"]

    def install_tools(self) -> list[Path]:
        """Install what `make test` and `make check` need."""
        self.pip("--editable", f"{self.root}[dev]")
        return [self.folder / "bin" / name for name in ("pytest", "ruff", "mypy")]

    def fetch_models(self, *names: str) -> list[Path]:
        """Fetch the named models, by default the configured ones, and return their paths."""
        self.rag("models", "fetch", *names)
        command = [str(self.folder / "bin" / "rag"), "models", "path", *names]
        return [Path(line) for line in subprocess.check_output(command, text=True).splitlines()]  # noqa: S603

    def fetch_light_model(self) -> list[Path]:
        """Fetch the smaller generator that the tests use too."""
        return self.fetch_models(LIGHT_MODEL)

    def build_index(self) -> list[Path]:
        """Bring the index up to date."""
        self.rag("index")
        folder = Path(os.environ.get("RAG_INDEXES", self.root / "indexes"))
        return [folder / os.environ.get("RAG_INDEX", "default")]

    def pip(self, *arguments: str, label: str | None = None, cmake: str | None = None) -> None:
        """Run `pip install` under constraints.txt, or raise SetupError with the reason why it stopped."""
        constraints, log = self.root / "constraints.txt", self.folder / "setup.log"
        command = [str(self.python), "-m", "pip", "install", "--log", str(log), "-c", str(constraints), *arguments]
        environment = {**os.environ, "PIP_BUILD_CONSTRAINT": str(constraints)}
        if cmake:
            environment["CMAKE_ARGS"] = f"{cmake} {os.environ.get('CMAKE_ARGS', '')}"
        code, output = watch(command, label, environment)
        if code != 0:
            raise SetupError(explain(output, log))

    def rag(self, *arguments: str) -> None:
        """Run a `rag` command, which shows its own progress and errors. Raises SystemExit if it fails."""
        with started([str(self.folder / "bin" / "rag"), *arguments]) as child:
            child.wait()
        if child.returncode != 0:
            raise SystemExit(1)


def prove(proof: Sequence[str], rebuild: Callable[[str], None], builds: Sequence[str]) -> None:
    """Test llama.cpp with the command `proof`; while it crashes, rebuild with the next CMake arguments in `builds`."""
    for build in (None, *builds):
        if build is not None:
            say("  It does not run on this processor. Building it from source: 5 to 10 minutes.")
            rebuild(build)
        code, output = watch(proof, "loading a model and evaluating some tokens")
        if code == 0:
            return
        if code not in BAD_BUILD:
            ended = signal.Signals(-code).name if code < 0 else f"exit code {code}"
            raise SetupError(f"llama.cpp could not be tested: {output[-1].strip() if output else ended}")
    raise SetupError(
        "llama.cpp does not run on this processor, not even in its most compatible build. "
        "Set RAG_GENERATOR to the address of an OpenAI-compatible server, http://…/v1, instead."
    )


def native_build() -> str:
    """Return CMake arguments for this processor without AMX tiles, which some virtual machines announce but refuse."""
    no_tiles = f"-DCMAKE_C_FLAGS='{NO_TILES}' -DCMAKE_CXX_FLAGS='{NO_TILES}'"
    return f"-DLLAVA_BUILD=OFF {no_tiles if platform.machine() == 'x86_64' else ''}".strip()


def safe_build(processor: str) -> str:
    """Return CMake arguments that use only the common features among those in `processor`."""
    features = {"SSE42": "sse4_2", "AVX": "avx", "AVX2": "avx2", "FMA": "fma", "F16C": "f16c", "BMI2": "bmi2"}
    announced = processor.split()
    switches = [f"-DGGML_{name}={'ON' if flag in announced else 'OFF'}" for name, flag in features.items()]
    return " ".join(["-DLLAVA_BUILD=OFF -DGGML_NATIVE=OFF", *switches])


def read_processor() -> str:
    """Return the features that the processor announces, or an empty string if the system does not list them."""
    try:
        found = re.search(r"^(?:flags|Features)\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    except OSError:
        return ""
    return found[1] if found else ""


def check_machine(search_path: str, folder: Path, need: int = DISK) -> None:
    """Raise SetupError unless the tools are on `search_path` and `need` bytes are free on the disk of `folder`."""
    missing = [package for tool, package in TOOLS.items() if not shutil.which(tool, path=search_path)]
    if importlib.util.find_spec("ensurepip") is None:
        missing.append("python3-venv")
    if missing:
        names = " ".join(missing)
        raise SetupError(f"Missing on this machine: {', '.join(missing)}. Install with: sudo apt install {names}")
    free = shutil.disk_usage(folder).free
    if free < need:
        raise SetupError(
            f"The set-up needs {need / GIGABYTE:.0f} GB on the disk of {folder}, which has {free / GIGABYTE:.1f} GB "
            "free. Free some space and run the same command again."
        )


def explain(output: Sequence[str], log: Path) -> str:
    """Return why pip stopped and what to do about it, from its output."""
    text = "".join(output)
    for pattern, sentence in CAUSES.items():
        if found := re.search(pattern, text):
            return f"{sentence.format(**found.groupdict())} {AGAIN}"
    reasons = [line.strip() for line in output if line.lower().lstrip().startswith("error")] or ["no reason given"]
    return f"pip stopped: {reasons[-1]} (more in {log}). {AGAIN}"


def wait_for_others(folder: int) -> None:
    """Lock the open project folder until this process ends, as two set-ups at once would interfere."""
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        say("Another set-up is running in this folder. Waiting for it to finish.")
        fcntl.flock(folder, fcntl.LOCK_EX)


def _hash(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()


def _describe(file: Path) -> str:
    facts = file.stat()
    return f"{file} {facts.st_size} {facts.st_mtime_ns}"


def main(arguments: Sequence[str]) -> int:
    """Set everything up and return the exit code: 0 for success, 1 for an error, 130 for Ctrl-C."""
    parser = argparse.ArgumentParser(description="Set everything up. Steps that are done already are skipped.")
    parser.add_argument("--dev", action="store_true", help="also install what the tests and checks need")
    development = parser.parse_args(arguments).dev
    for end in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(end, signal.default_int_handler)
    try:
        if sys.version_info < OLDEST_PYTHON:
            raise SetupError(
                f"Python 3.11 or later is required; this is {platform.python_version()}. Name another: make PYTHON=…"
            )
        wait_for_others(os.open(ROOT, os.O_RDONLY))
        carry_out(plan(ROOT, development), ROOT / ".venv" / "setup.json")
    except SetupError as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        print(f"The set-up failed: {error}. {AGAIN}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"\nStopped. {AGAIN}", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
