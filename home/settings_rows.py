"""The settings as a person sees them: one row each, with its values in words. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from home.settings import Settings

Kind = Literal["text", "choice", "door"]

FULL_SCREEN = "full screen"
WINDOW_SIZES = ((960, 600), (1280, 800), (1600, 1000), (1920, 1200), (2560, 1600))


@dataclass(frozen=True)
class SettingRow:
    """One row. ``names``: the settings that it changes together; none for a door."""

    label: str
    kind: Kind
    names: tuple[str, ...]
    explanation: str
    values: tuple[tuple[tuple[Any, ...], str], ...] = ()
    """For a choice: values of ``names`` and how they are called."""

    def options(self, settings: Settings) -> tuple[tuple[tuple[Any, ...], str], ...]:
        """The values to choose from, the present one among them, whatever it is."""
        now = self.now(settings)
        if any(value == now for value, _ in self.values):
            return self.values
        return (*self.values, (now, " x ".join(str(part) for part in now[:2])))

    def now(self, settings: Settings) -> tuple[Any, ...]:
        return tuple(getattr(settings, name) for name in self.names)

    def place(self, settings: Settings) -> int:
        """Which of ``options`` is set."""
        return [value for value, _ in self.options(settings)].index(self.now(settings))

    def with_value(self, settings: Settings, value: Sequence[Any]) -> Settings:
        return replace(settings, **dict(zip(self.names, value, strict=True)))


def _numbers(values: Sequence[int], words: dict[int, str]) -> tuple[tuple[tuple[Any, ...], str], ...]:
    return tuple(((value,), words.get(value, str(value))) for value in values)


def setting_rows(login_name: str, processors: int) -> list[SettingRow]:
    """All rows, in their order. ``processors``: how many this machine has."""
    windows = tuple(((width, height, False), f"{width} x {height}") for width, height in WINDOW_SIZES)
    threads = sorted({0, 1, 2, 4, 8, processors} & {0, *range(1, processors + 1)})
    return [
        SettingRow(
            "Your name",
            "text",
            ("player",),
            "Stands in every episode you play and under every verdict you give. "
            + (f"Empty: your login name, {login_name}." if login_name else ""),
        ),
        SettingRow(
            "Game",
            "door",
            ("game",),
            "What is played, judged and trained: any Atari 2600 game that ale-py knows.",
        ),
        SettingRow(
            "Hold each action for",
            "choice",
            ("frame_skip",),
            "Frames for which what you do is held. An agent decides every 4 frames; played alike, your decisions are "
            "ones that it could have made.",
            _numbers((1, 2, 3, 4, 5, 6, 8), {1: "1 frame", 4: "4 frames, as the agent"}),
        ),
        SettingRow(
            "Sticky actions",
            "choice",
            ("sticky",),
            "How often the last action is executed once more instead of yours. Off is how people expect a game to "
            "answer; 0.25 is how agents are often measured.",
            (((0.0,), "off"), ((0.1,), "0.1 of frames"), ((0.25,), "0.25 of frames"), ((0.5,), "0.5 of frames")),
        ),
        SettingRow(
            "Sound", "choice", ("sound",), "The game's own sound while you play.", (((True,), "on"), ((False,), "off"))
        ),
        SettingRow(
            "Window",
            "choice",
            ("window_width", "window_height", "full_screen"),
            "The size at which the window opens. F11 changes to full screen and back at any time.",
            (*windows, ((1280, 800, True), FULL_SCREEN)),
        ),
        SettingRow(
            "Goal of a sitting",
            "choice",
            ("goal",),
            "How many verdicts you mean to give before you stop; the judging window counts with you.",
            _numbers((0, 10, 20, 50, 100, 200), {0: "none"}),
        ),
        SettingRow(
            "Threads for training",
            "choice",
            ("threads",),
            "How many of this machine's processors a training may use. Fewer leave room for playing meanwhile.",
            _numbers(threads, {0: f"all ({processors})"}),
        ),
        SettingRow("Keys", "door", (), "Which key does what while you play: choose your own."),
    ]
