"""Pictures of every window, as they really look: `make pictures`.

A planner records, a rule judges, an agent trains a little and two seedings are compared; then each window is opened on
a virtual screen of exactly its size, driven by real keys, and photographed. Writes docs/pictures/NAME.png, and
NAME-2x.png at twice the size. Each window starts with the same library, so that both sizes show the same. What was
recorded and trained is kept in build/pictures, so that the next time is quick; `make clean` removes it.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from real_windows import PICTURES, ROOT, Screen, coach, virtual_screen

from data.game_picture import cache_folder
from data.simulation import games

LOOKED_AT = ROOT / "build" / "pictures" / "other-sizes"
SIZES = {
    "1x": ("", (1280, 800), PICTURES),
    "2x": ("-2x", (2560, 1600), PICTURES),
    "small": ("-small", (960, 600), LOOKED_AT),
    "wide": ("-wide", (1920, 1080), LOOKED_AT),
}
"""Of each size: what ends its pictures' names, pixels, and where the pictures go."""
MADE = ROOT / "build" / "pictures" / "library"
RUN, COMPARISON = "first", "comparison-1"
SHORT = "--steps 100 --memory-size 5000 --learn-from-step 25"
STEPS = (
    "record --by planner --episodes 2 --seed 11 --jobs 2 --max-frames 2400 --rollouts 4",
    "label --rule before-death",
    "record --by random --episodes 4 --seed 5 --max-frames 1200",
    "record --by random --episodes 4 --seed 5 --max-frames 1200 --game Breakout --player Grace",
    f"compare --name {COMPARISON} --seedings none all --seeds 2 --pretrain-steps 40 {SHORT}"
    " --final-episodes 2 --evaluation-episodes 2 --evaluate-every 100",
    f"train --run {RUN} --seed-from planner --pretrain-steps 400 --evaluate-every 0 {SHORT}",
)
"""How the library of the pictures is made."""


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
        screen.press("F1", "q")
        time.sleep(1)
        take("curator-queues")
        screen.press("Escape", "n")
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
        time.sleep(12)  # until the strip shows something
        take("watch")
        screen.press("t")
        screen.hold(0.5, "Left")
        take("watch-take-over")


def home(screen: Screen, library: Path, take: Callable[[str], None]) -> None:
    with coach(screen, library):
        screen.wait_for("home")
        time.sleep(15)  # the library is read in the background
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
        screen.wait_for("library, ")  # with the number of episodes, once they are read
        time.sleep(1)
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
        screen.press("t")
        screen.wait_for("training - new")
        # Up from the first source, which has the focus, to the last ones.
        screen.press("Down", "Down", "space")
        time.sleep(3)
        take("train-supplied-source")
        screen.press("Escape")
        screen.wait_for("training - teacher")
        time.sleep(1)
        take("train-supplied")
        screen.press("w")
        screen.wait_for("watching")
        time.sleep(4)
        take("watch-supplied")


def train(screen: Screen, library: Path, take: Callable[[str], None]) -> None:
    with coach(screen, library):
        screen.wait_for("home")
        screen.press("t")
        screen.wait_for(f"training - {RUN}: done")
        take("train-done")
        screen.press("n")
        screen.wait_for("training - new")
        time.sleep(5)
        take("train-choose")
        screen.press("Down", "Down", "Down", "Right", "Return")  # good clips alone, and there are none
        screen.wait_for(": failed", 600)
        time.sleep(1)
        take("train-failed")
        screen.press("Delete")
        screen.press("n")
        # From "everything" up to the numbers: never evaluate, hardly pretrain.
        screen.press("Up", "Up", "Up", "Up", "Up", "0", "Up", "4", "0", "Return")
        screen.wait_for(": training", 600)
        time.sleep(40)
        take("train-live")
        screen.press("m")
        screen.wait_for("moments")
        time.sleep(8)
        take("moments")
        screen.press("Escape")
        screen.wait_for(": training")
        screen.press("c")
        screen.wait_for("watching")
        time.sleep(4)
        screen.press("t")
        screen.hold(2.0, "Left")
        screen.press("t")
        time.sleep(12)
        take("watch-coach")
        screen.press("Escape")
        screen.wait_for(": training")
        screen.press("s")
        screen.wait_for(": stopped", 600)


def compare(screen: Screen, library: Path, take: Callable[[str], None]) -> None:
    with coach(screen, library):
        screen.wait_for("home")
        screen.press("c")
        screen.wait_for(f"{COMPARISON}: done")
        take("compare-results")
        screen.press("n")
        screen.wait_for("comparing - new")
        time.sleep(1)
        take("compare-choose")
        screen.press("Up", "Up", "2", "Up", "4", "0", "Up", "1", "0", "0", "Up", "2", "Return")
        screen.wait_for(": running", 600)
        _wait_until_one_learns(library / "comparisons" / "comparison-2" / "progress.json")
        take("compare-running")
        screen.press("s")
        screen.wait_for(": stopped", 600)


def _wait_until_one_learns(progress: Path, seconds: float = 300) -> None:
    """Until a run of the comparison pretrains or trains."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        runs = json.loads(progress.read_text(encoding="utf-8"))["runs"]
        if any(run["state"] == "running" and run.get("phase") in ("pretraining", "training") for run in runs):
            break
        time.sleep(0.5)
    time.sleep(2)


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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    known = [window.__name__ for window in (*WINDOWS, full_screen)]
    parser.add_argument("--only", nargs="+", choices=known, default=known, help="photograph these alone")
    parser.add_argument(
        "--sizes",
        nargs="+",
        choices=list(SIZES),
        default=["1x", "2x"],
        help=f"small: 960 x 600, wide: 1920 x 1080, both into {LOOKED_AT.relative_to(ROOT)} to be looked at "
        "(default: 1x 2x)",
    )
    arguments = parser.parse_args()
    only = set(arguments.only)
    library = _work_folder() / "library"
    try:
        make_library(library)
        for name in arguments.sizes:
            suffix, size, folder = SIZES[name]
            folder.mkdir(parents=True, exist_ok=True)
            for window in WINDOWS:
                if window.__name__ in only:
                    with virtual_screen(size) as screen:
                        window(screen, _fresh(library), partial(_photograph, screen, folder, suffix))
        if "full_screen" in only and "1x" in arguments.sizes:
            with virtual_screen((1920, 1080)) as screen:
                full_screen(screen, _fresh(library), partial(_photograph, screen, PICTURES, ""))
    finally:
        shutil.rmtree(library.parent, ignore_errors=True)


def _work_folder() -> Path:
    """A folder of the same name each time, where it is free: windows show where their library is."""
    folder = Path(tempfile.gettempdir()) / "replay-coach"
    try:
        folder.mkdir()
    except FileExistsError:
        folder = Path(tempfile.mkdtemp(prefix="replay-coach-"))
    return folder


def make_library(library: Path) -> Path:
    """The library of all pictures at ``library``; what was made of it before is not made again, but copied."""
    done_file = MADE.with_name("made.json")
    done = json.loads(done_file.read_text(encoding="utf-8")) if done_file.exists() else []
    if done != list(STEPS[: len(done)]):
        shutil.rmtree(MADE)
        done = []
    for step in STEPS[len(done) :]:
        # Where the pictures show it: a comparison remembers its report's place.
        _fresh(library)
        print("coach", step, flush=True)
        command = [sys.executable, str(ROOT / "coach.py"), "--library", str(library), *step.split()]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        shutil.rmtree(MADE, ignore_errors=True)
        shutil.copytree(library, MADE)
        done.append(step)
        done_file.write_text(json.dumps(done), encoding="utf-8")
    return _fresh(library)


def _fresh(library: Path) -> Path:
    """``library`` as it was made, whatever was done to it for the window before."""
    shutil.rmtree(library, ignore_errors=True)
    if MADE.exists():
        shutil.copytree(MADE, library, dirs_exist_ok=True)
    return library


def _photograph(screen: Screen, folder: Path, suffix: str, name: str) -> None:
    screen.photograph(folder / f"{name}{suffix}.png")


if __name__ == "__main__":
    main()
