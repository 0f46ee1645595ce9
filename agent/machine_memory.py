"""How much memory the machine has left, and the refusal of a replay memory that would not fit."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from data.errors import CoachError

USABLE_SHARE = 0.85
"""Share of the available memory that a replay memory may take; the network and the emulator need the rest."""


def available_bytes() -> int:
    """Return the bytes of memory that a new allocation can get, from the system and the container's limit.

    ``sys.maxsize`` where the system does not say (Windows).
    """
    limits = []
    info = Path("/proc/meminfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("MemAvailable:"):
                limits.append(int(line.split()[1]) * 1024)
    elif hasattr(os, "sysconf"):
        limits.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    limit, current = Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory.current")
    if limit.exists() and current.exists() and limit.read_text().strip().isdigit():
        limits.append(int(limit.read_text()) - int(current.read_text()))
    return max(0, min(limits, default=sys.maxsize))


def refuse_too_large(own_slots: int, seeded_slots: int, slot_bytes: int) -> None:
    """Raise CoachError, with the size that would fit, where so many slots need more memory than is available."""
    wanted = (own_slots + seeded_slots) * slot_bytes
    usable = int(available_bytes() * USABLE_SHARE)
    if wanted <= usable:
        return
    fits = usable // slot_bytes - seeded_slots
    advice = (
        f"--memory-size {fits // 1000 * 1000} would fit"
        if fits >= 1000
        else "choose a smaller seeding or a machine with more memory"
    )
    raise CoachError(
        f"The replay memory for {own_slots:,} own and {seeded_slots:,} seeded transitions takes {wanted / 1e9:.1f} GB, "
        f"but only {usable / 1e9:.1f} GB are available: {advice}."
    )
