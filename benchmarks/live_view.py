"""What the live view costs a training: the processor time of writing one picture of the agent's game.

    python -m benchmarks.live_view

It measures processor time, so that other programs hardly count. At most fifteen pictures a second are written.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import numpy as np

from data.live_view import PICTURE_SECONDS, LiveView
from data.simulation import Emulator

PICTURES = 500


def seconds_of_a_picture() -> float:
    """Return the processor time to write one picture, the least of five rounds."""
    emulator = Emulator("SpaceInvaders")
    for _ in range(300):
        emulator.act(1)
    values = np.zeros(len(emulator.action_meanings), np.float32)
    with tempfile.TemporaryDirectory() as folder:
        live_view = LiveView(Path(folder))
        rounds = []
        for _ in range(5):
            started = time.process_time()
            for _ in range(PICTURES):
                live_view.write(emulator, values, 0.0, evaluating=False)
            rounds.append((time.process_time() - started) / PICTURES)
    return min(rounds)


def main() -> None:
    seconds = seconds_of_a_picture()
    share = seconds / PICTURE_SECONDS
    print(f"A picture takes {seconds * 1000:.2f} ms of one processor; fifteen a second take {share:.2%} of it.")


if __name__ == "__main__":
    main()
