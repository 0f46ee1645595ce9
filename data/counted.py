"""Numbers with their nouns."""

from __future__ import annotations


def counted(number: float, noun: str, plural: str = "") -> str:
    """Return a number with its noun: "1 episode", "1,200 episodes", "0 points"; ``plural``: an irregular one."""
    shown = f"{number:,}" if isinstance(number, int) else f"{number:,.0f}" if number == int(number) else f"{number:g}"
    return f"{shown} {noun if abs(number) == 1 else plural or noun + 's'}"
