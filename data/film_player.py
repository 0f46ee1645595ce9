"""Play in a notebook, with controls: play, pause, single pictures, a slider, both directions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.animation import FuncAnimation
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from data.episode import DEFAULT_FRAME_SKIP, FRAMES_PER_SECOND
from data.errors import CoachError
from data.film import PIXEL_WIDTH, brighter, caption_of
from data.replay_file import ReplayFile

DOTS_PER_INCH = 100
CAPTION_DOTS = 26
GROUND, INK = "#0E1116", "#E6E9EE"


class FilmPlayer:
    """Some pictures that a notebook shows as a film with controls, when this is the last line of a cell."""

    def __init__(self, pictures: Sequence[np.ndarray], captions: Sequence[str], pictures_per_second: float) -> None:
        """pictures: (H, W, 3) uint8 RGB each. captions: one line of text under each of them."""
        if not len(pictures) or len(pictures) != len(captions):
            raise CoachError(f"A film needs pictures and as many captions, not {len(pictures)} and {len(captions)}.")
        self.pictures = pictures
        self.captions = captions
        self.pictures_per_second = pictures_per_second

    @classmethod
    def of_episode(
        cls, path: Path | str, start: int = 0, stop: int | None = None, every: int = DEFAULT_FRAME_SKIP
    ) -> FilmPlayer:
        """Frames ``start`` to ``stop`` - 1 of a replay file, one picture for ``every`` frames, at the game's speed.

        By default a picture is what one decision led to: its last two frames, laid over one another, because sprites
        flicker. The caption tells score, action and reward. Raises CoachError for a span that the episode has not.
        """
        with ReplayFile(path) as replay:
            end = replay.frame_count + 1 if stop is None else stop
            if not 0 <= start < end <= replay.frame_count + 1 or every < 1:
                raise CoachError(f"{path} has frames 0 to {replay.frame_count}, and none from {start} to {end}.")
            frames, caption = replay.frames(start, end), caption_of(replay, start)
            shown = range(0, end - start, every)
            pictures = []
            for at in shown:
                before = frames[at - 1] if every > 1 and at > 0 else frames[at]
                pictures.append(replay.palette[brighter(before, frames[at], replay.palette)])
            return cls(pictures, [caption(at) for at in shown], FRAMES_PER_SECOND / every)

    def html(self) -> str:
        """The film as a piece of HTML that needs nothing else (some kilobytes a picture)."""
        height, width = self.pictures[0].shape[:2]
        size = (width * PIXEL_WIDTH / DOTS_PER_INCH, (height + CAPTION_DOTS) / DOTS_PER_INCH)
        figure = Figure(figsize=size, dpi=DOTS_PER_INCH, facecolor=GROUND)
        FigureCanvasAgg(figure)
        axes = figure.add_axes((0, CAPTION_DOTS / (height + CAPTION_DOTS), 1, height / (height + CAPTION_DOTS)))
        axes.axis("off")
        picture = axes.imshow(self.pictures[0], aspect="auto", interpolation="nearest")
        caption = figure.text(0.02, 0.03, self.captions[0], color=INK, fontsize=9, family="monospace")

        def show(number: int) -> None:
            picture.set_data(self.pictures[number])
            caption.set_text(self.captions[number])

        interval = 1000 / self.pictures_per_second
        film = FuncAnimation(figure, show, frames=len(self.pictures), interval=interval, blit=False)
        page: str = film.to_jshtml(fps=round(self.pictures_per_second), default_mode="loop")
        return page

    def _repr_html_(self) -> str:
        return self.html()
