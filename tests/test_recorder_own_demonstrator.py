"""The page on recording one's own agent: its code is run, with a small stand-in for the model."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

from data.episode import EmulatorSettings
from data.library import Library
from data.replay_file import ReplayFile
from data.verification import verify
from recorder.headless import record_episodes

PAGE = Path(__file__).parent.parent / "docs" / "your-own-demonstrator.md"


class StandIn:
    """Has the one method of a Stable-Baselines3 model that is used, and keeps what it was shown."""

    def __init__(self) -> None:
        self.shown: list[np.ndarray] = []

    def predict(self, observation: np.ndarray, deterministic: bool) -> tuple[np.ndarray, None]:
        assert deterministic
        self.shown.append(observation.copy())
        return np.array([len(self.shown) % 6]), None


def test_the_page_records_an_agent_of_ones_own(tmp_path: Path) -> None:
    wrapper = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)[0]
    names: dict[str, Any] = {}
    exec(compile(wrapper, str(PAGE), "exec"), names)
    model = StandIn()
    (path,) = record_episodes(
        Library(tmp_path),
        lambda: names["StableBaselines"](model),
        "SpaceInvaders",
        1,
        EmulatorSettings(),
        0,
        max_frames=400,
    )
    assert verify(path).ok
    with ReplayFile(path) as replay:
        assert replay.decisions().action.tolist() == [(number + 1) % 6 for number in range(100)]
        assert {replay.demonstrator_kinds[kind] for kind in replay.demonstrator} == {"agent"}
    assert {observation.shape for observation in model.shown} == {(1, 4, 84, 84)}
    assert np.array_equal(model.shown[80][0, 1:], model.shown[81][0, :3]), "each decision pushes one picture"
    assert not np.array_equal(model.shown[10][0, 3], model.shown[99][0, 3])
