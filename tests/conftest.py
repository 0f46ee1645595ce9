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
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
os.environ.setdefault("SDL_AUDIODRIVER", "dummy")
# Tests must neither read nor change what the person who runs them has chosen; and they know the tour.
os.environ["XDG_CONFIG_HOME"] = tempfile.mkdtemp(prefix="settings-of-tests-")

import pytest
import Xlib.display
import Xlib.error
import Xlib.protocol.event
import Xlib.X
from postgresql_server import postgresql, postgresql_url  # noqa: F401 - fixtures for other test files

from data.library import Library
from home.settings import Settings, write_settings

write_settings(Settings(seen_tour=True))
atexit.register(shutil.rmtree, os.environ["XDG_CONFIG_HOME"], ignore_errors=True)

ROOT = Path(__file__).parent.parent
SCREEN_PROGRAMS = ("Xvfb", "xdotool")
SECONDS = {
    "test_commands_compare.py": 90,
    "test_home_train_window.py": 70,
    "test_agent_training.py": 70,
    "test_home_comparison_window.py": 65,
    "test_docs_tutorial.py": 60,
    "test_home_to_agent.py": 60,
    "test_agent_learner.py": 45,
    "test_commands_tour.py": 35,
    "test_curator_windows_at_once.py": 30,
    "test_agent_additions.py": 30,
    "test_agent_update_reference.py": 27,
    "test_data_episode_import.py": 25,
    "test_coach_windows.py": 25,
    "test_docs_shell_blocks.py": 25,
    "test_whole_loop.py": 25,
    "test_agent_start_states.py": 23,
    "test_curator_learned_judge.py": 20,
    "test_home_window.py": 20,
    "test_recorder_play_window.py": 20,
    "test_data_recovery.py": 18,
    "test_docs_guide.py": 16,
    "test_curator_window.py": 15,
    "test_data_minari_import.py": 15,
    "test_benchmarks_learning.py": 13,
    "test_docs_extending.py": 13,
    "test_agent_comparison_engine.py": 11,
    "test_portability.py": 10,
    "test_packaging.py": 10,
}
"""Seconds that the longest files take. They begin first, so that no worker is left alone with one of them."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first, all others in their order."""
    items.sort(key=lambda item: -SECONDS.get(item.path.name, 0))


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
        """Id and title of every window.

        The server itself is asked: tests wait for windows a thousand times, and each xdotool is a process.
        """
        try:
            return _windows(_connection(self.name))
        except Xlib.error.ConnectionClosedError:
            _connection.cache_clear()
            return _windows(_connection(self.name))

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
            deadline = time.monotonic() + 25
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


@cache
def _connection(name: str) -> Xlib.display.Display:
    connection = Xlib.display.Display(name)
    # python-xlib registers the errors of RandR under the codes of BadRequest and BadValue, with classes that are no
    # XError. Such an answer would raise an AttributeError, and every request after it would wait forever.
    connection.display.error_classes = Xlib.error.xerror_class
    return connection


def _windows(display: Xlib.display.Display) -> dict[str, str]:
    found: dict[str, str] = {}
    waiting = [display.screen().root]
    while waiting:
        window = waiting.pop()
        with suppress(Xlib.error.XError):  # it has gone meanwhile
            if window.get_wm_class() is not None:
                # In one request: a title that becomes shorter between two is a BadValue.
                title = window.get_full_text_property(display.intern_atom("_NET_WM_NAME"), sizehint=1024)
                found[str(window.id)] = title or str(window.get_wm_name() or "")
            waiting += window.query_tree().children
    return found


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
