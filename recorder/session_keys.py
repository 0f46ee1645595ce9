"""What each key and button of the recorder does in the current state of its session."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from recorder.session import Session
from recorder.session_state import VOLUME_STEP, SessionState


class SessionKeys:
    """Passes keys, and the commands of buttons, to a session."""

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
            "quieter": partial(session.change_volume, -VOLUME_STEP),
            "louder": partial(session.change_volume, VOLUME_STEP),
            "slower": partial(session.change_speed, -1),
            "faster": partial(session.change_speed, 1),
            "take_over": session.toggle_take_over,
            "save": session.save,
            "discard": session.discard,
            "start": session.start,
            "count_down": session.count_down,
            "keys": session.toggle_keys,
        }

    def command(self, name: str) -> None:
        """Do what a key or a button asks for; commands of the window are ignored."""
        if name in self._commands:
            self._commands[name]()

    def down(self, key: str) -> None:
        """A key went down."""
        session = self._session
        if key == "f1":
            session.toggle_keys()
        elif session.showing_keys:
            if session.key_map.does(key) == "end":
                session.toggle_keys()
        elif state_command := self._command_of_state(key):
            self.command(state_command)
        elif session.controls.press(key):
            session.start()
        elif name := session.key_map.does(key):
            self.command(name)

    def _command_of_state(self, key: str) -> str | None:
        """Return what a key does in the current state only."""
        state = self._session.state
        if state is SessionState.READY and key == "return":
            return "start"
        if state is SessionState.ENDED and key == "return":
            return "save"
        if state is SessionState.ENDED and key in ("delete", "backspace"):
            return "discard"
        if state is SessionState.PAUSED and key in ("space", "return"):
            return "count_down"
        return None

    def up(self, key: str) -> None:
        """A key went up."""
        self._session.controls.release(key)
        if self._session.key_map.does(key) == "rewind":
            self._session.stop_rewinding()
