"""The live view of a training: the picture of its game, written only while somebody watches."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from data.live_view import FRESH_SECONDS, LiveView, read_picture, request_pictures
from data.simulation import Emulator


def test_pictures_are_due_only_while_somebody_watches(tmp_path: Path) -> None:
    now = [0.0]
    live_view = LiveView(tmp_path, lambda: now[0])
    assert not live_view.is_due()
    request_pictures(tmp_path)
    now[0] = 1.0
    assert live_view.is_due()
    assert not live_view.is_due()  # a picture was just due
    now[0] = 1.1
    assert live_view.is_due()
    long_ago = (tmp_path / "live.watched").stat().st_mtime - FRESH_SECONDS - 1
    os.utime(tmp_path / "live.watched", (long_ago, long_ago))
    now[0] = 2.0
    assert not live_view.is_due()


def test_a_picture_is_read_back_as_the_emulator_shows_it(tmp_path: Path) -> None:
    emulator = Emulator("SpaceInvaders")
    for _ in range(50):
        emulator.act(1)
    values = np.arange(len(emulator.action_meanings), dtype=np.float32)
    LiveView(tmp_path).write(emulator, values, 35.0, evaluating=True)
    found = read_picture(tmp_path)
    assert found is not None
    assert np.array_equal(found.frame, emulator.screen())
    assert np.array_equal(found.palette, emulator.palette)
    assert (found.values.tolist(), found.score, found.evaluating) == (values.tolist(), 35.0, True)


@pytest.mark.parametrize("content", [b"", b"{}\n", b'{"shape": [9999999, 9999999]}\n', b"\x00" * 5000])
def test_a_malformed_picture_is_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "live.picture").write_bytes(content)
    assert read_picture(tmp_path) is None
