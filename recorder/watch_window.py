"""Watch a demonstrator play, take the controls from it, and give them back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from data.demonstrator import Demonstrator
from data.episode import EmulatorSettings
from data.library import Library
from recorder.key_map import read_key_map
from recorder.play_window import RecorderWindow, opened_window
from recorder.session import Session
from recorder.watch_view import WatchView
from screen.window import Window


def watch(
    library: Library,
    demonstrator: Demonstrator,
    game: str,
    player: str = "",
    seed: int | None = None,
    take_over: bool = False,
    settings: EmulatorSettings | None = None,
    speed: float = 1.0,
    window: Window | None = None,
    on_ready: Callable[[Window, Session], None] | None = None,
) -> list[Path]:
    """Show ``demonstrator`` playing until the window closes; returns the replay files that were kept.

    ``T`` takes the controls and gives them back; a replay file's ``demonstrator`` column says who chose each frame.
    ``take_over``: the person begins. ``settings`` must have the frame skip that the demonstrator is used to; ``seed``
    replaces its seed. A demonstrator that shows its values (``ShowsItsValues``) has them drawn beside the game.
    Episodes are kept or discarded as in ``play``, but closing the window keeps only one in which the person played.
    Raises CoachError where there is no display, for an unknown game, and for a library that cannot be written.
    """
    library.prepare()
    chosen = settings or EmulatorSettings()
    if seed is not None:
        chosen = replace(chosen, seed=seed)
    session = Session(library, game, chosen, read_key_map(), player, speed, other=demonstrator, sound=True)
    assert session.take_over is not None
    session.take_over.person_plays = take_over
    with opened_window(window, session.title) as shown:
        recorder_window = RecorderWindow(shown, session, WatchView(session))
        if not take_over:
            session.start()
        recorder_window.run(on_ready)
    return session.paths
