"""The processor, threads and memory allocator of this machine."""

import ctypes
import os
import platform
import re
import sys
from pathlib import Path

TOPOLOGY = Path("/sys/devices/system/cpu")
PROCESSOR = Path("/proc/cpuinfo")
ARCH_PRCTL, ARCH_GET_XCOMP_SUPP, TILE_DATA = 158, 0x1021, 1 << 18
"""System call, request and bit with which a process on Linux x86-64 finds out whether it may use AMX tiles."""
EIGHT_BITS = {"avx512_vnni", "avx_vnni", "amx_int8"}
"""The features, as Linux names them, with which a processor multiplies eight-bit integers fast."""
M_ARENA_MAX = -8
"""The option of mallopt that limits the number of arenas, from glibc's malloc.h."""
SPINS = 1000
"""How often a waiting thread of OpenMP looks for work before it sleeps."""


def count_physical_cores() -> int:
    """Return the number of physical cores that this process may use, counting hardware threads of one core once."""
    if not hasattr(os, "sched_getaffinity"):
        return os.cpu_count() or 1
    allowed = os.sched_getaffinity(0)
    return len({_read_siblings(processor) for processor in allowed})


def _read_siblings(processor: int) -> str:
    try:
        return (TOPOLOGY / f"cpu{processor}" / "topology" / "thread_siblings_list").read_text()
    except OSError:
        return str(processor)


def sleep_while_waiting() -> None:
    """Make the threads of torch and llama.cpp sleep while they wait for each other. Call it before either is loaded.

    By default, GNU OpenMP lets them spin for milliseconds. If another program uses one of the cores, its share is then
    lost to threads that wait for the one it displaced. An existing GOMP_SPINCOUNT is kept.
    """
    os.environ.setdefault("GOMP_SPINCOUNT", str(SPINS))


def read_features(file: Path = PROCESSOR) -> set[str]:
    """Return the features of an x86-64 processor as Linux names them; empty on other systems."""
    try:
        found = re.search(r"^flags\s*: (.*)$", file.read_text(encoding="utf-8"), re.MULTILINE)
    except OSError:
        return set()
    return set(found[1].split()) if found else set()


def multiplies_eight_bits() -> bool:
    """Return whether this processor multiplies eight-bit integers faster than it does float32."""
    return bool(EIGHT_BITS & read_features())


def offers_tiles() -> bool:
    """Return whether a process may use AMX tiles. A virtual machine may report AMX and yet refuse it."""
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        return False
    states = ctypes.c_uint64()
    refused = ctypes.CDLL(None).syscall(ARCH_PRCTL, ARCH_GET_XCOMP_SUPP, ctypes.byref(states))
    return not refused and bool(states.value & TILE_DATA)


def share_memory() -> None:
    """Make all threads of this process allocate from one arena. Call it before any thread is started.

    By default, glibc gives each thread an arena that never shrinks: hundreds of megabytes for tens of threads that
    answer in turn. With other C libraries, which have no such option, this does nothing.
    """
    if hasattr(ctypes.CDLL(None), "mallopt"):
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, 1)
