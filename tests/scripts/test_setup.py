"""The set-up runs once, resumes where it was stopped, and reports a failure in one sentence."""

import importlib
import os
import pty
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = ROOT / "scripts"


@pytest.fixture(scope="module")
def setup() -> Iterator[ModuleType]:
    sys.path.insert(0, str(SCRIPTS))
    yield importlib.import_module("setup")
    sys.path.remove(str(SCRIPTS))


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("clone")
    shutil.copytree(SCRIPTS, root / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
    (root / "rag" / "models").mkdir(parents=True)
    for name in ("pyproject.toml", "constraints.txt", "rag/models/models.toml"):
        shutil.copy(ROOT / name, root / name)
    return root


def die_unless(file: Path, number: int = signal.SIGILL) -> list[str]:
    """Return a command that kills itself with a signal while `file` does not exist."""
    return [sys.executable, "-c", f"import os; os.path.exists({str(file)!r}) or os.kill(os.getpid(), {number})"]


def test_make_alone_lists_every_command() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    phony = next(line for line in makefile.splitlines() if line.startswith(".PHONY:"))
    words = [word for word in phony.split()[1:] if not word.startswith(".")]
    shown = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert [line.split()[1] for line in shown.splitlines()] == words
    assert {"run", "test", "check", "setup", "help"} <= set(words)


def test_make_chooses_the_encoder_of_the_set_up_and_of_the_chat(tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\necho "$1 with $RAG_ENCODER"\n')
    python.chmod(0o755)
    command = ["make", "run", "ENCODER=bge-m3", f"PYTHON={python}", f"BIN={tmp_path}"]
    shown = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert shown.splitlines() == ["scripts/setup.py with bge-m3", "app.py with bge-m3"]


class TestMachine:
    @pytest.fixture
    def tools(self, tmp_path: Path, setup: ModuleType) -> Path:
        folder = tmp_path / "bin"
        folder.mkdir()
        for tool in setup.TOOLS:
            (folder / tool).write_text("#!/bin/sh\n")
            (folder / tool).chmod(0o755)
        return folder

    def test_is_accepted_when_all_is_there(self, setup: ModuleType, tools: Path) -> None:
        setup.check_machine(str(tools), tools, need=1)

    def test_a_missing_tool_is_named_with_its_package(self, setup: ModuleType, tools: Path) -> None:
        (tools / "cmake").unlink()
        with pytest.raises(setup.SetupError, match=r"^Missing on this machine: cmake\. .*sudo apt install cmake$"):
            setup.check_machine(str(tools), tools, need=1)

    def test_all_missing_tools_are_named_at_once(self, setup: ModuleType, tmp_path: Path) -> None:
        with pytest.raises(setup.SetupError, match=r"sudo apt install gcc g\+\+ cmake make$"):
            setup.check_machine(str(tmp_path), tmp_path, need=1)

    def test_a_full_disk_is_noticed_before_anything_is_downloaded(self, setup: ModuleType, tools: Path) -> None:
        with pytest.raises(setup.SetupError, match="needs 1000000 GB on the disk of"):
            setup.check_machine(str(tools), tools, need=10**15)


class TestSteps:
    def make(self, setup: ModuleType, log: list[str], leaf: Path, key: str = "k") -> list[object]:
        def run(name: str) -> list[Path]:
            log.append(name)
            leaf.touch()
            return [leaf]

        return [setup.Step(name, f"{name}…", key, lambda name=name: run(name)) for name in ("first", "second")]

    def test_are_done_once(self, setup: ModuleType, tmp_path: Path) -> None:
        log: list[str] = []
        for _ in range(2):
            setup.carry_out(self.make(setup, log, tmp_path / "leaf"), tmp_path / "setup.json")
        assert log == ["first", "second"]

    def test_are_done_again_when_what_they_made_is_gone(self, setup: ModuleType, tmp_path: Path) -> None:
        log: list[str] = []
        setup.carry_out(self.make(setup, log, tmp_path / "leaf"), tmp_path / "setup.json")
        (tmp_path / "leaf").unlink()
        setup.carry_out(self.make(setup, log, tmp_path / "leaf"), tmp_path / "setup.json")
        assert log == ["first", "second", "first"], "the first step restored the file of both"

    def test_are_done_again_when_their_key_changed(self, setup: ModuleType, tmp_path: Path) -> None:
        log: list[str] = []
        for key in ("old", "new"):
            setup.carry_out(self.make(setup, log, tmp_path / "leaf", key), tmp_path / "setup.json")
        assert log == ["first", "second"] * 2

    def test_are_not_repeated_when_a_later_one_was_stopped(self, setup: ModuleType, tmp_path: Path) -> None:
        log: list[str] = []
        first, second = self.make(setup, log, tmp_path / "leaf")

        def stop() -> list[Path]:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            setup.carry_out([first, setup.Step("second", "", "k", stop)], tmp_path / "setup.json")
        setup.carry_out([first, second], tmp_path / "setup.json")
        assert log == ["first", "second"]

    def test_are_all_done_when_the_record_is_damaged(self, setup: ModuleType, tmp_path: Path) -> None:
        log: list[str] = []
        (tmp_path / "setup.json").write_text('{"first": ')
        setup.carry_out(self.make(setup, log, tmp_path / "leaf"), tmp_path / "setup.json")
        assert log == ["first", "second"]


class TestProof:
    def test_a_build_that_runs_is_kept(self, setup: ModuleType) -> None:
        builds: list[str] = []
        setup.prove([sys.executable, "-c", ""], builds.append, ["native", "safe"])
        assert builds == []

    @pytest.mark.parametrize("survivor", ["native", "safe"])
    def test_a_build_that_is_killed_by_a_signal_is_replaced(
        self, setup: ModuleType, tmp_path: Path, survivor: str
    ) -> None:
        builds: list[str] = []

        def rebuild(build: str) -> None:
            builds.append(build)
            if build == survivor:
                (tmp_path / "good").touch()

        setup.prove(die_unless(tmp_path / "good"), rebuild, ["native", "safe"])
        assert builds == ["native", "safe"][: len(builds)]
        assert builds[-1] == survivor

    def test_a_library_that_cannot_be_loaded_is_replaced(self, setup: ModuleType, tmp_path: Path) -> None:
        good = tmp_path / "good"
        proof = [sys.executable, "-c", f"import os, sys; sys.exit(0 if os.path.exists({str(good)!r}) else 3)"]
        setup.prove(proof, lambda _build: good.touch(), ["native"])
        assert good.exists()

    def test_if_no_build_runs_one_error_names_the_remedy(self, setup: ModuleType, tmp_path: Path) -> None:
        with pytest.raises(setup.SetupError, match="RAG_GENERATOR"):
            setup.prove(die_unless(tmp_path / "never"), lambda _build: None, ["native", "safe"])

    def test_a_model_that_is_missing_is_no_reason_to_build(self, setup: ModuleType) -> None:
        builds: list[str] = []
        proof = [sys.executable, "-c", "import sys; sys.exit('There is no model here.')"]
        with pytest.raises(setup.SetupError, match="There is no model here"):
            setup.prove(proof, builds.append, ["native"])
        assert builds == []

    def test_being_killed_for_lack_of_memory_is_no_reason_to_build(self, setup: ModuleType, tmp_path: Path) -> None:
        builds: list[str] = []
        with pytest.raises(setup.SetupError, match="SIGKILL"):
            setup.prove(die_unless(tmp_path / "never", signal.SIGKILL), builds.append, ["native"])
        assert builds == []


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="tiles are of x86-64")
def test_the_native_build_leaves_tiles_out_of_c_and_of_cplusplus(setup: ModuleType) -> None:
    flags = dict(argument.removeprefix("-D").split("=", 1) for argument in shlex.split(setup.native_build()))
    tiles = {"-mno-amx-tile", "-mno-amx-int8", "-mno-amx-bf16"}
    assert set(flags["CMAKE_C_FLAGS"].split()) == set(flags["CMAKE_CXX_FLAGS"].split()) == tiles
    assert flags["LLAVA_BUILD"] == "OFF"


def test_the_safe_build_uses_no_more_than_the_processor_announces(setup: ModuleType) -> None:
    flags = shlex.split(setup.safe_build("fpu sse4_2 avx f16c avx512f"))
    assert {"-DGGML_NATIVE=OFF", "-DGGML_AVX=ON", "-DGGML_F16C=ON", "-DGGML_AVX2=OFF", "-DGGML_FMA=OFF"} <= set(flags)
    assert not any("AVX512" in flag for flag in flags)


class TestWatching:
    def run_script(self, text: str, **options: object) -> "subprocess.Popen[str]":
        script = f"import sys; sys.path.insert(0, {str(SCRIPTS)!r}); from processes import watch\n{text}"
        return subprocess.Popen([sys.executable, "-c", script], text=True, **options)  # type: ignore[call-overload]

    def test_a_terminal_shows_the_time_and_ninjas_counter(self) -> None:
        mine, theirs = pty.openpty()
        child = ["sh", "-c", "echo '[3/7] Building'; sleep 1.5"]
        with self.run_script(f"watch({child}, 'llama.cpp')", stdout=theirs) as process:
            process.wait(20)
        shown = os.read(mine, 10_000).decode()
        os.close(mine)
        os.close(theirs)
        assert "llama.cpp  0:00  [3/7]" in shown
        assert shown.endswith("\r\x1b[K"), "the line is erased at the end"

    def test_ctrl_c_leaves_nothing_running(self, tmp_path: Path) -> None:
        grandchild = tmp_path / "pid"
        child = ["sh", "-c", f"sleep 300 & echo $! > {grandchild}.new; mv {grandchild}.new {grandchild}; wait"]
        with self.run_script(f"watch({child}, 'x')", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            wait_for(grandchild.exists)
            process.send_signal(signal.SIGINT)
            assert process.wait(20) != 0
        number = int(grandchild.read_text())
        wait_for(lambda: not is_running(number))


class TestFromNothing:
    """The real script runs on a copy of the project's files, with a real environment and a real pip."""

    def start(self, clone: Path, index: str) -> "subprocess.Popen[str]":
        pip = {"PIP_CONFIG_FILE": os.devnull, "PIP_INDEX_URL": index, "PIP_RETRIES": "1", "PIP_NO_CACHE_DIR": "1"}
        others = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "RAG_"))}
        return subprocess.Popen(
            [sys.executable, "scripts/setup.py"],
            cwd=clone,
            env=others | pip,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def test_no_network_is_one_sentence(self, clone: Path) -> None:
        with self.start(clone, "http://127.0.0.1:9/simple") as process:
            _, errors = process.communicate(timeout=60)
        assert process.returncode == 1
        assert errors.startswith("The Python package index cannot be reached.")
        assert len(errors.splitlines()) == 1

    def test_ctrl_c_is_one_sentence_and_130(self, clone: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            with self.start(clone, f"http://127.0.0.1:{silent.getsockname()[1]}/simple") as process:
                silent.settimeout(60)
                connection, _ = silent.accept()
                process.send_signal(signal.SIGINT)
                _, errors = process.communicate(timeout=30)
            connection.close()
        assert process.returncode == 130
        assert errors.strip() == "Stopped. Run the same command again; it continues from there."


def is_running(number: int) -> bool:
    try:
        return Path(f"/proc/{number}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_for(condition: Callable[[], bool], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "the condition was not met in time"
        time.sleep(0.05)
