"""Real windows on a virtual screen, driven by real keys and photographed; for the pictures and the film."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import Xlib.display
import Xlib.X
from PIL import Image

from data.game_picture import cache_folder

ROOT = Path(__file__).parent.parent
PICTURES = ROOT / "docs" / "pictures"
COLOURS = 256


class Screen:
    """A virtual screen with keyboard."""

    def __init__(self, number: str) -> None:
        self.environment = {
            **os.environ,
            "DISPLAY": number,
            "SDL_VIDEODRIVER": "x11",
            "SDL_AUDIODRIVER": "dummy",
            "XDG_CONFIG_HOME": tempfile.mkdtemp(prefix="settings-"),
            "XDG_CACHE_HOME": str(cache_folder().parent.parent),
        }
        file = Path(self.environment["XDG_CONFIG_HOME"]) / "replay-coach" / "settings.json"
        file.parent.mkdir()
        file.write_text(json.dumps({"seen_tour": True, "player": "Ada"}))
        self._display = Xlib.display.Display(number)

    def press(self, *keys: str) -> None:
        self.xdotool("key", "--delay", "80", *keys)
        time.sleep(0.4)

    def hold(self, seconds: float, *keys: str) -> None:
        self.xdotool("keydown", *keys)
        time.sleep(seconds)
        self.xdotool("keyup", *keys)

    def xdotool(self, *words: str) -> str:
        done = subprocess.run(["xdotool", *words], env=self.environment, capture_output=True, text=True, check=False)
        return done.stdout.strip()

    def wait_for(self, title: str, seconds: float = 90) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for window in self.xdotool("search", "--class", ".").split():
                if title in self.xdotool("getwindowname", window):
                    size = self._display.screen().root.get_geometry()
                    self.xdotool("windowsize", window, str(size.width), str(size.height))
                    self.xdotool("windowmove", window, "0", "0")
                    self.xdotool("windowfocus", window)
                    self.xdotool("mousemove", str(size.width - 1), str(size.height - 1))
                    time.sleep(0.7)
                    return
            time.sleep(0.1)
        raise SystemExit(f"no window called {title!r} opened")

    def _pixels(self) -> np.ndarray:
        """(H, W, 4) uint8, blue first."""
        root = self._display.screen().root
        size = root.get_geometry()
        raw = root.get_image(0, 0, size.width, size.height, Xlib.X.ZPixmap, 0xFFFFFFFF)
        return np.frombuffer(raw.data, np.uint8).reshape(size.height, size.width, 4)

    def photograph(self, path: Path) -> None:
        pixels = self._pixels()
        deadline = time.monotonic() + 60
        while (pixels == pixels[0, 0]).all() and time.monotonic() < deadline:  # a window that draws nothing yet
            time.sleep(2)
            pixels = self._pixels()
        picture = Image.fromarray(np.ascontiguousarray(pixels[:, :, 2::-1]))
        with_palette(picture).save(path, optimize=True)
        print(path)


def with_palette(picture: Image.Image) -> Image.Image:
    """A third of the bytes: the commonest colours stay as they are, rare ones (soft edges) become the nearest."""
    pixels = np.asarray(picture, np.int64).reshape(-1, 3)
    packed, which, counts = np.unique(pixels @ (65536, 256, 1), return_inverse=True, return_counts=True)
    colours = np.stack([packed >> 16, packed >> 8 & 255, packed & 255], axis=1)  # [U, 3]
    palette = colours[np.argsort(-counts)[:COLOURS]]
    nearest = np.stack([((palette - colour) ** 2).sum(1).argmin() for colour in colours]).astype(np.uint8)  # [U]
    # Pillow's own mapping to a palette is coarse: it would change the ground of every window a little.
    made = Image.fromarray(nearest[which].reshape(picture.height, picture.width), "P")
    made.putpalette(palette.astype(np.uint8).tobytes())
    return made


@contextmanager
def virtual_screen(size: tuple[int, int]) -> Iterator[Screen]:
    read_end, write_end = os.pipe()
    mode = f"{size[0]}x{size[1]}x24"
    command = ["Xvfb", "-displayfd", str(write_end), "-screen", "0", mode, "-nolisten", "tcp"]
    server = subprocess.Popen(command, pass_fds=[write_end], stderr=subprocess.DEVNULL)
    os.close(write_end)
    with os.fdopen(read_end) as pipe:
        number = pipe.readline().strip()
    try:
        yield Screen(f":{number}")
    finally:
        server.terminate()
        server.wait()


@contextmanager
def coach(screen: Screen, library: Path, *words: str) -> Iterator[None]:
    command = [sys.executable, str(ROOT / "coach.py"), "--library", str(library), *words]
    process = subprocess.Popen(command, env=screen.environment)
    try:
        yield
    finally:
        process.terminate()
        process.wait()
