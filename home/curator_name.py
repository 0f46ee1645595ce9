"""Moving verdicts to a person's new name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from data.counted import counted
from data.label_database import LabelDatabase

RESERVED = "rule:"
"""How the names of rules begin."""


@dataclass(frozen=True)
class NameChange:
    """A person's new name, while verdicts are saved under the old one."""

    labels: Path
    old: str
    new: str
    number: int
    """Verdicts under the old name."""
    others: int
    """Verdicts under the new name already, which may be another person's."""

    @property
    def question(self) -> str:
        """Return the question to the person."""
        are = "is" if self.number == 1 else "are"
        words = (
            f"{counted(self.number, 'verdict')} {are} saved under {self.old}. Move what you have judged to {self.new}?"
        )
        if self.others:
            words += f" {self.new} has {self.others:,} here already; if that is another person, choose another name."
        return words

    def move(self) -> tuple[int, ...]:
        """Give the verdicts the new name. Return their ids, for ``undo``. Raises CoachError."""
        with LabelDatabase(self.labels) as labels:
            return labels.rename_curator(self.old, self.new)

    def undo(self, ids: tuple[int, ...]) -> None:
        """Give these verdicts the old name again. Raises CoachError."""
        with LabelDatabase(self.labels) as labels:
            labels.rename_curator(self.new, self.old, ids)


def name_change(labels: Path, old: str, new: str) -> NameChange | None:
    """Return what is to be asked after a change of name, or None if no verdicts are concerned. Raises CoachError."""
    found = LabelDatabase.open_existing(labels) if old and new and old != new else None
    if found is None:
        return None
    with found:
        counts = {name: sum(by_verdict.values()) for name, by_verdict in found.counts().items()}
    number = counts.get(old, 0)
    return NameChange(labels, old, new, number, counts.get(new, 0)) if number else None
