"""What the player can click, at each stage of a session: the same things that keys do."""

from __future__ import annotations

from dataclasses import dataclass

from recorder.key_map import KeyMap, key_label
from recorder.session import Session
from recorder.stage import Stage
from screen.layout import Box
from screen.theme import GREEN, OLIVE, ORANGE, Colour
from screen.widgets import Button

BUTTON_HEIGHT = 36.0
GAP = 8.0


@dataclass(frozen=True)
class Offer:
    """Something that can be done now: its command, label, key and colour."""

    command: str
    label: str
    key: str
    colour: Colour | None = None


def offers(session: Session) -> list[Offer]:
    """What the side panel offers at this stage, most likely first."""
    keys = session.key_map
    end, restart = Offer("end", "End", keys.label("end")), Offer("restart", "Start over", keys.label("restart"))
    rewind = Offer("rewind", "Rewind", keys.label("rewind"))
    listed = Offer("keys", "All keys", "F1")
    if session.stage is Stage.READY:
        found = [Offer("start", "Start", key_label("return"), GREEN), listed]
        if session.can_bring_back:
            found.append(Offer("bring_back", "Bring back", keys.label("bring_back"), OLIVE))
        else:
            found.append(Offer("edit_keys", "Set keys", "F2"))
        if session.take_over is None:
            found.append(Offer("games", "Games", keys.label("games")))
            found.append(Offer("reopen", "Resume", keys.label("reopen")))
        return [*found, Offer("end", "Leave", keys.label("end"))]
    if session.stage is Stage.COMING_BACK:
        return [Offer("end", "Leave it", keys.label("end"))]
    if session.stage is Stage.PLAYING:
        found = [Offer("pause", "Pause", keys.label("pause")), rewind, Offer("marker", "Marker", keys.label("marker"))]
        if session.take_over is not None:
            found.append(_take_over(session, keys))
        return [*found, restart, end, listed]
    if session.stage is Stage.ENDED:
        return []
    found = [Offer("pause", "Go on", keys.label("pause"), GREEN), Offer("count_down", "3-2-1", key_label("space"))]
    return [*found, rewind, Offer("forward", "Forward", keys.label("forward")), restart, end]


def _take_over(session: Session, keys: KeyMap) -> Offer:
    assert session.take_over is not None
    label = "Give back" if session.take_over.person_plays else "Take over"
    return Offer("take_over", label, keys.label("take_over"), OLIVE)


def end_offers(session: Session) -> list[Offer]:
    """What the question at an episode's end offers."""
    return [
        Offer("keep", "Keep", key_label("return"), GREEN),
        Offer("discard", "Discard", key_label("delete"), ORANGE),
        Offer("pause", "Go back", session.key_map.label("pause")),
    ]


def placed(found: list[Offer], box: Box) -> list[tuple[str, Button]]:
    """The offers as buttons (command, button) in two columns that stand on the bottom of the box."""
    rows = -(-len(found) // 2)
    place = box.bottom_part(rows * BUTTON_HEIGHT + max(0, rows - 1) * GAP)
    if not rows:
        return []
    cells = [cell for row in place.rows(rows, GAP) for cell in row.columns(2, GAP)]
    return [
        (offer.command, Button(cell, offer.label, offer.key, offer.colour))
        for offer, cell in zip(found, cells, strict=False)
    ]
