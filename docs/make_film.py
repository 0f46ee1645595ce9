"""The film of the loop in the README: play, judge, train, watch, in the real windows. `make pictures`.

A planner stands in for the person whose play fills the library; the windows are driven by real keys on a virtual
screen. Writes docs/pictures/loop.gif.
"""

from __future__ import annotations

import os
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
from make_pictures import PICTURES, ROOT, Screen, coach, virtual_screen
from PIL import Image, ImageDraw, ImageFont

from commands.background_training import running_training

SIZE = (1280, 800)
SHOWN = (640, 400)
CAPTION_HEIGHT = 44
PICTURES_PER_SECOND = 8
COLOURS = 128
SCENES = ("Play", "Judge", "Train", "Watch")
GROUND, QUIET, TEXT, GREEN = (14, 17, 22), (139, 149, 163), (230, 233, 238), (76, 195, 138)
RUN = "first"
MOST_BYTES = 1_500_000


def look(screen: Screen) -> Image.Image:
    """What is on the screen now, in the size of the film."""
    root = screen._display.screen().root
    raw = root.get_image(0, 0, *SIZE, Xlib.X.ZPixmap, 0xFFFFFFFF)
    pixels = np.frombuffer(raw.data, np.uint8).reshape(SIZE[1], SIZE[0], 4)
    return Image.fromarray(np.ascontiguousarray(pixels[:, :, 2::-1])).resize(SHOWN, Image.Resampling.BOX)


def film(screen: Screen, seconds: float, at: dict[float, Callable[[], object]]) -> list[Image.Image]:
    """Pictures of so many seconds; ``at``: what is done at which second."""
    found: list[Image.Image] = []
    waiting = sorted(at.items(), key=lambda item: item[0])
    begun = time.monotonic()
    for number in range(round(seconds * PICTURES_PER_SECOND)):
        due = number / PICTURES_PER_SECOND
        time.sleep(max(0.0, begun + due - time.monotonic()))
        while waiting and waiting[0][0] <= due:
            waiting.pop(0)[1]()
        found.append(look(screen))
    return found


def play(library: Path) -> list[Image.Image]:
    with virtual_screen(SIZE) as screen, coach(screen, library, "play", "--player", "Ada", "--seed", "1"):
        screen.wait_for("ready")

        def keys(way: str, *names: str) -> Callable[[], object]:
            return lambda: screen.xdotool(way, *names)

        moves = {
            0.5: keys("keydown", "Right", "space"),
            1.3: keys("keyup", "Right"),
            1.6: keys("keydown", "Left"),
            2.6: keys("keyup", "Left"),
            2.9: keys("keydown", "Right"),
            3.9: keys("keyup", "Right", "space"),
        }
        return film(screen, 4.0, moves)


def judge(library: Path) -> list[Image.Image]:
    with virtual_screen(SIZE) as screen, coach(screen, library, "curate", "--curator", "Ada"):
        screen.wait_for("curating")
        presses = zip((1.2, 2.2, 3.0, 3.8), "ggbg", strict=True)
        return film(screen, 4.5, {second: lambda key=key: screen.xdotool("key", key) for second, key in presses})


def train(library: Path) -> list[Image.Image]:
    """The form of a new training, and one that goes on, thirty times as fast."""
    size = ["--pretrain-steps", "40", "--steps", "5000", "--learn-from-step", "32", "--memory-size", "5000"]
    words = ["train", "--run", "mine", "--seed-from", "planner", *size, "--evaluate-every", "0"]
    command = [sys.executable, str(ROOT / "coach.py"), "--library", str(library), *words]
    training = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while (running_training(library / "runs" / "mine") or {}).get("phase") != "training":
        time.sleep(0.5)
        if training.poll() is not None:
            raise SystemExit("the training for the film has failed")
    with virtual_screen(SIZE) as screen, coach(screen, library):
        screen.wait_for("home")
        screen.press("t")
        screen.wait_for("training")
        screen.press("n")
        time.sleep(3)
        found = [look(screen)] * PICTURES_PER_SECOND * 2
        screen.press("Escape")
        for _ in range(30):
            time.sleep(30 / PICTURES_PER_SECOND)
            found.append(look(screen))
    training.send_signal(signal.SIGINT)
    training.wait()
    return found


def watch(library: Path) -> list[Image.Image]:
    with virtual_screen(SIZE) as screen, coach(screen, library, "watch", RUN, "--player", "Ada", "--seed", "4"):
        screen.wait_for("watching")
        time.sleep(2)
        return film(screen, 4.0, {})


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


def fill(library: Path) -> None:
    """Two episodes, verdicts, an agent that has begun to learn, and a person who has seen home's tour."""
    os.environ["XDG_CONFIG_HOME"] = str(library.parent)
    settings = library.parent / "replay-coach" / "settings.json"
    settings.parent.mkdir()
    settings.write_text('{"seen_tour": true}', encoding="utf-8")
    record = [
        "record",
        "--by",
        "planner",
        "--episodes",
        "2",
        "--seed",
        "11",
        "--jobs",
        "2",
        "--max-frames",
        "2400",
        "--rollouts",
        "4",
    ]
    size = ["--pretrain-steps", "400", "--steps", "100", "--memory-size", "5000", "--evaluate-every", "0"]
    for words in (
        record,
        ["label", "--rule", "before-death"],
        ["train", "--run", RUN, "--seed-from", "planner", *size],
    ):
        command = [sys.executable, str(ROOT / "coach.py"), "--library", str(library), *words]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "library"
        fill(library)
        scenes = [scene(library) for scene in (play, judge, watch, train)]
        scenes = [scenes[0], scenes[1], scenes[3], scenes[2]]
    pictures = [captioned(picture, number) for number, scene in enumerate(scenes) for picture in scene]
    write(pictures, PICTURES / "loop.gif")


if __name__ == "__main__":
    main()
