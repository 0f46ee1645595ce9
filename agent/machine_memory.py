"""How much memory the machine can still give, and the refusal of a replay memory that would not fit."""

from __future__ import annotations

import os
from pathlib import Path

from agent.memory_slots import SLOT_BYTES
from data.errors import CoachError

USABLE_SHARE = 0.85
"""Share of what is free that a replay memory may take; the network and the emulator need the rest."""


def available_bytes() -> int:
    """Bytes of memory that a new allocation can get: what the system says is free, or the container's limit."""
    limits = []
    info = Path("/proc/meminfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("MemAvailable:"):
                limits.append(int(line.split()[1]) * 1024)
    else:
        limits.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    limit, current = Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory.current")
    if limit.exists() and current.exists() and limit.read_text().strip().isdigit():
        limits.append(int(limit.read_text()) - int(current.read_text()))
    return max(0, min(limits))


def refuse_too_large(own_slots: int, seeded_slots: int) -> None:
    """Raise CoachError, with the size that would fit, where so many slots are more than the machine has room for."""
    wanted = (own_slots + seeded_slots) * SLOT_BYTES
    usable = int(available_bytes() * USABLE_SHARE)
    if wanted <= usable:
        return
    fits = usable // SLOT_BYTES - seeded_slots
    advice = (
        f"--memory-size {fits // 1000 * 1000} would fit"
        if fits >= 1000
        else "choose a smaller seeding or a machine with more memory"
    )
    raise CoachError(
        f"The replay memory for {own_slots:,} own and {seeded_slots:,} seeded transitions takes {wanted / 1e9:.1f} GB, "
        f"and {usable / 1e9:.1f} GB are to be had: {advice}."
    )
