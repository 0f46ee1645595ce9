"""What each key does to a session, at each of its stages."""

from __future__ import annotations

from collections.abc import Callable

from recorder.session import Session
from recorder.stage import Stage


class SessionKeys:
    """Takes the names of keys, and of commands that a button gives, to a session."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._commands: dict[str, Callable[[], None]] = {
            "pause": session.toggle_pause,
            "end": session.end,
            "restart": session.restart,
            "bring_back": session.bring_back,
            "rewind": session.start_rewinding,
            "forward": session.forward,
            "marker": session.mark,
            "mute": session.toggle_mute,
            "slower": session.slower,
            "faster": session.faster,
            "take_over": session.toggle_take_over,
            "keep": session.keep,
            "discard": session.discard,
            "start": session.start,
            "count_down": session.count_down,
            "keys": session.toggle_keys,
        }

    def command(self, what: str) -> None:
        """Do one of the things that a key or a button can do; things that the window does are ignored."""
        if what in self._commands:
            self._commands[what]()

    def down(self, key: str) -> None:
        """A key went down, whatever it is for."""
        session = self._session
        if key == "f1":
            session.toggle_keys()
        elif session.showing_keys:
            if session.key_map.does(key) == "end":
                session.toggle_keys()
        elif stage_command := self._command_of_stage(key):
            self.command(stage_command)
        elif session.controls.press(key):
            session.start()
        elif what := session.key_map.does(key):
            self.command(what)

    def _command_of_stage(self, key: str) -> str | None:
        """What a key does just now and not otherwise."""
        stage = self._session.stage
        if stage is Stage.READY and key == "return":
            return "start"
        if stage is Stage.ENDED and key == "return":
            return "keep"
        if stage is Stage.ENDED and key in ("delete", "backspace"):
            return "discard"
        if stage is Stage.PAUSED and key in ("space", "return"):
            return "count_down"
        return None

    def up(self, key: str) -> None:
        """A key came up."""
        self._session.controls.release(key)
        if self._session.key_map.does(key) == "rewind":
            self._session.stop_rewinding()
