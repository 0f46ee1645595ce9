"""Play in a notebook, with controls: play, pause, single pictures, a slider, both directions."""

from __future__ import annotations

import base64
import html
import itertools
import json
from collections.abc import Sequence
from pathlib import Path
from string import Template

import cv2
import numpy as np

from data.episode import DEFAULT_FRAME_SKIP, FRAMES_PER_SECOND
from data.errors import CoachError
from data.film import PIXEL_WIDTH, brighter, caption_of
from data.replay_file import ReplayFile

ZOOM = 1.25

_numbers = itertools.count(1)
"""Each film on a page has its own name."""

PAGE = Template("""
<div id="$name" style="width: ${width}px; background: #0E1116; color: #E6E9EE; font: 14px sans-serif">
<img src="$first" alt="a moment of the film"
 style="width: ${width}px; height: ${height}px; image-rendering: pixelated; margin: 0">
<div style="padding: 8px">
<div class="caption" style="font-family: monospace; min-height: 20px">$caption</div>
<input type="range" min="0" max="$last" value="0" aria-label="moment"
 style="width: 100%; margin: 8px 0; accent-color: #4CC38A">
<button type="button" class="play" style="width: 84px">&#9654; Play</button>
<button type="button" class="back" aria-label="one picture back">&#8722;1</button>
<button type="button" class="on" aria-label="one picture on">+1</button>
<select aria-label="speed">
<option value="0.25">1/4 speed</option><option value="0.5">1/2 speed</option>
<option value="1" selected>game speed</option><option value="2">2 x</option></select>
</div></div>
<script>
(function () {
  const film = $facts, root = document.getElementById("$name"), find = (what) => root.querySelector(what);
  const picture = find("img"), caption = find(".caption"), slider = find("input");
  const play = find(".play"), speed = find("select");
  let timer = null;
  function show(number) {
    slider.value = number; picture.src = film.pictures[number]; caption.textContent = film.captions[number];
  }
  function stop() { clearTimeout(timer); timer = null; play.innerHTML = "&#9654; Play"; }
  function next() {
    show((Number(slider.value) + 1) % film.pictures.length);
    timer = setTimeout(next, film.interval / Number(speed.value));
  }
  play.onclick = () => { if (timer) { stop(); } else { play.innerHTML = "&#10074;&#10074; Pause"; next(); } };
  slider.oninput = () => { stop(); show(Number(slider.value)); };
  find(".back").onclick = () => { stop(); show(Math.max(0, Number(slider.value) - 1)); };
  find(".on").onclick = () => { stop(); show(Math.min(film.pictures.length - 1, Number(slider.value) + 1)); };
})();
</script>
""")


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
        """The film as a piece of HTML that needs nothing else, no network either (about 3 kB a picture)."""
        height, width = self.pictures[0].shape[:2]
        pictures = [_data_uri(picture) for picture in self.pictures]
        facts = {
            "pictures": pictures,
            "captions": list(self.captions),
            "interval": 1000 / self.pictures_per_second,
        }
        return PAGE.substitute(
            name=f"film-{next(_numbers)}",
            width=width * PIXEL_WIDTH * ZOOM,
            height=height * ZOOM,
            last=len(self.pictures) - 1,
            first=pictures[0],
            caption=html.escape(self.captions[0]),
            facts=json.dumps(facts).replace("</", "<\\/"),
        )

    def _repr_html_(self) -> str:
        return self.html()


def _data_uri(picture: np.ndarray) -> str:
    written, png = cv2.imencode(".png", picture[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 9])
    if not written:
        raise CoachError("A picture of the film cannot be packed.")
    return "data:image/png;base64," + base64.b64encode(png.tobytes()).decode()
