"""The threads of a process share one memory arena and sleep while they wait; the processor is known."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from rag.config import ROOT
from rag.hardware import read_features

COUNT = """
import ctypes
import tempfile
import threading

import numpy as np

from rag.hardware import share_memory

{call}
libc = ctypes.CDLL(None)
libc.fopen.restype = ctypes.c_void_p
arrays, start = [], threading.Barrier(8)


def allocate():
    start.wait()
    arrays.extend(np.ones(1000) for _ in range(100))


threads = [threading.Thread(target=allocate) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
with tempfile.NamedTemporaryFile() as report:
    stream = ctypes.c_void_p(libc.fopen(report.name.encode(), b"w"))
    libc.malloc_info(0, stream)
    libc.fclose(stream)
    print(report.read().count(b"<heap "))
"""


def count_arenas(call: str) -> int:
    child = subprocess.run([sys.executable, "-c", COUNT.format(call=call)], cwd=ROOT, capture_output=True, check=True)
    return int(child.stdout)


@pytest.mark.skipif("glibc" not in (os.confstr("CS_GNU_LIBC_VERSION") or ""), reason="needs glibc")
def test_all_threads_allocate_from_one_arena() -> None:
    assert count_arenas("") > 1
    assert count_arenas("share_memory()") == 1


@pytest.mark.parametrize(("before", "after"), [({}, "1000"), ({"GOMP_SPINCOUNT": "7"}, "7")])
def test_openmp_is_told_to_let_waiting_threads_sleep_before_it_is_loaded(before: dict[str, str], after: str) -> None:
    script = "import os, sys, rag; print(os.environ['GOMP_SPINCOUNT'], 'torch' in sys.modules)"
    environment = {name: value for name, value in os.environ.items() if name != "GOMP_SPINCOUNT"} | before
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [after, "False"]


def test_the_features_of_the_processor_are_read(tmp_path: Path) -> None:
    file = tmp_path / "cpuinfo"
    file.write_text("processor\t: 0\nflags\t\t: fpu avx2 avx512_vnni\nprocessor\t: 1\nflags\t\t: fpu\n")
    assert read_features(file) == {"fpu", "avx2", "avx512_vnni"}
    file.write_text("Features\t: fp asimd\n")
    assert read_features(file) == read_features(tmp_path / "missing") == set()
