"""A message over the home window, with the actions that help."""

from __future__ import annotations

from dataclasses import dataclass

from home.overview import HomeAction
from screen.canvas import Canvas
from screen.theme import GREEN
from screen.widgets import Button, draw_message, message_buttons


@dataclass(frozen=True)
class HomeNotice:
    """Shown until one of its actions is chosen, or Back."""

    title: str
    text: str
    actions: tuple[tuple[str, str, HomeAction], ...]
    """Label, key and action of each button but the last, which is Back."""

    def buttons(self, canvas: Canvas) -> list[Button]:
        helping = [(label, key, GREEN) for label, key, _ in self.actions]
        return message_buttons(canvas, [*helping, ("Back", "Esc", None)])

    def draw(self, canvas: Canvas, pointer: tuple[float, float]) -> None:
        draw_message(canvas, self.title, self.text, self.buttons(canvas), pointer)

    def key_down(self, key: str) -> tuple[bool, HomeAction | None]:
        """Return whether a key answers the notice, and the action that it chooses. Enter chooses the first one."""
        if key == "return" and self.actions:
            return True, self.actions[0][2]
        chosen = next((action for _, cap, action in self.actions if cap.lower() == key), None)
        return chosen is not None or key == "escape", chosen

    def click(self, canvas: Canvas, x: float, y: float) -> tuple[bool, HomeAction | None]:
        """Return the same for a click."""
        choices = [*(action for *_, action in self.actions), None]
        for button, action in zip(self.buttons(canvas), choices, strict=True):
            if button.contains(x, y):
                return True, action
        return False, None


def no_agent(has_play: bool, training: str) -> HomeNotice:
    """Return what Watch says where no agent can be watched.

    has_play: whether anything is recorded. training: name of a run that is being trained, or "".
    """
    title = "No agent to watch yet"
    if training:
        text = f"{training} is being trained and has not saved an agent yet. Try again in a few minutes."
        return HomeNotice(title, text, (("See the training", "T", "train"),))
    if has_play:
        text = "Train an agent first. You can watch it soon after its training has started."
        return HomeNotice(title, text, (("Train an agent", "T", "train"),))
    text = "First record some play, then train an agent on it. You can watch it soon after its training has started."
    return HomeNotice(title, text, (("Play", "P", "play"), ("Train", "T", "train")))
