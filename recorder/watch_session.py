"""A session in which a demonstrator plays game after game, and a person may take over."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from data.demonstrator import Demonstrator
from data.episode import FRAMES_PER_SECOND, EmulatorSettings, demonstrator_index
from data.episode_start import StartedFrom
from data.errors import CoachError
from data.game_names import display_name
from data.library import Library
from recorder.agent_values import Expected, ShowsItsValues, ValueHistory, expected_by
from recorder.controls import KeyMap
from recorder.session import Session
from recorder.session_state import SessionState
from recorder.stretch import Stretch, last_run, publish_stretch, stretch_of

HUMAN = demonstrator_index("human")
ACCOUNT_TICKS = 5 * FRAMES_PER_SECOND
"""Between two queries of how often the added decisions were sampled."""
FINISH_SECONDS = 60.0
"""Longest wait at the end for stretches that are being added."""


@dataclass(frozen=True)
class Watched:
    """The agent that is watched."""

    name: str
    """Of its run, or what kind of demonstrator it is."""
    step: int | None = None
    """Own steps trained."""
    score: float | None = None
    """Mean of its newest evaluation, points."""
    training: bool = False
    """Whether it is being trained now."""
    is_run: bool = True
    """Whether ``name`` is a run's, which its episodes then carry."""
    supplied: bool = False
    """Whether that run is installed with the program."""


Newest = Callable[[], tuple[Demonstrator, Watched] | None]
"""Returns a newer agent and what it is, or None while there is none."""


@dataclass(frozen=True)
class Coaching:
    """Functions that add a person's stretches to the training; both are called on another thread."""

    give: Callable[[Path], str]
    """Add a published stretch, and return the result in one sentence. Raises CoachError."""
    account: Callable[[], str]
    """Return how often what was added has been sampled, in one sentence; "" while nothing is known."""


class WatchSession(Session):
    """A demonstrator plays. Nothing is saved unless the person took over; then they are asked.

    With ``coaching``, each stretch that the person plays is published as an episode of its own and added to the
    training when they hand back, and nobody is asked.
    """

    def __init__(
        self,
        library: Library,
        game: str,
        settings: EmulatorSettings,
        key_map: KeyMap,
        player: str,
        speed: float,
        other: Demonstrator,
        watched: Watched,
        newest: Newest | None = None,
        coaching: Coaching | None = None,
    ) -> None:
        name = watched.name if watched.is_run else player
        super().__init__(library, game, settings, key_map, name, speed, other=other, sound=True)
        assert self.take_over is not None
        self.over = self.take_over
        self.watched = watched
        self.coaching = coaching
        self.person = player
        self.coached: list[str] = []
        """Results of the additions, newest last."""
        self.account = ""
        """How often they were sampled, in one sentence."""
        self.values = ValueHistory()
        """The agent's values in this game."""
        self._expected: Expected | None = None
        self._newest = newest
        self._leaving = False
        self._cut_due = False
        self._cut_until = 0
        self._worker = ThreadPoolExecutor(1, "coaching")
        self._given: list[Future[tuple[list[Path], str]]] = []
        self._unsaved: list[Stretch] = []
        """What the person played and could not be saved, as on a full disk."""
        self._warned = False
        self._looked: Future[str] | None = None
        self._ticks = 0
        self._stretches: list[Path] = []
        if watched.is_run:
            self._takes.name_players(tuple(sorted({other.kind: watched.name, "human": player}.items())))

    @property
    def title(self) -> str:
        doing = "you play" if self.over.person_plays else "watching"
        if self.state is SessionState.PAUSED:
            doing = "paused"
        elif self.state is SessionState.ENDED:
            doing = self.state.value
        return f"Replay Coach - {doing} - {self.watched.name} - {display_name(self.game)}"

    @property
    def is_still(self) -> bool:
        return super().is_still and not self._given

    @property
    def paths(self) -> list[Path]:
        return [*super().paths, *self._stretches]

    @property
    def person_took_part(self) -> bool:
        """Whether the person chose any frame of this game."""
        return self.take.frames_of(HUMAN) > 0

    @property
    def adding(self) -> bool:
        """Whether a stretch is being added."""
        return bool(self._given)

    @property
    def _asks(self) -> bool:
        return self.coaching is None and self.person_took_part and self.take.has_decision

    # What the agent sees and expects.

    def expected(self) -> Expected | None:
        """Return what the agent sees and expects: at its last decision, or at the frame that was sought while paused.

        None for a demonstrator that does not show it.
        """
        if self._expected is None and isinstance(self.over.other, ShowsItsValues):
            if self.state is SessionState.PAUSED:
                self.take.ask_demonstrator()
            self._expected = expected_by(self.over.other)
        return self._expected

    @property
    def shown_value(self) -> float | None:
        """The agent's value at the moment that is shown; None where it is unknown."""
        expected = self.expected()
        return None if expected is None else float(expected.values.max())

    def _frame(self) -> None:
        super()._frame()
        decision, row = divmod(self.take.frame - 1, self.settings.frame_skip)
        if row == 0:
            self._expected = None
            if isinstance(self.over.other, ShowsItsValues):
                self.values.put(decision, float(self.over.other.q_values().max()))

    def seek(self, frame: int) -> None:
        """Go to a recorded frame, and pause there; nothing is discarded."""
        self.pause()
        super().seek(frame)
        self._expected = None

    def stop_rewinding(self) -> None:
        super().stop_rewinding()
        self._expected = None

    def bring_back(self) -> None:
        super().bring_back()
        self.values.cut(self.take.frame // self.settings.frame_skip)
        self._expected = None

    # Taking over, and what becomes of it.

    def toggle_take_over(self) -> None:
        super().toggle_take_over()
        # The decision that is being executed is still the person's, so the stretch is cut with the agent's first one.
        self._cut_due = not self.over.person_plays

    def frame_due(self, late_seconds: float = 0.0) -> None:
        self._cut_until = min(self._cut_until, self.take.frame)  # earlier after a rewind
        super().frame_due(late_seconds)
        if self._cut_due and (self.take.over or self.take.kinds[-1:] != bytes([HUMAN])):
            self._cut()
        if self.state is SessionState.ENDED:
            self._cut()
            if not self._asks:
                self._next_game()

    def _cut(self) -> None:
        """Publish and add what the person has just played, once."""
        self._cut_due = False
        if self.coaching is None:
            return
        take = self.take
        span = last_run(take.kinds, HUMAN)
        start = max(span[0], self._cut_until)
        if span[1] - start < self.settings.frame_skip and not take.over:
            return
        if span[1] <= start:
            return
        self._cut_until = span[1]
        source = StartedFrom(0, run=self.watched.name, step=self.watched.step or 0)
        stretch = stretch_of(take.emulator, take.actions, take.kinds, (start, span[1]), source)
        self._given.append(self._worker.submit(self._give, stretch, self.coaching))
        self.notify("Adding what you played…")

    def _give(self, stretch: Stretch | None, coaching: Coaching) -> tuple[list[Path], str]:
        """Save and add a stretch, and those that could not be saved before; on the worker's thread."""
        if stretch is not None:
            self._unsaved.append(stretch)
        paths, sentences = [], []
        while self._unsaved:
            try:
                paths.append(publish_stretch(self.library, self._unsaved[0], self.person))
            except CoachError as error:
                kept = "What you played is kept here, and saved when you hand back again or quit."
                raise CoachError(f"{error} {kept}") from error
            del self._unsaved[0]
            sentences.append(coaching.give(paths[-1]))
        return paths, " ".join(sentences)

    def _next_game(self) -> None:
        """Start the next game without a key, with a newer agent if there is one."""
        self._takes.drop()
        self._cut_until = 0
        newer = self._newest() if self._newest is not None else None
        if newer is not None:
            self.over.other, self.watched = newer
        self._prepare_next()
        if not self.closed:
            self.start()

    def _prepare_next(self) -> None:
        super()._prepare_next()
        self.values, self._expected = ValueHistory(), None
        if self._leaving:
            self.closed = True
        elif self.state is SessionState.READY and not self.over.person_plays:
            self.start()

    def end(self) -> None:
        """Quit; if the person took over, ask first whether to save the episode."""
        if self._unsaved and not self._given and not self._warned:
            self._warned = True
            self.notify("What you played is not saved yet. Quit again to try once more and leave.")
        elif self.state is SessionState.ENDED:
            super().end()
        elif self._asks:
            self._leaving, self.state = True, SessionState.ENDED
        else:
            self.closed = True

    def request_close(self) -> None:
        """Close as ``end`` does; a second request closes at once, and saves what the person played."""
        if self.state is SessionState.ENDED:
            self.closed = True
        else:
            self.end()

    def toggle_pause(self) -> None:
        if self.state is SessionState.ENDED:
            self._leaving = False
        super().toggle_pause()

    def restart(self) -> None:
        """Start another game; what the person played in this one can be brought back."""
        if self.state not in (SessionState.READY, SessionState.RESTORING):
            self._cut()
            if self.person_took_part and self.coaching is None:
                self._discard_take()
            else:
                self._next_game()

    def tick(self) -> None:
        super().tick()
        self._collect()
        self._ticks += 1
        if self.coaching is None or not self._stretches or self._ticks % ACCOUNT_TICKS:
            return
        if self._looked is None or self._looked.done():
            if self._looked is not None:
                self.account = self._looked.result()
            self._looked = self._worker.submit(self.coaching.account)

    def _collect(self) -> None:
        """Collect the results of the additions."""
        while self._given and self._given[0].done():
            future = self._given.pop(0)
            try:
                paths, sentence = future.result()
                self._stretches += paths
            except CoachError as error:
                sentence = str(error)
            self.coached.append(sentence)
            self.notify(sentence)

    def close(self) -> None:
        """Close without asking: an episode in which the person took part is saved, or with coaching, added."""
        if self.coaching is not None and self.state not in (SessionState.READY, SessionState.RESTORING):
            if self.over.person_plays or self._cut_due:
                self._cut()
            self.closed = True
            for future in self._given:
                future.exception(FINISH_SECONDS)
            if self._unsaved:
                self._given.append(self._worker.submit(self._give, None, self.coaching))
                self._given[-1].exception(FINISH_SECONDS)
            self._takes.drop()
            self._collect()
            if self._unsaved:
                raise CoachError(f"What you played could not be saved. {self.coached[-1]}")
        else:
            super().close()
        self._worker.shutdown(wait=False)
