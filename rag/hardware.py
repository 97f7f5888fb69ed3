"""What this machine offers to the models."""

import os
from pathlib import Path

TOPOLOGY = Path("/sys/devices/system/cpu")


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
