"""Verifying episodes one after another in the background, in a child process with limits."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping, Sequence
from functools import partial
from pathlib import Path

from data.proof import Verification
from data.quarantine import Quarantine
from home.library_rows import EpisodeRow
from screen.background import Background


class Verifying:
    """Each answer is put into ``answers`` as soon as it is known, so that stopping keeps what was done."""

    def __init__(self, rows: Sequence[EpisodeRow], answers: MutableMapping[str, Verification]) -> None:
        self.rows = tuple(rows)
        self.now = 0
        """Which of the rows is being verified."""

        self._answers = answers
        self.work: Background[None] = Background(self._verify, "verify episodes")

    def _verify(self, tell: Callable[[int, int], None]) -> None:
        total = sum(row.frame_count + 1 for row in self.rows)
        before = 0
        with Quarantine() as quarantine:
            for number, row in enumerate(self.rows):
                self.now = number
                tell(before, total)
                answer = quarantine.verify(Path(row.path), partial(self._tell_frames, tell, before, total))
                self._answers[row.episode_id] = answer
                before += row.frame_count + 1

    @staticmethod
    def _tell_frames(tell: Callable[[int, int], None], before: int, total: int, frames: int, _: int) -> None:
        tell(before + frames, total)

    def sentence(self) -> str:
        """What came of it."""
        answers = [self._answers[row.episode_id] for row in self.rows if row.episode_id in self._answers]
        if not answers:
            return self.work.problem or "Nothing was verified."
        wrong = [answer for answer in answers if not answer.ok]
        if len(answers) == 1:
            verdict = "true" if not wrong else "not true"
            return f"The episode is {verdict}: {answers[0].sentence}"
        said = f"{len(answers) - len(wrong)} of {len(answers)} episodes are true"
        rest = "" if len(answers) == len(self.rows) else f"; {len(self.rows) - len(answers)} were not looked at"
        return f"{said}{rest}." + (f" {wrong[0].path.name}: {wrong[0].sentence}" if wrong else "")
