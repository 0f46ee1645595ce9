"""The rows of the settings window: what can be set, its choices and its explanation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from home.settings import Settings
from screen.window_size import fits

Kind = Literal["text", "choice", "action"]

FULL_SCREEN = "full screen"
WINDOW_SIZES = (
    *((960, 600), (1280, 720), (1280, 800), (1600, 900), (1600, 1000)),
    *((1920, 1080), (1920, 1200), (2560, 1440), (2560, 1600)),
)


@dataclass(frozen=True)
class SettingRow:
    """One row. ``names``: the settings that it changes together; none for an action."""

    label: str
    kind: Kind
    names: tuple[str, ...]
    explanation: str
    values: tuple[tuple[tuple[Any, ...], str], ...] = ()
    """For a choice: values of ``names`` and their labels."""
    label_of_other: Callable[..., str] = lambda *parts: " ".join(map(str, parts))
    """Returns the label of a current value that is not among ``values``."""

    def options(self, settings: Settings) -> tuple[tuple[tuple[Any, ...], str], ...]:
        """Return the values to choose from, including the current one."""
        now = self.now(settings)
        if any(value == now for value, _ in self.values):
            return self.values
        return (*self.values, (now, self.label_of_other(*now)))

    def now(self, settings: Settings) -> tuple[Any, ...]:
        return tuple(getattr(settings, name) for name in self.names)

    def place(self, settings: Settings) -> int:
        """Return the index of the current one of ``options``."""
        return [value for value, _ in self.options(settings)].index(self.now(settings))

    def with_value(self, settings: Settings, value: Sequence[Any]) -> Settings:
        return replace(settings, **dict(zip(self.names, value, strict=True)))


def _numbers(values: Sequence[int], words: dict[int, str]) -> tuple[tuple[tuple[Any, ...], str], ...]:
    return tuple(((value,), words.get(value, str(value))) for value in values)


def setting_rows(login_name: str, processors: int, usable: tuple[int, int]) -> list[SettingRow]:
    """Return all rows in order. processors: how many this machine has. usable: the size of its screen, in pixels."""
    offered = [size for size in WINDOW_SIZES if fits(size, usable)]
    windows = tuple(((width, height, False), f"{width} x {height}") for width, height in offered)

    def other_size(width: int, height: int, _: bool) -> str:
        return f"{width} x {height}" + ("" if fits((width, height), usable) else ", reduced to fit")

    threads = sorted({0, 1, 2, 4, 8, processors} & {0, *range(1, processors + 1)})
    return [
        SettingRow(
            "Your name",
            "text",
            ("player",),
            "Saved with your episodes and verdicts. "
            + (f"If empty, your login name: {login_name}." if login_name else ""),
        ),
        SettingRow(
            "Game",
            "action",
            ("game",),
            "The game that you play, judge and train: any Atari 2600 game of ale-py.",
        ),
        SettingRow(
            "Hold each action for",
            "choice",
            ("frame_skip",),
            "For how many frames each of your actions is held. An agent decides every 4 frames, so with 4 your "
            "decisions are ones that it could have made.",
            _numbers((1, 2, 3, 4, 5, 6, 8), {1: "1 frame", 4: "4 frames, like the agent"}),
        ),
        SettingRow(
            "Sticky actions",
            "choice",
            ("sticky",),
            "How often the last action is repeated instead of yours. Off is what players expect; agents are often "
            "evaluated with 0.25.",
            (((0.0,), "off"), ((0.1,), "0.1 of frames"), ((0.25,), "0.25 of frames"), ((0.5,), "0.5 of frames")),
        ),
        SettingRow(
            "Sound", "choice", ("sound",), "The game's own sound while you play.", (((True,), "on"), ((False,), "off"))
        ),
        SettingRow(
            "Window",
            "choice",
            ("window_width", "window_height", "full_screen"),
            "The size of new windows. One that you resize opens in its last size again. F11 switches to full screen "
            "and back at any time.",
            (*windows, ((1280, 800, True), FULL_SCREEN)),
            other_size,
        ),
        SettingRow(
            "Game picture",
            "choice",
            ("whole_multiples",),
            "The game's picture when you play, watch and play back. Filling the window makes it as large as possible; "
            "with whole multiples all pixels are equally large.",
            (((False,), "fill the window"), ((True,), "whole multiples only")),
        ),
        SettingRow(
            "Goal of a session",
            "choice",
            ("goal",),
            "How many verdicts you want to give in one session; the judging window counts them.",
            _numbers((0, 10, 20, 50, 100, 200), {0: "none"}),
        ),
        SettingRow(
            "Threads for training",
            "choice",
            ("threads",),
            "How many of this machine's processors a training may use. Use fewer to leave some for playing.",
            _numbers(threads, {0: f"all ({processors})"}),
        ),
        SettingRow("Keys", "action", (), "The keys that you play with."),
    ]
