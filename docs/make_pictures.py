"""Pictures of every window, as they really look: `make pictures`.

A planner records, a rule judges, an agent trains a little; then each window is opened on a virtual screen of exactly
its size, driven by real keys, and photographed. Writes docs/pictures/NAME.png, and NAME-2x.png at twice the size.
Each size begins with the same library, so that both show the same. `--small` adds 960 x 600, to be looked at only.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
import Xlib.display
import Xlib.X
from PIL import Image

from data.game_picture import cache_folder
from data.simulation import games

ROOT = Path(__file__).parent.parent
PICTURES = ROOT / "docs" / "pictures"
SIZES = {"": (1280, 800), "-2x": (2560, 1600)}
SMALL = {"-small": (960, 600)}
RUN = "first"
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
        self.xdotool("key", *keys)
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
        # A palette is a third of the bytes. Windows have few colours; only soft edges of letters are rounded.
        picture.quantize(COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(path, optimize=True)
        print(path)


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


def recorder(screen: Screen, library: Path, take: Callable[[str], None]) -> None:
    with coach(screen, library, "play", "--player", "Ada", "--seed", "1"):
        screen.wait_for("ready")
        take("recorder-ready")
        screen.press("F2", "Down", "Down", "Return", "p")
        take("recorder-key-editor")
        screen.press("F3", "Escape")
        screen.press("g")
        screen.wait_for("choosing")
        wait_for_pictures()
        take("game-picker")
        screen.xdotool("type", "in")
        time.sleep(0.5)
        take("game-picker-search")
        screen.press("Escape", "Escape")
        for _ in range(3):
            screen.hold(0.7, "Right", "space")
            screen.hold(0.5, "Left", "space")
        screen.xdotool("keydown", "Right", "space")
        time.sleep(0.5)
        take("recorder")
        screen.xdotool("keyup", "Right", "space")
        screen.press("p")
        take("recorder-paused")
        screen.press("F1")
        take("recorder-keys")
        screen.press("F1")
        screen.press("Escape")
        take("recorder-ended")
        screen.press("Delete")


def wait_for_pictures(seconds: float = 90) -> None:
    """Until the games in sight have their pictures, which are made in the background once."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and len(list(cache_folder().glob("*.npz"))) < len(games()):
        time.sleep(0.5)
    time.sleep(1)


def left_before(screen: Screen, library: Path, take: Callable[[str], None]) -> None:
    """An episode that the window was closed on waits in the list of those to go on with."""
    with coach(screen, library, "play", "--player", "Ada", "--seed", "3"):
        screen.wait_for("ready")
        screen.hold(2.0, "Left", "space")
        screen.press("p")
    with coach(screen, library, "play", "--player", "Ada"):
        screen.wait_for("ready")
        screen.press("o")
        take("recorder-go-on")
        screen.press("Escape", "Escape")


def full_screen(screen: Screen, library: Path, take: Callable[[str], None]) -> None:
    with coach(screen, library, "play", "--game", "Seaquest", "--player", "Ada", "--seed", "1"):
        screen.wait_for("ready")
        screen.press("F11")
        screen.hold(2.0, "Right", "space")
        screen.xdotool("keydown", "Up", "space")
        time.sleep(0.5)
        take("recorder-full-screen")
        screen.xdotool("keyup", "Up", "space")
        screen.press("Escape", "Delete")


def curator(screen: Screen, library: Path, take: Callable[[str], None]) -> None:
    with coach(screen, library, "curate", "--curator", "Ada", "--goal", "20"):
        screen.wait_for(" left")
        for key in ("g", "g", "b", "g", "s", "v", "b"):
            screen.press(key)
        take("curator")
        screen.press("F1")
        take("curator-keys")
        screen.press("F1", "n")
        screen.xdotool("type", "--delay", "20", "moves away from the shot, then hits")
        time.sleep(0.4)
        take("curator-note")
        screen.press("Return")
        screen.press("Home")
        screen.press("i", *["shift+Right"] * 8)
        take("curator-cut")
        screen.press("Escape")
        screen.press("Escape")
    with coach(screen, library, "curate", "--curator", "Ada", "--queue", "second-look"):
        screen.wait_for(" left")
        take("curator-second-look")
        screen.press("g")
        take("curator-end")
        for _ in range(8):  # Everything is taken back, so that the next size shows the same.
            screen.press("BackSpace")


def curator_empty(screen: Screen, library: Path, take: Callable[[str], None]) -> None:
    with coach(screen, library / "nothing-yet", "curate", "--curator", "Ada"):
        screen.wait_for("no episodes")
        take("curator-empty")


def watch(screen: Screen, library: Path, take: Callable[[str], None]) -> None:
    with coach(screen, library, "watch", RUN, "--player", "Ada", "--seed", "4"):
        screen.wait_for("watching")
        time.sleep(4)
        take("watch")
        screen.press("t")
        screen.hold(0.5, "Left")
        take("watch-take-over")


def home(screen: Screen, library: Path, take: Callable[[str], None]) -> None:
    with coach(screen, library):
        screen.wait_for("home")
        time.sleep(5)  # the library is looked through in the background
        take("home")
        screen.press("F1")
        take("home-keys")
        screen.press("F1")
        screen.press("F2", "Right", "Right")
        take("home-tour")


def settings(screen: Screen, library: Path, take: Callable[[str], None]) -> None:
    with coach(screen, library):
        screen.wait_for("home")
        screen.press("s")
        screen.wait_for("settings")
        screen.press("Down", "Down")
        take("settings")


def library_window(screen: Screen, library: Path, take: Callable[[str], None]) -> None:
    with coach(screen, library):
        screen.wait_for("home")
        screen.press("l")
        screen.wait_for("library")
        time.sleep(2)
        screen.press("c", "a", "v")
        time.sleep(25)
        screen.press("a", "Down", "Down", "space")
        take("library")
        screen.press("Return")
        screen.wait_for("played back")
        time.sleep(4)
        screen.press("space")
        take("library-playback")
        screen.press("Escape", "Delete")
        time.sleep(1)
        screen.press("t")
        take("library-trash")
        screen.press("r")
        time.sleep(1)


def home_empty(screen: Screen, library: Path, take: Callable[[str], None]) -> None:
    with coach(screen, library / "nothing-yet"):
        screen.wait_for("home")
        time.sleep(5)
        take("home-empty")


def train(screen: Screen, library: Path, take: Callable[[str], None]) -> None:
    with coach(screen, library):
        screen.wait_for("home")
        screen.press("t")
        screen.wait_for(f"training - {RUN}: done")
        take("train-done")
        screen.press("n")
        time.sleep(3)
        take("train-choose")
        screen.press("Down", "Down", "Down", "Right", "Return")  # good clips alone, and there are none
        screen.wait_for(": failed", 300)
        time.sleep(1)
        take("train-failed")
        screen.press("Delete")
        screen.press("n")
        # From "everything" up to the numbers: never evaluate, hardly pretrain.
        screen.press("Up", "Up", "Up", "Up", "0", "Up", "4", "0", "Return")
        screen.wait_for(": training", 300)
        time.sleep(40)
        take("train-live")
        screen.press("s")
        screen.wait_for(": stopped", 300)


def compare(screen: Screen, library: Path, take: Callable[[str], None]) -> None:
    with coach(screen, library):
        screen.wait_for("home")
        screen.press("c")
        screen.wait_for("comparing")
        screen.press("n")
        take("compare-choose")
        screen.press("Up", "Up", "2", "Up", "4", "0", "Up", "1", "0", "0", "Up", "2", "Return")
        screen.wait_for(": running", 300)
        time.sleep(40)
        take("compare-running")
        screen.wait_for(": done", 900)
        time.sleep(1)
        take("compare-results")


WINDOWS = (
    recorder,
    left_before,
    curator,
    curator_empty,
    watch,
    home,
    home_empty,
    settings,
    library_window,
    train,
    compare,
)
NEED_A_RUN = {"curator", "watch", "home", "train", "compare"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    known = [window.__name__ for window in (*WINDOWS, full_screen)]
    parser.add_argument("--only", nargs="+", choices=known, default=known, help="photograph these alone")
    parser.add_argument("--small", action="store_true", help="960 x 600 too, into a folder that is named at the end")
    arguments = parser.parse_args()
    only = set(arguments.only)
    PICTURES.mkdir(parents=True, exist_ok=True)
    looked_at = _work_folder()
    library = looked_at / "as-recorded"
    record = ["record", "--by", "planner", "--episodes", "2", "--seed", "11", "--jobs", "2", "--max-frames", "2400"]
    record += ["--rollouts", "4"]
    size = ["--pretrain-steps", "400", "--steps", "100", "--memory-size", "5000", "--evaluate-every", "0"]
    begin = ["train", "--run", RUN, "--seed-from", "planner", *size]
    label = ["label", "--rule", "before-death"]
    more = [
        ["record", "--by", "random", "--episodes", "4", "--seed", "5", "--max-frames", "1200", *of]
        for of in ([], ["--game", "Breakout", "--player", "Grace"])
    ]
    made = [record, label, begin] if only & NEED_A_RUN else [record, label] if "library_window" in only else []
    for words in [*made, *(more if "library_window" in only else [])]:
        command = [sys.executable, str(ROOT / "coach.py"), "--library", str(library), *words]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        print("done: coach", *words)
    library.mkdir(exist_ok=True)
    for suffix, size in {**SIZES, **(SMALL if arguments.small else {})}.items():
        folder = looked_at if suffix in SMALL else PICTURES
        for window in WINDOWS:
            if window.__name__ in only:
                with virtual_screen(size) as screen:
                    window(screen, _copy(library), partial(_photograph, screen, folder, suffix))
    if "full_screen" in only:
        with virtual_screen((1920, 1080)) as screen:
            full_screen(screen, _copy(library), partial(_photograph, screen, PICTURES, ""))
    if not arguments.small:
        shutil.rmtree(looked_at)


def _work_folder() -> Path:
    """A folder of the same name each time, where it is free: windows show where their library is."""
    folder = Path(tempfile.gettempdir()) / "replay-coach"
    try:
        folder.mkdir()
    except FileExistsError:
        folder = Path(tempfile.mkdtemp(prefix="replay-coach-"))
    return folder


def _copy(library: Path) -> Path:
    """The library for one window at one size, whatever was done to it for others."""
    copy = library.with_name("library")
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(library, copy, dirs_exist_ok=True)
    return copy


def _photograph(screen: Screen, folder: Path, suffix: str, name: str) -> None:
    screen.photograph(folder / f"{name}{suffix}.png")


if __name__ == "__main__":
    main()
