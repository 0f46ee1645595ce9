"""Films of play: animated GIF, MP4, a player for notebooks, and a strip of pictures for the terminal."""

from __future__ import annotations

import base64
import html
import itertools
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any

import cv2
import imageio_ffmpeg
import numpy as np

from data.episode import DEFAULT_FRAME_SKIP, FRAMES_PER_SECOND
from data.errors import CoachError
from data.files import atomic_path
from data.replay_file import ReplayFile
from data.replay_format import CHUNK_FRAMES

if TYPE_CHECKING:
    from rich.text import Text


GIF_FRAMES_PER_SECOND = 30
"""GIF durations are multiples of 10 ms, and browsers slow down films of more than 50 pictures a second."""
PIXEL_WIDTH = 2
"""The console's pixels are about twice as wide as high."""
CAPTION_HEIGHT = 14
CAPTION_COLOUR, CAPTION_GROUND = (255, (230, 233, 238)), (253, (14, 17, 22))
"""Palette index and RGB. The console's colours have even indices, so odd ones are free."""
STRIP_COLUMNS, STRIP_ROWS = 26, 10
"""Size of one picture of the terminal strip in characters, each of which shows two pixels, one above the other."""

Overlay = Callable[[int], str]
"""Frame number (0 for the first frame of the film) to the caption under it."""


def brighter(one: np.ndarray, other: np.ndarray, palette: np.ndarray | None = None) -> np.ndarray:
    """Return the brighter of two pictures, pixel by pixel.

    Many games draw a sprite in every second frame only, so one of two successive frames has it. Both are (H, W) uint8
    palette indices with ``palette`` (256, 3), or (H, W, 3) uint8 RGB without.
    """
    if palette is None:
        return np.asarray(np.maximum(one, other))
    light = np.asarray(cv2.cvtColor(palette[None], cv2.COLOR_RGB2GRAY))[0]
    chosen: np.ndarray = np.where(light[other] > light[one], other, one)
    return chosen


def _thinned(frames: Iterable[np.ndarray], step: int, palette: np.ndarray | None) -> Iterator[np.ndarray]:
    """Yield every ``step``-th frame, combined with the frame before it by ``brighter``."""
    before: np.ndarray | None = None
    for number, frame in enumerate(frames):
        if number % step == 0:
            yield frame if before is None else brighter(before, frame, palette)
        before = frame if step > 1 else None


def write_gif(
    path: Path,
    frames: Iterable[np.ndarray],
    palette: np.ndarray | None = None,
    frames_per_second: int = GIF_FRAMES_PER_SECOND,
    scale: int = 1,
    overlay: Overlay | None = None,
) -> Path:
    """Write an animated GIF that repeats indefinitely, in the exact colours and at the game's speed.

    frames: (H, W) uint8 palette indices with ``palette`` (256, 3), or (H, W, 3) uint8 RGB without. Of their 60 a
    second, ``frames_per_second`` are written, each combined with the one before it (see ``brighter``). Raises
    CoachError if the file cannot be written or there is no frame.
    """
    step = max(1, round(FRAMES_PER_SECOND / frames_per_second))
    shown = _dressed(_thinned(frames, step, palette), palette, scale, overlay, step)
    colours = _with_caption_colours(palette)

    def raw(frame: np.ndarray) -> bytes:
        """Return a picture followed by its palette: 256 times blue, green, red and opacity."""
        indices, own = _indexed(frame) if colours is None else (frame, colours)
        return indices.tobytes() + np.insert(own[:, ::-1], 3, 255, axis=1).tobytes()

    options = {
        "fps": FRAMES_PER_SECOND / step,
        "codec": "gif",
        "pix_fmt_in": "pal8",
        "pix_fmt_out": "pal8",
        "quality": None,
        "macro_block_size": 1,
        "output_params": ["-loop", "0", "-f", "gif"],
    }
    return _filmed(path, shown, raw, options)


def _indexed(frame: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Convert a picture (H, W, 3) RGB to (H, W) indices and their palette (256, 3)."""
    packed = frame.astype(np.uint32) @ np.array([65536, 256, 1], np.uint32)
    colours, indices = np.unique(packed, return_inverse=True)
    if len(colours) > 256:
        colours, indices = np.unique(packed & 0xE0E0C0, return_inverse=True)
    palette = np.zeros((256, 3), np.uint8)
    palette[: len(colours)] = np.stack([colours >> 16, colours >> 8 & 255, colours & 255], axis=1)
    return indices.reshape(frame.shape[:2]).astype(np.uint8), palette


def write_mp4(
    path: Path,
    frames: Iterable[np.ndarray],
    palette: np.ndarray | None = None,
    frames_per_second: int = FRAMES_PER_SECOND,
    scale: int = 2,
    overlay: Overlay | None = None,
) -> Path:
    """Write an H.264 film of every frame, with the arguments of ``write_gif``.

    An even ``scale`` preserves the colour of every pixel. Raises CoachError if the file cannot be written or there is
    no frame.
    """
    shown = _dressed(frames, palette, scale, overlay, 1)
    colours = _with_caption_colours(palette)

    def raw(frame: np.ndarray) -> bytes:
        return (frame if colours is None else colours[frame]).tobytes()

    options = {
        "fps": frames_per_second,
        "codec": "libx264",
        "macro_block_size": 2,
        "output_params": ["-crf", "18", "-preset", "veryfast", "-movflags", "+faststart", "-f", "mp4"],
    }
    return _filmed(path, shown, raw, options)


def _filmed(
    path: Path, shown: Iterator[np.ndarray], raw: Callable[[np.ndarray], bytes], options: dict[str, Any]
) -> Path:
    """Write pictures with ffmpeg under a temporary name, so that the film is complete or absent."""
    first = next(shown, None)
    if first is None:
        raise CoachError(f"There is no frame to write to {path}.")
    size = (first.shape[1], first.shape[0])
    try:
        with atomic_path(path) as partial:
            partial.touch()  # so that Python reports a read-only folder, and at once
            film = imageio_ffmpeg.write_frames(str(partial), size, ffmpeg_log_level="error", **options)
            film.send(None)
            try:
                for frame in itertools.chain([first], shown):
                    film.send(raw(frame))
            finally:
                film.close()
    except (OSError, RuntimeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error).strip().split("\n")[-1]
        raise CoachError(f"Cannot write the film {path} ({reason}).") from error
    return path


def _with_caption_colours(palette: np.ndarray | None) -> np.ndarray | None:
    if palette is None:
        return None
    colours = palette.copy()
    for index, colour in (CAPTION_COLOUR, CAPTION_GROUND):
        colours[index] = colour
    return colours


def _dressed(
    frames: Iterable[np.ndarray], palette: np.ndarray | None, scale: int, overlay: Overlay | None, step: int
) -> Iterator[np.ndarray]:
    """Yield the frames at their final size, with the caption under them."""
    at = 0 if palette is not None else 1
    ink, ground = CAPTION_COLOUR[at], CAPTION_GROUND[at]
    for number, frame in enumerate(frames):
        large = np.repeat(np.repeat(frame, scale, axis=0), PIXEL_WIDTH * scale, axis=1)
        if overlay is not None:
            strip = np.empty((CAPTION_HEIGHT * scale, *large.shape[1:]), np.uint8)
            strip[:] = ground
            origin = (4 * scale, (CAPTION_HEIGHT - 4) * scale)
            colour = (ink,) if isinstance(ink, int) else ink
            cv2.putText(strip, overlay(number * step), origin, cv2.FONT_HERSHEY_PLAIN, 0.7 * scale, colour)
            large = np.concatenate([large, strip])
        yield large


def frames_of(
    replay: ReplayFile, start: int = 0, stop: int | None = None, on_progress: Callable[[int, int], None] | None = None
) -> Iterator[np.ndarray]:
    """Yield the frames ``start`` to ``stop`` - 1, which are read in blocks."""
    end = replay.frame_count + 1 if stop is None else min(stop, replay.frame_count + 1)
    for first in range(start, end, CHUNK_FRAMES):
        yield from replay.frames(first, min(first + CHUNK_FRAMES, end))
        if on_progress is not None:
            on_progress(min(first + CHUNK_FRAMES, end) - start, end - start)


def caption_of(replay: ReplayFile, start: int = 0) -> Overlay:
    """Return an overlay with each frame's action and reward and the score so far."""
    score = np.concatenate([[0.0], np.cumsum(replay.rewards, dtype=np.float64)])

    def caption(number: int) -> str:
        frame = start + number
        if frame == 0:
            return "score 0"
        action = replay.origin.action_meanings[replay.actions[frame - 1]]
        reward = f"  {replay.rewards[frame - 1]:+g}" if replay.rewards[frame - 1] else ""
        return f"score {score[frame]:g}  {action}{reward}"

    return caption


def write_gif_of(
    replay: ReplayFile,
    path: Path,
    start: int = 0,
    stop: int | None = None,
    overlay: bool = False,
    on_progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Write an episode, or frames ``start`` to ``stop`` - 1 of it, as an animated GIF."""
    captions = caption_of(replay, start) if overlay else None
    return write_gif(path, frames_of(replay, start, stop, on_progress), replay.palette, overlay=captions)


def terminal_strip(replay: ReplayFile, width: int) -> Text:
    """Return as many pictures of the episode, from start to end, as fit into ``width`` characters."""
    from rich.text import Text

    count = max(1, min(8, width // (STRIP_COLUMNS + 1)))
    size = (min(STRIP_COLUMNS, max(1, width)), 2 * STRIP_ROWS)
    pictures = []
    for frame in np.linspace(0, replay.frame_count, count).astype(int).tolist():
        colours = replay.palette[replay.frames(frame, frame + 1)[0]]
        pictures.append(cv2.resize(colours, size, interpolation=cv2.INTER_AREA))
    strip = Text(no_wrap=True, end="")
    for row in range(0, 2 * STRIP_ROWS, 2):
        for picture in pictures:
            for upper, lower in zip(picture[row].tolist(), picture[row + 1].tolist(), strict=True):
                strip.append("▀", "#{:02x}{:02x}{:02x} on #{:02x}{:02x}{:02x}".format(*upper, *lower))
            strip.append(" ")
        strip.append("\n")
    return strip


ZOOM = 1.25

_numbers = itertools.count(1)
"""For the unique id of each film on a page."""

PAGE = Template("""
<div id="$name" style="width: ${width}px; background: #0E1116; color: #E6E9EE; font: 14px sans-serif">
<img src="$first" alt="a picture of the film"
 style="width: ${width}px; height: ${height}px; image-rendering: pixelated; margin: 0">
<div style="padding: 8px">
<div class="caption" style="font-family: monospace; min-height: 20px">$caption</div>
<input type="range" min="0" max="$last" value="0" aria-label="position"
 style="width: 100%; margin: 8px 0; accent-color: #4CC38A">
<button type="button" class="play" style="width: 84px">&#9654; Play</button>
<button type="button" class="back" aria-label="one picture back">&#8722;1</button>
<button type="button" class="on" aria-label="one picture forward">+1</button>
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
    """A film with controls for notebooks, shown when this is the last line of a cell."""

    def __init__(self, pictures: Sequence[np.ndarray], captions: Sequence[str], pictures_per_second: float) -> None:
        """pictures: (H, W, 3) uint8 RGB each. captions: a line of text for each picture."""
        if not len(pictures) or len(pictures) != len(captions):
            raise CoachError(f"A film requires pictures and as many captions, not {len(pictures)} and {len(captions)}.")
        self.pictures = pictures
        self.captions = captions
        self.pictures_per_second = pictures_per_second

    @classmethod
    def of_episode(
        cls, path: Path | str, start: int = 0, stop: int | None = None, every: int = DEFAULT_FRAME_SKIP
    ) -> FilmPlayer:
        """Return a film of frames ``start`` to ``stop`` - 1, one picture for ``every`` frames, at the game's speed.

        By default there is one picture for each decision: its last two frames combined, because sprites flicker. The
        captions show score, action and reward. Raises CoachError for a span that the episode does not have.
        """
        with ReplayFile(path) as replay:
            end = replay.frame_count + 1 if stop is None else stop
            if not 0 <= start < end <= replay.frame_count + 1 or every < 1:
                raise CoachError(f"{path} has frames 0 to {replay.frame_count}; it has no span from {start} to {end}.")
            frames, caption = replay.frames(start, end), caption_of(replay, start)
            shown = range(0, end - start, every)
            pictures = []
            for at in shown:
                before = frames[at - 1] if every > 1 and at > 0 else frames[at]
                pictures.append(replay.palette[brighter(before, frames[at], replay.palette)])
            return cls(pictures, [caption(at) for at in shown], FRAMES_PER_SECOND / every)

    def html(self) -> str:
        """Return the film as self-contained HTML (about 3 kB a picture)."""
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
        raise CoachError("Cannot encode a picture of the film as PNG.")
    return "data:image/png;base64," + base64.b64encode(png.tobytes()).decode()
