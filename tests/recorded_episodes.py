"""Episodes for tests, recorded with the real emulator."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import numpy as np

from data.episode import EmulatorSettings, demonstrator_index
from data.library import Library
from data.simulation import Emulator

FIRST_MORNING = datetime(2026, 1, 1, 8, tzinfo=UTC)


def record_random_play(
    library: Library,
    frames: int,
    seed: int = 0,
    game: str = "SpaceInvaders",
    markers: Iterable[int] = (),
    player: str = "Ada",
) -> str:
    """Publish an episode of random play with at most so many frames, and return its id.

    The action is held for 4 frames. With the same arguments it is always the same episode. ``markers`` are frame
    numbers.
    """
    emulator = Emulator(game, EmulatorSettings(seed=seed))
    rng = np.random.default_rng(seed)
    origin = emulator.origin(player, FIRST_MORNING + timedelta(minutes=seed))
    writer = library.begin_episode(origin, "random", emulator.state())
    wanted = set(markers)
    action = 0
    for number in range(frames):
        if number % 4 == 0:
            action = int(rng.integers(len(emulator.action_meanings)))
        after = emulator.step(action)
        writer.append(action, demonstrator_index("random"), after)
        if writer.frame_count in wanted:
            writer.mark()
        if after.game_over:
            break
    return writer.publish("game_over" if emulator.game_over else "truncated", emulator.palette).stem
