"""The curator's keys: the key and label of each verdict, and the list of keys that F1 shows."""

from __future__ import annotations

from dataclasses import dataclass

CAPS = {"space": "Space"}
"""How a key is labelled where that is not its capital letter."""


@dataclass(frozen=True)
class VerdictKey:
    """A verdict, the keys that give it, and how it is labelled."""

    verdict: str
    """One of ``data.clip.VERDICTS``."""
    key: str
    """The key that its button shows."""
    label: str
    more_keys: tuple[str, ...] = ()

    @property
    def caps(self) -> list[str]:
        """Labels of its keys, the one on the button first."""
        return [CAPS.get(key, key.upper()) for key in (self.key, *self.more_keys)]


VERDICT_KEYS: tuple[VerdictKey, ...] = (
    VerdictKey("good", "g", "Good"),
    VerdictKey("bad", "b", "Bad"),
    VerdictKey("skip", "s", "Skip", ("space",)),
)
"""The keys of each verdict, for the keyboard, buttons, clicks and the list of keys."""

OTHER_KEYS: tuple[tuple[str, str], ...] = (
    ("Bksp Ctrl+Z", "Undo, as often as you like"),
    ("V", "Skip, and see it again later"),
    ("N", "Write a note on this clip"),
    ("1 … 0", "Reopen one of the last ten verdicts"),
    ("J", "Ask for the learned judge's prediction"),
    ("P", "Pause or resume"),
    ("L", "Loop, or play once"),
    ("← →", "One frame back or forward; with Shift, 15"),
    (", .", "Slower, faster"),
    ("Home End", "The clip's first and last frame"),
    ("I O", "Start and end of a clip of your own"),
    ("+ -", "Zoom the timeline; so does the mouse wheel"),
    ("Q", "Choose a queue"),
    ("Tab", "At the end of a queue: the next queue"),
    ("T", "At the end of a queue: train an agent"),
    ("H F1", "Show or close this list"),
    ("F11", "Full screen"),
)
"""(keys, what they do) of everything that is not a verdict."""


def verdict_of_key(key: str) -> str | None:
    """Return the verdict that a key gives; None for any other key."""
    return next((one.verdict for one in VERDICT_KEYS if key in (one.key, *one.more_keys)), None)


def key_list(quit_label: str = "Quit") -> list[tuple[str, str]]:
    """Return the rows (keys, what they do) of the window's list of keys. ``quit_label``: "Quit" or "Back"."""
    verdicts = [(" ".join(one.caps), one.label) for one in VERDICT_KEYS]
    return [*verdicts, *OTHER_KEYS, ("Esc", f"{quit_label}; everything is saved")]
