"""What a process that runs for long takes of the machine."""

import os
import subprocess
import sys

import pytest

from rag.config import ROOT

COUNT = """
import ctypes
import tempfile
import threading

import numpy as np

from rag.hardware import share_memory

{call}
libc = ctypes.CDLL(None)
libc.fopen.restype = ctypes.c_void_p
held, together = [], threading.Barrier(8)


def take():
    together.wait()
    held.extend(np.ones(1000) for _ in range(100))


threads = [threading.Thread(target=take) for _ in range(8)]
for one in threads:
    one.start()
for one in threads:
    one.join()
with tempfile.NamedTemporaryFile() as told:
    stream = ctypes.c_void_p(libc.fopen(told.name.encode(), b"w"))
    libc.malloc_info(0, stream)
    libc.fclose(stream)
    print(told.read().count(b"<heap "))
"""


def count_places(call: str) -> int:
    told = subprocess.run([sys.executable, "-c", COUNT.format(call=call)], cwd=ROOT, capture_output=True, check=True)
    return int(told.stdout)


@pytest.mark.skipif("glibc" not in (os.confstr("CS_GNU_LIBC_VERSION") or ""), reason="There is no glibc here")
def test_threads_take_memory_from_one_place() -> None:
    assert count_places("") > 1
    assert count_places("share_memory()") == 1
