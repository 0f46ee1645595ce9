"""The preview of a seeding in the Train window: computed in the background and drawn."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from data.counted import counted
from data.durations import clock
from data.seeding_preview import SeedingPreview
from home.form import draw_notes
from home.train_form import TrainForm
from screen.background import Background
from screen.canvas import Canvas
from screen.layout import Box
from screen.theme import GREEN, GRID, LARGE, LINE, OLIVE, ORANGE, PANEL, QUIET, SMALL, TEXT, Colour

ROW = 22.0
SETTLE_SECONDS = 0.3
"""The preview is computed once the form has not changed for this long."""

MakePreview = Callable[[tuple[str, ...], str], SeedingPreview]


class BackgroundPreview:
    """The preview of a form's seeding, which ``make`` computes again whenever sources or ``keep`` change."""

    def __init__(self, form: TrainForm, make: MakePreview) -> None:
        self._form = form
        self._make = make
        self._work: Background[SeedingPreview] | None = None
        self._computed: tuple[tuple[str, ...], str] | None = None
        self._changed = float("-inf")
        self.preview: SeedingPreview | None = None
        self.problem = ""

    @property
    def is_outdated(self) -> bool:
        """Whether ``preview`` is not yet that of the form."""
        return self._work is not None or (self._form.specs, self._form.keep) != self._computed

    def compute_again(self) -> None:
        self._computed = None

    def form_changed(self) -> None:
        self._changed = time.monotonic()

    def refresh(self) -> bool:
        """Take over a finished preview and start one that is due. Return whether anything changed."""
        changed = False
        if self._work is not None and self._work.is_done:
            self.preview, self.problem, self._work, changed = self._work.result, self._work.problem, None, True
        wanted = self._form.specs, self._form.keep
        if wanted == self._computed:
            return changed
        if not self._form.specs:
            self._computed, self.preview, self.problem, changed = wanted, None, "", True
        elif self._work is None and time.monotonic() - self._changed > SETTLE_SECONDS:
            self._computed, self.problem = wanted, ""
            self._work = Background(lambda _: self._make(*wanted), "seeding preview")
        return changed

    def stop(self) -> None:
        if self._work is not None:
            self._work.stop()
            self._work = None


def seeding_lines(preview: SeedingPreview) -> list[tuple[str, str]]:
    """Return a preview's figures: (name, value)."""
    lines = []
    if preview.kept:
        episodes = counted(preview.episodes, "episode")
        lines.append(("Play", f"{clock(preview.seconds)} in {episodes}"))
        lines.append(("With points", f"{preview.reward_share:.1%} of the decisions"))
    if preview.random:
        lines.append(("Fresh random play", f"{preview.random:,} decisions"))
    if preview.recorded_first:
        lines.append(("Recorded first", " and ".join(f"{name}'s play" for name in preview.recorded_first)))
    lines.append(("Memory", f"{preview.megabytes:.0f} MB"))
    return lines


def damaged_words(preview: SeedingPreview) -> str:
    """Return a sentence about damaged files that are left out, and what can be done."""
    if len(preview.damaged) == 1:
        name = Path(next(iter(preview.damaged))).stem.split("-", 1)[-1]  # without its time
        return f"Left out, because it is damaged: {name}. Del moves it to the trash."
    return f"{len(preview.damaged)} damaged files are left out. Del moves them to the trash."


def verdict_parts(preview: SeedingPreview) -> list[tuple[str, int, Colour]]:
    """Return the recorded decisions by verdict: (words, decisions, colour). Parts without decisions are left out."""
    kept, removed = preview.kept_by_verdict, sum(preview.removed_by_verdict.values())
    why = "judged bad" if removed == preview.removed_by_verdict.get("bad", 0) else "not judged good"
    parts = [
        ("judged good", kept.get("good", 0), GREEN),
        ("without a verdict", kept.get("none", 0), QUIET),
        ("judged bad, kept", kept.get("bad", 0), OLIVE),
        (f"removed: {why}", removed, ORANGE),
    ]
    return [part for part in parts if part[1]]


def draw_preview(
    canvas: Canvas, box: Box, seeding: BackgroundPreview, estimate: str, warnings: Sequence[str] = ()
) -> None:
    """Draw the preview, or why there is none. estimate: how long the training will take. warnings: of the form."""
    preview, is_outdated = seeding.preview, seeding.is_outdated
    canvas.fill(box, PANEL, radius=8)
    inner = box.inset(16)
    canvas.text("What goes into the replay memory", (inner.x, inner.y), SMALL, QUIET)
    notes = [(damaged_words(preview), ORANGE)] if preview is not None and preview.damaged else []
    notes += [(warning, OLIVE) for warning in warnings]
    inner = draw_notes(canvas, inner, [*notes, *([(estimate, QUIET)] if estimate else [])])
    if seeding.problem:
        canvas.paragraph(seeding.problem, inner.without_top(36), SMALL, ORANGE)
        return
    if preview is None:
        words = "Computing the preview …" if is_outdated else "Nothing: the agent starts from scratch."
        canvas.paragraph(words, inner.without_top(36), SMALL, QUIET if is_outdated else TEXT)
        return
    colour = QUIET if is_outdated else TEXT
    number = canvas.text(f"{preview.transitions:,}", (inner.x, inner.y + 28), LARGE, colour, mono=True)
    canvas.text("decisions", (number.right + GRID, number.bottom - 24), SMALL, QUIET)
    y = number.bottom + GRID
    for name, value in seeding_lines(preview):
        canvas.text(name, (inner.x, y), SMALL, QUIET, max_width=128)
        canvas.text(value, (inner.x + 136, y), SMALL, colour, max_width=inner.width - 136)
        y += ROW
    y = _draw_verdicts(canvas, Box(inner.x, y + GRID, inner.width, inner.bottom - y - GRID), preview)
    _draw_actions(canvas, Box(inner.x, y + GRID, inner.width, inner.bottom - y - GRID), preview)


def _draw_verdicts(canvas: Canvas, box: Box, preview: SeedingPreview) -> float:
    """Draw a bar in parts and a line for each part. Return the y of the end."""
    parts = verdict_parts(preview)
    whole = sum(count for _, count, _ in parts)
    if not whole or box.height < 16 + ROW * len(parts):
        return box.y
    x = box.x
    for _, count, colour in parts:
        width = box.width * count / whole
        canvas.fill(Box(x, box.y, max(1.0, width - 2), 8), colour)
        x += width
    y = box.y + 16
    for words, count, colour in parts:
        canvas.fill(Box(box.x, y + 5, 8, 8), colour)
        text = canvas.text(f"{count:,}", (box.x + 72, y), SMALL, TEXT, mono=True, align="right")
        canvas.text(words, (text.right + GRID, y), SMALL, QUIET, max_width=box.right - text.right - GRID)
        y += ROW
    return y


def _draw_actions(canvas: Canvas, box: Box, preview: SeedingPreview) -> None:
    """Draw a bar for each action: how often it was taken."""
    largest = max(preview.actions.values(), default=0)
    if not largest or box.height < 3 * ROW:
        return
    canvas.text("Actions", (box.x, box.y), SMALL, QUIET)
    rows = list(preview.actions.items())
    room = int((box.height - ROW) // ROW)
    if len(rows) > room:
        rows = sorted(rows, key=lambda row: -row[1])[:room]
    total = sum(preview.actions.values())
    for number, (name, count) in enumerate(rows):
        y = box.y + ROW * (number + 1)
        canvas.text(name.lower(), (box.x, y), SMALL, max_width=120)
        bar = Box(box.x + 128, y + 6, box.width - 128 - 56, 8)
        canvas.bar(bar, count / largest, GREEN if count else LINE)
        canvas.text(f"{count / total:.0%}", (box.right, y), SMALL, QUIET, mono=True, align="right")
