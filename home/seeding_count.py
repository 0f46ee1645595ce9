"""What a seeding would put into the memory, counted in the background while its form is filled in."""

from __future__ import annotations

import time
from collections.abc import Callable

from data.seeding_preview import SeedingPreview
from home.train_form import TrainForm
from screen.background import Background

SETTLE_SECONDS = 0.3
"""It is counted when the form has been left alone for so long."""

Preview = Callable[[tuple[str, ...], str], SeedingPreview]


class SeedingCount:
    """Counts anew whenever sources or verdicts to keep are chosen otherwise; ``preview`` does the counting."""

    def __init__(self, form: TrainForm, preview: Preview) -> None:
        self._form = form
        self._preview = preview
        self._work: Background[SeedingPreview] | None = None
        self._counted: tuple[tuple[str, ...], str] | None = None
        self._changed = float("-inf")
        self.facts: SeedingPreview | None = None
        self.problem = ""

    @property
    def is_counting(self) -> bool:
        """Whether ``facts`` are not yet those of the form."""
        return self._work is not None or (self._form.specs, self._form.keep) != self._counted

    def form_changed(self) -> None:
        self._changed = time.monotonic()

    def refresh(self) -> bool:
        """Take in what was counted, begin what is due; whether there is something new to see."""
        news = False
        if self._work is not None and self._work.is_done:
            self.facts, self.problem, self._work, news = self._work.result, self._work.problem, None, True
        wanted = self._form.specs, self._form.keep
        if wanted == self._counted:
            return news
        if not self._form.specs:
            self._counted, self.facts, self.problem, news = wanted, None, "", True
        elif self._work is None and time.monotonic() - self._changed > SETTLE_SECONDS:
            self._counted, self.problem = wanted, ""
            self._work = Background(lambda _: self._preview(*wanted), "seeding preview")
        return news

    def stop(self) -> None:
        if self._work is not None:
            self._work.stop()
            self._work = None
