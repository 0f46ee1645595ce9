"""The weights of a training's best evaluation, in the commands that use an agent."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from agent_episodes import small_config

import coach
from agent import own_evaluations
from agent.evaluation import PROTOCOLS, summarise
from agent.training import train
from commands.train import _print_summary
from commands.watch import watch_run
from data.library import Library
from recorder.watch_session import Watched


def test_the_weights_of_the_best_evaluation_can_be_evaluated_and_watched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    means = iter([9.0, 5.0, 7.0])
    monkeypatch.setattr(
        own_evaluations, "summarise", lambda *rest: dataclasses.replace(summarise(*rest), mean=next(means))
    )
    monkeypatch.setitem(PROTOCOLS, "nature", dataclasses.replace(PROTOCOLS["nature"], max_frames=120))
    library = Library(tmp_path / "library")
    config = small_config(steps=16, evaluate_every=8, evaluation_episodes=1)
    _print_summary(train(library, "first", config))
    said = " ".join(capsys.readouterr().out.split())
    assert "Its best evaluation, 9 points, was at step 0: `coach watch first --weights best` shows that agent." in said
    here = ["--library", str(library.folder), "--json"]
    for weights, step in ((["--weights", "best"], 0), ([], 16)):
        assert coach.main(["evaluate", "first", "--episodes", "1", *weights, *here]) == 0
        assert json.loads(capsys.readouterr().out)["step"] == step
    shown: list[Watched] = []
    monkeypatch.setattr("recorder.watch.watch", lambda *_, watched, newest, **__: shown.append(watched) or [newest])
    assert watch_run(library, "first", "Ada", weights="best") == [None], "no newer agent between two games"
    watch_run(library, "first", "Ada")
    assert [(agent.step, agent.score) for agent in shown] == [(0, 9.0), (16, 7.0)]
    films = [tmp_path / name for name in ("best.gif", "last.gif")]
    for film, weights in zip(films, (["--weights", "best"], []), strict=True):
        seen = ["--gif", str(film), "--seconds", "0.5", "--seed", "1", "--epsilon", "0"]
        assert coach.main(["watch", "first", *seen, *weights, *here]) == 0
        assert film.is_file()
