"""One window to play in for some seconds, which records when each frame came. See benchmarks.playing.

python -m benchmarks.playing_child ours|gymnasium SECONDS OUT.json
"""

from __future__ import annotations

import json
import sys
import tempfile
import threading
import time
from pathlib import Path

GAME = "SpaceInvaders"


def play_ours(seconds: float) -> dict[str, object]:
    """Play in the recorder, which records everything; episodes are saved as they end."""
    from data.episode import EmulatorSettings
    from data.library import Library
    from data.verification import verify
    from recorder.play_window import play
    from recorder.session import Session
    from screen.window import Window

    times: list[list[float]] = []

    def begin(_window: Window, session: Session) -> None:
        frame_due, takes = session.frame_due, [None]

        def noted(late_seconds: float = 0.0) -> None:
            if session.take is not takes[0]:
                takes[0] = session.take  # type: ignore[call-overload]
                times.append([])
            times[-1].append(time.perf_counter())
            frame_due(late_seconds)

        session.frame_due = noted  # type: ignore[method-assign]
        threading.Timer(seconds, setattr, (session, "closed", True)).start()

    paces: list[object] = []
    with tempfile.TemporaryDirectory(prefix="replay-coach-bench-") as folder:
        paths = play(
            Library(Path(folder) / "library"),
            GAME,
            "bench",
            EmulatorSettings(seed=1),
            on_ready=begin,
            on_pace=lambda pace: paces.append(vars(pace)),
        )
        verified = all(verify(path).ok for path in paths)
    return {"times": times, "pace": paces[0], "episodes": len(paths), "verified": verified}


def play_gymnasium(seconds: float) -> dict[str, object]:
    """Play the same game in gymnasium's own window, which records nothing."""
    import ale_py
    import gymnasium
    import pygame
    from gymnasium.utils.play import play

    gymnasium.register_envs(ale_py)
    env = gymnasium.make(f"ALE/{GAME}-v5", frameskip=1, repeat_action_probability=0.0, render_mode="rgb_array")
    times: list[list[float]] = [[]]
    end = time.perf_counter() + seconds

    def noted(*step: object) -> None:
        now = time.perf_counter()
        times[-1].append(now)
        if step[4] or step[5]:
            times.append([])
        if now >= end:
            pygame.event.post(pygame.event.Event(pygame.QUIT))

    play(env, fps=60, zoom=3, callback=noted, seed=1)
    return {"times": times}


if __name__ == "__main__":
    result = (play_ours if sys.argv[1] == "ours" else play_gymnasium)(float(sys.argv[2]))
    Path(sys.argv[3]).write_text(json.dumps(result))
