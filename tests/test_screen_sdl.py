"""What SDL leaves to its callers: errors of the X server, in programs that open real windows."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.conftest import ROOT, VirtualDisplay

PROGRAM = """
import ctypes
import sys

from screen.window import Window

x11 = ctypes.CDLL("libX11.so.6")
x11.XOpenDisplay.restype = ctypes.c_void_p
for _ in range(2):
    with Window("Replay Coach - errors"):
        pass
with Window("Replay Coach - errors"):
    display, closed = ctypes.c_void_p(x11.XOpenDisplay(None)), ctypes.c_ulong(0x00A00002)
    if sys.argv[1] == "send":
        event = (ctypes.c_long * 24)(33)  # a ClientMessage, as SDL sends it
        event[6] = 8  # its format
        assert x11.XSendEvent(display, closed, 0, ctypes.c_long(0), event)
    else:
        x11.XMapWindow(display, closed)
    if sys.argv[2] == "open":
        x11.XSync(display, 0)
x11.XSync(display, 0)
print("went on")
"""


@pytest.mark.parametrize("read", ["open", "closed"])
@pytest.mark.parametrize("request_kind", ["send", "map"])
def test_only_a_message_to_a_closed_window_does_not_end_the_program(
    virtual_display: VirtualDisplay, request_kind: str, read: str
) -> None:
    """The answer is read while a window is open, or once the display is closed, as SDL does with its own."""
    command = [sys.executable, "-c", PROGRAM, request_kind, read]
    done = subprocess.run(
        command, env=virtual_display.environment, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    if request_kind == "send":
        assert (done.returncode, done.stdout, done.stderr) == (0, "went on\n", "")
    else:
        assert (done.returncode, done.stdout) == (1, "")
        assert "BadWindow" in done.stderr
