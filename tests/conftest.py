"""Fixtures that many tests share: quiet libraries and a virtual screen."""

from __future__ import annotations

import atexit
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
os.environ.setdefault("SDL_AUDIODRIVER", "dummy")
# Tests must neither read nor change what the person who runs them has chosen; and they know the tour.
os.environ["XDG_CONFIG_HOME"] = tempfile.mkdtemp(prefix="settings-of-tests-")

import pytest
import Xlib.display
import Xlib.protocol.event
import Xlib.X
from postgresql_server import postgresql, postgresql_url  # noqa: F401 - fixtures for other test files

from data.library import Library
from home.settings import Settings, write_settings

write_settings(Settings(seen_tour=True))
atexit.register(shutil.rmtree, os.environ["XDG_CONFIG_HOME"], ignore_errors=True)

ROOT = Path(__file__).parent.parent
SCREEN_PROGRAMS = ("Xvfb", "xdotool")
LONGEST_FILES = (
    "test_commands_compare.py",
    "test_home_comparison_window.py",
    "test_home_train_window.py",
    "test_docs_tutorial.py",
    "test_agent_training.py",
    "test_data_recovery.py",
    "test_home_to_agent.py",
)
"""Minutes each: they begin first, so that no process is left alone with one of them at the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first, all others in their order."""

    def turn(item: pytest.Item) -> int:
        return LONGEST_FILES.index(item.path.name) if item.path.name in LONGEST_FILES else len(LONGEST_FILES)

    items.sort(key=turn)


@dataclass(frozen=True)
class VirtualDisplay:
    """An X server without a monitor, and a hand at its keyboard and mouse."""

    name: str
    """Such as ":101"."""

    @property
    def environment(self) -> dict[str, str]:
        """Environment variables for a process that is to open its window here."""
        return {**os.environ, "DISPLAY": self.name, "SDL_VIDEODRIVER": "x11"}

    def xdotool(self, *arguments: str | int) -> str:
        """Run xdotool with these arguments and return what it printed."""
        command = ["xdotool", *map(str, arguments)]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=30, check=False)
        return done.stdout.strip()

    def windows(self) -> dict[str, str]:
        """Id and title of every window."""
        # Searching by name misses SDL's windows (their legacy name has an unusual encoding); their class is found.
        found = self.xdotool("search", "--class", ".").split()
        return {window: self.xdotool("getwindowname", window) for window in found}

    def wait_for_window(self, title: str, process: subprocess.Popen[str] | None = None, seconds: float = 150) -> str:
        """Id of the window whose title contains ``title`` (a regular expression), focused, once there is one."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = [window for window, name in self.windows().items() if re.search(title, name)]
            if found:
                self.xdotool("windowfocus", "--sync", found[-1])
                return found[-1]
            if process is not None and process.poll() is not None:
                _, errors = process.communicate()
                pytest.fail(f"the program ended with {process.returncode} before its window {title!r} opened: {errors}")
            time.sleep(0.05)
        pytest.fail(f"no window called {title!r} opened within {seconds} s; there are: {self.windows()}")

    def click(self, title: str, at: tuple[float, float], times: int = 1) -> None:
        """Click into the window with that title; ``at`` in pixels from its corner."""
        move = ("mousemove", "--window", self.wait_for_window(title), round(at[0]), round(at[1]))
        self.xdotool(*move, "click", "--repeat", times, "--delay", 60, 1)

    def click_through(self, title: str, at: tuple[float, float], next_title: str) -> None:
        """Click into a window that thereby becomes another; a click that came before it was ready is repeated."""
        for _ in range(10):
            self.click(title, at)
            deadline = time.monotonic() + 10
            while time.monotonic() < deadline:
                names = list(self.windows().values())
                if any(re.search(next_title, name) for name in names):
                    return
                if not any(re.search(title, name) for name in names):
                    break
                time.sleep(0.05)
            else:
                continue
            break
        self.wait_for_window(next_title)

    def ask_to_close(self, window: str) -> None:
        """Do what a window manager does when the cross of a window is clicked."""
        display = Xlib.display.Display(self.name)
        target = display.create_resource_object("window", int(window))
        protocols, delete = (display.intern_atom(name) for name in ("WM_PROTOCOLS", "WM_DELETE_WINDOW"))
        message = Xlib.protocol.event.ClientMessage(
            window=target, client_type=protocols, data=(32, [delete, Xlib.X.CurrentTime, 0, 0, 0])
        )
        target.send_event(message)
        display.sync()  # not only flushed: closing at once may drop what the server has not read
        display.close()

    def wait_until(self, holds: Callable[[], bool], what: str, seconds: float = 60) -> None:
        """Wait until ``holds()``; fails, saying ``what`` was awaited."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if holds():
                return
            time.sleep(0.02)
        pytest.fail(f"waited {seconds} s in vain for: {what}")


@contextmanager
def running_coach(display: VirtualDisplay, library: Library, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """``coach`` in a process of its own on the virtual screen; it must end by itself, and well."""
    command = [sys.executable, str(ROOT / "coach.py"), "--library", str(library.folder), *arguments]
    process = subprocess.Popen(
        command, env=display.environment, cwd=library.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        yield process
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors
    finally:
        process.kill()
        process.wait()


def _missing_programs() -> list[str]:
    return [program for program in SCREEN_PROGRAMS if shutil.which(program) is None]


@pytest.fixture(scope="session")
def virtual_display_server() -> Iterator[VirtualDisplay]:
    """One Xvfb for the whole run; in CI its absence is a failure, elsewhere a skip that says what is missing."""
    missing = _missing_programs()
    if missing:
        message = f"{' and '.join(missing)} not found: install the packages xvfb and xdotool to test the windows"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    read_end, write_end = os.pipe()
    # It would start over whenever its last window goes, and a window that opens meanwhile would find no display.
    command = ["Xvfb", "-displayfd", str(write_end), "-screen", "0", "2720x1760x24", "-nolisten", "tcp", "-noreset"]
    server = subprocess.Popen(command, pass_fds=[write_end], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.close(write_end)
    with os.fdopen(read_end) as pipe:
        number = pipe.readline().strip()
    if not number:
        server.kill()
        pytest.fail("Xvfb did not start")
    yield VirtualDisplay(f":{number}")
    server.terminate()
    server.wait(10)


@pytest.fixture
def virtual_display(
    virtual_display_server: VirtualDisplay, monkeypatch: pytest.MonkeyPatch
) -> Iterator[VirtualDisplay]:
    """The virtual screen, with DISPLAY set for this process too, and all keys up afterwards."""
    monkeypatch.setenv("DISPLAY", virtual_display_server.name)
    monkeypatch.setenv("SDL_VIDEODRIVER", "x11")
    yield virtual_display_server
    keys = ["Left", "Right", "Up", "Down", "space", "BackSpace", "a", "d"]
    virtual_display_server.xdotool("keyup", *keys)
