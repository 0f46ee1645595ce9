"""Game controllers, as keys: "pad left", "pad right", "pad up", "pad down", and "pad 1", "pad 2", ... for buttons."""

from __future__ import annotations

import contextlib

import pygame

PRESSED_BEYOND = 0.5
"""How far a stick must be pushed, of 1, to count as a direction."""
RELEASED_WITHIN = 0.35
"""Less than PRESSED_BEYOND, so that a stick held at that edge does not flicker."""

_DIRECTIONS = {0: ("pad left", "pad right"), 1: ("pad up", "pad down")}
"""By the axis of a stick or hat: its keys below and above zero. A hat's second axis points up, a stick's down."""


class Controllers:
    """Opens controllers as they are plugged in, and translates their events into keys that go down and up."""

    def __init__(self) -> None:
        self._open: dict[int, pygame.joystick.JoystickType] = {}
        self._down: dict[int, dict[str, set[str]]] = {}
        """The keys that are down, by controller and by the part that holds them ("hat", "axis 0", "buttons")."""
        with contextlib.suppress(pygame.error):
            pygame.joystick.init()

    @property
    def connected(self) -> bool:
        """Whether a controller is plugged in."""
        return bool(self._open)

    def keys(self, event: pygame.event.Event) -> list[tuple[str, bool]]:
        """Return the keys that an event of SDL presses or releases, as (key, whether it went down)."""
        if event.type == pygame.JOYDEVICEADDED:
            with contextlib.suppress(pygame.error):
                controller = pygame.joystick.Joystick(event.device_index)
                self._open[controller.get_instance_id()] = controller
            return []
        if event.type == pygame.JOYDEVICEREMOVED:
            self._open.pop(event.instance_id, None)
            held = self._held(event.instance_id)
            self._down.pop(event.instance_id, None)
            return [(key, False) for key in sorted(held)]
        if event.type in (pygame.JOYBUTTONDOWN, pygame.JOYBUTTONUP):
            key = {f"pad {event.button + 1}"}
            buttons = self._part(event.instance_id, "buttons")
            return self._changed(
                event.instance_id, "buttons", buttons | key if event.type == pygame.JOYBUTTONDOWN else buttons - key
            )
        if event.type == pygame.JOYHATMOTION:
            across, up = event.value
            return self._changed(event.instance_id, "hat", _direction(0, across) | _direction(1, -up))
        if event.type == pygame.JOYAXISMOTION and event.axis in _DIRECTIONS:
            return self._changed(event.instance_id, f"axis {event.axis}", self._stick(event))
        return []

    def _stick(self, event: pygame.event.Event) -> set[str]:
        was_down = bool(self._part(event.instance_id, f"axis {event.axis}"))
        enough = abs(event.value) > (RELEASED_WITHIN if was_down else PRESSED_BEYOND)
        return _direction(event.axis, event.value) if enough else set()

    def _part(self, controller: int, part: str) -> set[str]:
        return self._down.setdefault(controller, {}).setdefault(part, set())

    def _held(self, controller: int) -> set[str]:
        return set().union(*self._down.get(controller, {}).values())

    def _changed(self, controller: int, part: str, keys: set[str]) -> list[tuple[str, bool]]:
        before = self._held(controller)
        self._part(controller, part)
        self._down[controller][part] = keys
        after = self._held(controller)
        return [*((key, False) for key in sorted(before - after)), *((key, True) for key in sorted(after - before))]


def _direction(axis: int, value: float) -> set[str]:
    if value == 0:
        return set()
    return {_DIRECTIONS[axis][value > 0]}
