"""The virtual screen on which the window tests run: listing windows while they change."""

from __future__ import annotations

import threading

import Xlib.display
import Xlib.X
from conftest import VirtualDisplay


def test_windows_are_listed_while_a_title_becomes_longer_and_shorter(virtual_display: VirtualDisplay) -> None:
    connection = Xlib.display.Display(virtual_display.name)
    screen = connection.screen()
    window = screen.root.create_window(0, 0, 10, 10, 0, screen.root_depth)
    window.set_wm_class("title", "title")
    titles = ("a short title", "a title that is longer than the first answer of the server, " * 3)
    stop = threading.Event()

    def change_the_title() -> None:
        while not stop.is_set():
            for title in titles:
                name, text = connection.intern_atom("_NET_WM_NAME"), connection.intern_atom("UTF8_STRING")
                window.change_property(name, text, 8, title.encode())
                connection.sync()

    changing = threading.Thread(target=change_the_title)
    changing.start()
    try:
        seen = {virtual_display.windows().get(str(window.id)) for _ in range(500)}
    finally:
        stop.set()
        changing.join()
        connection.close()
    assert seen - {None} == set(titles), "a title is missing, or is a part of one and a part of another"
