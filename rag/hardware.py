"""What this machine offers to the models."""

import ctypes
import os
from pathlib import Path

TOPOLOGY = Path("/sys/devices/system/cpu")
M_ARENA_MAX = -8
"""That of glibc's malloc.h."""


def count_physical_cores() -> int:
    """Physical cores that this process may use; two hardware threads of one core count once."""
    if not hasattr(os, "sched_getaffinity"):
        return os.cpu_count() or 1
    allowed = os.sched_getaffinity(0)
    return len({_read_siblings(processor) for processor in allowed})


def _read_siblings(processor: int) -> str:
    try:
        return (TOPOLOGY / f"cpu{processor}" / "topology" / "thread_siblings_list").read_text()
    except OSError:
        return str(processor)


def share_memory() -> None:
    """Have the threads of this process take memory from one place, which what one frees goes back to for all.

    glibc gives every thread a place of its own that keeps what it held at its fullest: for tens of threads that answer
    in turn, hundreds of megabytes. So it is to be called before there are any. Other systems' libraries do not, and are
    left as they are.
    """
    if hasattr(ctypes.CDLL(None), "mallopt"):
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, 1)
