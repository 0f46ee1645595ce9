"""Waking up 60 times a second beside a program whose system calls take milliseconds.

    python -m benchmarks.waking [--seconds 20] [--rounds 3]

In turns by time.sleep and by the recorder's own rest. Real-time priority goes before all programs, but many kernels of
Linux finish what they do for a program first. The program beside it calls the kernel twice a second for some
milliseconds, just before a frame is due, from wherever Linux wakes it, which is mostly where it slept; it begins on
the processor of the loop. Needs real-time priority.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable

from data.episode import FRAMES_PER_SECOND
from data.pace_report import LATE_SECONDS
from recorder.undisturbed import before_other_work, has_real_time_priority, processor, rest

CALLS_EVERY_FRAMES = 30
BESIDE = """
import ctypes, os, resource, select, struct, sys, time
usable, here, due, every = os.sched_getaffinity(0), int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])
os.sched_setaffinity(0, {here})
count = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (count, count))
count = min(count, 20000)
reading, writing = os.pipe()
os.write(writing, b"x")
inner, outer = select.epoll(), select.epoll()
inner.register(reading, select.EPOLLIN)
outer.register(inner.fileno(), select.EPOLLIN)
asked = ctypes.create_string_buffer(struct.pack("ihh", outer.fileno(), select.POLLIN, 0) * count)
poll = ctypes.CDLL(None).poll
begin = time.perf_counter()
poll(asked, count, 0)
print(time.perf_counter() - begin, flush=True)
os.sched_setaffinity(0, usable)
parent = os.getppid()
while os.getppid() == parent:
    time.sleep(max(0.0, due - 0.0008 - time.perf_counter()))
    poll(asked, count, 0)
    due += every
"""


def late_frames(sleep: Callable[[float], None], seconds: float) -> tuple[int, int, float]:
    """Frames more than LATE_SECONDS late, all frames, and the seconds that one call of the other program took."""
    late, frames = 0, round(seconds * FRAMES_PER_SECOND)
    with before_other_work():
        if not has_real_time_priority():
            raise SystemExit("The system grants no real-time priority here.")
        start = time.perf_counter() + 1.0
        told = [str(processor()), str(start), str(CALLS_EVERY_FRAMES / FRAMES_PER_SECOND)]
        with subprocess.Popen([sys.executable, "-c", BESIDE, *told], stdout=subprocess.PIPE, text=True) as beside:
            assert beside.stdout is not None
            try:
                call_seconds = float(beside.stdout.readline())
                for number in range(frames):
                    due = start + number / FRAMES_PER_SECOND
                    if (wait := due - time.perf_counter()) > 0:
                        sleep(wait)
                    late += time.perf_counter() - due > LATE_SECONDS
            finally:
                beside.kill()
    return late, frames, call_seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20.0, help="of each loop")
    parser.add_argument("--rounds", type=int, default=3, help="turns of the two")
    options = parser.parse_args()
    ways: dict[str, Callable[[float], None]] = {"time.sleep": time.sleep, "the recorder's rest": rest}
    for _ in range(options.rounds):
        for name, sleep in ways.items():
            late, frames, call_seconds = late_frames(sleep, options.seconds)
            calls = f"{1e3 * call_seconds:.1f} ms"
            print(f"{name:20} {late:4} of {frames} frames late, beside calls of {calls}", flush=True)
    print(f"{len(os.sched_getaffinity(0))} processors")


if __name__ == "__main__":
    main()
