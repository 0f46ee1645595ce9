"""The film of the loop in the README: play, judge, train, watch, in the real windows. `make pictures`.

A planner stands in for the person whose play fills the library (that of the pictures); the windows are driven by real
keys on a virtual screen. A picture is taken when something has moved, so that a slow machine makes the same film.
Writes docs/pictures/loop.gif.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent.parent))

import numpy as np
import Xlib.X
from make_pictures import RUN, make_library
from PIL import Image, ImageDraw, ImageFont
from real_windows import PICTURES, ROOT, Screen, coach, virtual_screen

from data.runs import RunFolder

SIZE = (1280, 800)
SHOWN = (640, 400)
CAPTION_HEIGHT = 44
PICTURES_PER_SECOND = 8
COLOURS = 128
SCENES = ("Play", "Judge", "Train", "Watch")
GROUND, QUIET, TEXT, GREEN = (14, 17, 22), (139, 149, 163), (230, 233, 238), (76, 195, 138)
MOST_BYTES = 3_000_000
SECONDS_BETWEEN_PICTURES_OF_TRAINING = 3.0
STILL_SECONDS = 5.0
"""For so long a picture is waited for that differs from the one before."""


def look(screen: Screen) -> Image.Image:
    """What is on the screen now, in the size of the film."""
    root = screen._display.screen().root
    raw = root.get_image(0, 0, *SIZE, Xlib.X.ZPixmap, 0xFFFFFFFF)
    pixels = np.frombuffer(raw.data, np.uint8).reshape(SIZE[1], SIZE[0], 4)
    return Image.fromarray(np.ascontiguousarray(pixels[:, :, 2::-1])).resize(SHOWN, Image.Resampling.BOX)


def wait_until_drawn(screen: Screen) -> None:
    while len(look(screen).getcolors(256 * 256) or [0, 0]) < 3:
        time.sleep(0.2)


def film(screen: Screen, pictures: int, at: dict[int, Callable[[], object]]) -> list[Image.Image]:
    """So many pictures, in each of which something has moved; ``at``: what is done before which picture.

    SystemExit where half of them stand still.
    """
    wait_until_drawn(screen)
    found: list[Image.Image] = []
    still = 0
    for number in range(pictures):
        if number in at:
            at[number]()
        deadline = time.monotonic() + STILL_SECONDS
        time.sleep(1 / PICTURES_PER_SECOND)
        picture = look(screen)
        while found and picture == found[-1] and time.monotonic() < deadline:
            time.sleep(1 / PICTURES_PER_SECOND)
            picture = look(screen)
        still += bool(found) and picture == found[-1]
        found.append(picture)
    if still > pictures / 2:
        raise SystemExit(f"{still} of {pictures} pictures of the film stand still")
    return found


def play(library: Path) -> list[Image.Image]:
    with virtual_screen(SIZE) as screen, coach(screen, library, "play", "--player", "Ada", "--seed", "1"):
        screen.wait_for("ready")

        def keys(way: str, *names: str) -> Callable[[], object]:
            return lambda: screen.xdotool(way, *names)

        moves = {
            4: keys("keydown", "Right", "space"),
            11: keys("keyup", "Right"),
            13: keys("keydown", "Left"),
            21: keys("keyup", "Left"),
            23: keys("keydown", "Right"),
            31: keys("keyup", "Right", "space"),
        }
        screen.xdotool("keydown", "space")
        return film(screen, 32, moves)


def judge(library: Path) -> list[Image.Image]:
    with virtual_screen(SIZE) as screen, coach(screen, library, "curate", "--curator", "Ada"):
        screen.wait_for(" left")
        presses = zip((10, 18, 24, 30), "ggbg", strict=True)
        return film(screen, 36, {number: lambda key=key: screen.xdotool("key", key) for number, key in presses})


def train(library: Path) -> list[Image.Image]:
    """The form of a new training, and one in progress, a picture every few seconds."""
    size = ["--pretrain-steps", "40", "--steps", "5000", "--learn-from-step", "32", "--memory-size", "5000"]
    words = ["train", "--run", "mine", "--seed-from", "planner", *size, "--evaluate-every", "0"]
    command = [sys.executable, str(ROOT / "coach.py"), "--library", str(library), *words]
    training = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    run = RunFolder(library / "runs" / "mine")
    while (report := run.training()) is None or report.progress.phase != "training":
        time.sleep(0.5)
        if training.poll() is not None:
            raise SystemExit("the training for the film has failed")
    with virtual_screen(SIZE) as screen, coach(screen, library):
        screen.wait_for("home")
        screen.press("t")
        screen.wait_for("training")
        screen.press("n")
        time.sleep(5)
        found = [look(screen)] * PICTURES_PER_SECOND * 2
        screen.press("Escape")
        for _ in range(30):
            time.sleep(SECONDS_BETWEEN_PICTURES_OF_TRAINING)
            found += film(screen, 1, {})
    training.send_signal(signal.SIGINT)
    training.wait()
    return found


def watch(library: Path) -> list[Image.Image]:
    with virtual_screen(SIZE) as screen, coach(screen, library, "watch", RUN, "--player", "Ada", "--seed", "4"):
        screen.wait_for("watching")
        time.sleep(2)
        return film(screen, 48, {})


def captioned(picture: Image.Image, scene: int) -> Image.Image:
    """The picture with the four steps above it, the present one lit."""
    whole = Image.new("RGB", (SHOWN[0], SHOWN[1] + CAPTION_HEIGHT), GROUND)
    whole.paste(picture, (0, CAPTION_HEIGHT))
    draw = ImageDraw.Draw(whole)
    font = ImageFont.load_default(20)
    column = SHOWN[0] / len(SCENES)
    for number, name in enumerate(SCENES):
        colour = TEXT if number == scene else QUIET
        draw.text((column * (number + 0.5), CAPTION_HEIGHT / 2), f"{number + 1}  {name}", colour, font, anchor="mm")
        if number == scene:
            left = column * number + 16
            draw.rectangle((left, CAPTION_HEIGHT - 4, left + column - 32, CAPTION_HEIGHT - 2), fill=GREEN)
    return whole


def write(pictures: list[Image.Image], path: Path) -> None:
    """One palette for all, so that what does not move costs nothing."""
    sample = Image.new("RGB", (pictures[0].width, pictures[0].height * 12))
    for row, number in enumerate(np.linspace(0, len(pictures) - 1, 12).astype(int)):
        sample.paste(pictures[number], (0, row * pictures[0].height))
    palette = sample.quantize(COLOURS, Image.Quantize.MAXCOVERAGE)
    indexed = [picture.quantize(palette=palette, dither=Image.Dither.NONE) for picture in pictures]
    indexed[0].save(
        path, save_all=True, append_images=indexed[1:], duration=1000 // PICTURES_PER_SECOND, loop=0, optimize=False
    )
    size = path.stat().st_size
    print(f"{path}: {len(pictures)} pictures, {size / 1e6:.2f} MB")
    if size > MOST_BYTES:
        raise SystemExit(f"{path} is larger than {MOST_BYTES / 1e6:g} MB")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        library = make_library(Path(folder) / "library")
        played, judged, watched = play(library), judge(library), watch(library)
        scenes = (played, judged, train(library), watched)
    pictures = [captioned(picture, number) for number, scene in enumerate(scenes) for picture in scene]
    write(pictures, PICTURES / "loop.gif")


if __name__ == "__main__":
    main()
