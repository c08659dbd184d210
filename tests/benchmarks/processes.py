"""What processes of this machine have used, as Linux counts it (``/proc``)."""

from __future__ import annotations

import os
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def family_of(pid: int) -> list[int]:
    """The process and all that descend from it."""
    found = [pid]
    for parent in found:
        for children in Path(f"/proc/{parent}/task").glob("*/children"):
            found += map(int, children.read_text().split())
    return found


def cpu_of(pid: int) -> float:
    """Seconds of CPU of a process and its children, those that have ended included."""
    total = 0
    for one in family_of(pid):
        try:
            stat = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        # utime, stime; of children that were waited for.
        total += sum(map(int, stat[11:15] if one == pid else stat[11:13]))
    return total / _TICKS


def memory_of(pid: int) -> float:
    """Megabytes that are resident, of this process alone."""
    status = Path(f"/proc/{pid}/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024
