"""The study of defaults: its rows, which arms continue, and its page."""

from __future__ import annotations

import dataclasses
import json
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from agent_episodes import record_episode, small_config

from agent.config import preset
from benchmarks import study, study_page, study_sb3
from benchmarks.study import ARMS, Trial, evaluate_greedily, run_trial, settings_of, surviving
from benchmarks.study_games import CURVE, GAMES, RecordedPlay, library_of
from benchmarks.study_sb3 import SB3
from data.demonstrator import RandomPlay
from data.library import Library


def row(game: str, arm: str, steps: int, mean: float, seed: int = 1, **more: Any) -> dict[str, Any]:
    scores = [mean - 10.0, mean, mean + 10.0]
    about = {"game": game, "arm": arm, "seed": seed, "steps": steps, "confirms": False, "machine": "a machine"}
    return {**about, "mean": mean, "scores": scores, **more}


def test_every_arm_has_possible_settings_and_a_run_of_its_own_in_every_game() -> None:
    for game in GAMES:
        trials = [Trial(game, arm, 1, 0) for arm in ARMS]
        assert len({settings_of(trial) for trial in trials}) == len({trial.run for trial in trials}) == len(ARMS)
    assert settings_of(Trial("MontezumaRevenge", "small", 1, 0)).start_inside == 0.8
    assert settings_of(Trial("MontezumaRevenge", "no demonstrations", 1, 0)).start_inside == 0.0


def test_the_arm_default_has_the_settings_of_the_default_preset() -> None:
    trial = settings_of(Trial("PrivateEye", "default", 1, 0))
    others = ("game", "seed", "steps", "threads", "evaluate_every", "checkpoint_every", "seed_from")
    expected = dataclasses.replace(preset("default"), **{name: getattr(trial, name) for name in others})
    assert trial == expected


def test_the_arms_with_the_better_mean_rank_over_games_continue() -> None:
    rows = [row("A", "x", 0, 10), row("A", "y", 0, 20), row("A", "z", 0, 1000)]
    rows += [row("B", "x", 0, 5), row("B", "y", 0, 9), row("B", "z", 0, 1)]
    assert surviving(rows, ["x", "y", "z"], 0) == ["y", "z"]
    assert surviving([*rows, row("B", "y", 0, 9, error="it diverged")], ["x", "y", "z"], 0) == ["z", "x"]


def test_a_curve_is_judged_by_its_area_and_a_confirmation_not_at_all() -> None:
    rows = [row("A", "x", 0, 100), row("A", "x", 10, 100), row("A", "y", 0, 0), row("A", "y", 10, 150)]
    assert surviving(rows, ["x", "y"], 10) == ["x"]
    assert surviving([*rows, row("A", "y", 10, 9999) | {"confirms": True}], ["x", "y"], 10) == ["x"]


def test_a_trial_is_trained_further_at_the_next_stage_and_a_failure_is_a_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = Library(tmp_path)
    record_episode(library, 400, kind="planner")
    monkeypatch.setattr(
        study, "settings_of", lambda trial: small_config(seed_from=("planner",), steps=trial.steps, threads=1)
    )
    first, second = (
        run_trial(Trial("SpaceInvaders", "small", 1, steps), library, 1, threading.Event()) for steps in (0, 24)
    )
    assert first is not None
    assert second is not None
    assert (first["updates"], second["updates"]) == (4, 6)
    assert len(second["scores"]) == 1
    rows = [{**row, "game": tmp_path.name} for row in (first, second)]
    greedy = evaluate_greedily(rows, tmp_path.parent)
    assert greedy[0] == rows[0], "the training has gone further since"
    assert len(greedy[1].pop("greedy_scores")) == 1
    assert greedy[1] == rows[1]
    late = run_trial(Trial("SpaceInvaders", "small", 1, 12), library, 1, threading.Event())
    assert late is not None
    assert "has taken 24 steps already" in late["error"]
    stopped = threading.Event()
    stopped.set()
    assert run_trial(Trial("SpaceInvaders", "small", 1, 48), library, 1, stopped) is None
    monkeypatch.setattr(study, "settings_of", lambda _: small_config(seed_from=("human",)))
    failed = run_trial(Trial("SpaceInvaders", "small", 2, 0), library, 1, threading.Event())
    assert failed is not None
    assert "selects nothing" in failed["error"]


SB3_STAND_IN = """
import json, sys, time
from pathlib import Path
seed, folder, steps, _, every, episodes, *options = sys.argv[1:]
options = dict(zip(options[::2], options[1::2]))
if seed == "7":
    time.sleep(60)
Path(folder).mkdir(parents=True, exist_ok=True)
path = Path(folder) / "state.json"
rows = json.loads(path.read_text())["evaluations"] if path.is_file() else []
rows.append({"step": int(options["--until"]), "scores": [float(seed)] * int(episodes)})
path.write_text(json.dumps({"evaluations": rows, "options": [steps, every, options]}))
sys.exit(5 if seed == "9" else 3)
"""


def test_stable_baselines3_is_trained_from_stage_to_stage_and_its_failure_is_a_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "benchmarks").mkdir()
    (tmp_path / "benchmarks" / "learning_sb3.py").write_text(SB3_STAND_IN)
    monkeypatch.setattr(study_sb3, "ROOT", tmp_path)
    monkeypatch.setattr(study_sb3, "sb3_python", lambda: Path(sys.executable))
    library = Library(tmp_path / "MsPacman")
    for steps in (0, 25_000):
        found = run_trial(Trial("MsPacman", SB3, 4, steps, confirms=True), library, 2, threading.Event())
        assert found is not None
        assert (found["scores"], found["mean"], found["steps"]) == ([4.0, 4.0], 4.0, steps)
    steps, every, options = json.loads((library.folder / "sb3-4" / "state.json").read_text())["options"]
    assert (steps, every) == ("100000", "25000"), "exploration does not depend on the stage"
    assert options == {"--game": "MsPacman", "--until": "25000", "--evaluation-seed": str(study.CONFIRMING_SEED)}
    failed = run_trial(Trial("MsPacman", SB3, 9, 0), library, 1, threading.Event())
    assert failed is not None
    assert "exit status 5" in failed["error"]
    stop = threading.Event()
    stop.set()
    assert run_trial(Trial("MsPacman", SB3, 7, 0), library, 1, stop) is None


def test_demonstrations_are_recorded_once_up_to_their_frames(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    game = GAMES["SpaceInvaders"]
    monkeypatch.setitem(game.__dict__, "record", RecordedPlay("SpaceInvaders", 60, make=RandomPlay))
    library = library_of(game, tmp_path)
    (episode,) = library.episodes()
    assert episode.frame_count == 60
    library_of(game, tmp_path)
    assert len(library.episodes()) == 1


def test_the_page_has_a_table_for_each_game_the_failures_and_keeps_its_text(tmp_path: Path) -> None:
    page = tmp_path / "study.md"
    page.write_text(f"before\n{study_page.BEGIN}\nold\n{study_page.END}\nafter\n")
    rows = [row("Freeway", "small", 0, 20), row("Freeway", "small", 0, 24, seed=2), row("Freeway", "small", 5000, 25)]
    rows.append(row("Freeway", "first default", 0, 0, error="CoachError: it diverged"))
    rows += [
        row("Freeway", "default", 25_000, 21),
        {**row("Freeway", "default", 25_000, 23, seed=1001), "confirms": True},
    ]
    rows += [row("Freeway", "normed, no demonstrations", 0, 1), row("Freeway", SB3, 25_000, 2)]
    for seed in (1002, 1003):
        rows.append({**row("Freeway", "default", 25_000, 24, seed), "confirms": True})
    rows += [{**row("Freeway", "normed, no demonstrations", 25_000, 3 * n, n), "confirms": True} for n in range(3)]
    rows[-1]["greedy_scores"] = [5.0, 7.0]
    study_page.write_page(rows, page)
    text = page.read_text()
    assert "| Freeway | one game by the planner, 22 points | seeded |  | 24 (" in text, "the confirmation counts"
    assert "| Freeway | one game by the planner, 22 points | without demonstrations |  | 3 (" in text
    assert "| 6 (5 to 7; 1) at 25,000 |" in text
    assert "| Freeway | one game by the planner, 22 points | Stable-Baselines3's DQN |  | 2 (" in text
    assert "| Freeway | 25,000 | 23 24 24 | 0 3 6 | 0.0" in text, "every seeded training is better"
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert "old" not in text
    assert "| small | 22 (" in text
    assert "first default, seed 1, 0 steps: CoachError: it diverged" in text
    assert (tmp_path / "study" / "Freeway.png").stat().st_size > 5000
    assert study_page.SUMMARY_PLOT not in text, "the seeded agent was evaluated at one step alone"
    study_page.write_page([*rows, row("Freeway", "default", 0, 20) | {"confirms": True}], page)
    assert study_page.SUMMARY_PLOT in page.read_text()
    assert (tmp_path / "study" / study_page.SUMMARY_PLOT).stat().st_size > 5000


def test_the_page_has_a_curve_over_minutes_of_play_where_two_lengths_are_known(tmp_path: Path) -> None:
    page = tmp_path / "study.md"
    page.write_text(f"{study_page.BEGIN}\n{study_page.END}\n")
    rows = [row("SpaceInvaders-limited", "default", steps, 200) for steps in (0, 5000)]
    rows.append(row("SpaceInvaders-limited", "normed, no demonstrations", 0, 150))
    study_page.write_page(rows, page)
    assert "Minutes of play" not in page.read_text()
    rows += [row("SpaceInvaders-limited-15", "default", 0, 300), row("SpaceInvaders-limited-1", "default", 0, 100)]
    study_page.write_page(rows, page)
    text = page.read_text()
    found = text[text.index("## Minutes of play") :].splitlines()
    assert [line.split(" (")[0] for line in found[6:10]] == [
        "| 1 | 100",
        "| 1.5 | 200",
        "| 15 | 300",
        "| without demonstrations | 150",
    ]
    assert "## SpaceInvaders-limited\n" in text
    assert "## SpaceInvaders-limited-15" not in text, "the curve shows it"
    assert (tmp_path / "study" / study_page.MINUTES_PLOT).stat().st_size > 5000


def test_limited_play_of_all_lengths_has_the_same_random_seeds() -> None:
    plays = [GAMES[name].record for name in CURVE]
    assert [GAMES[name].minutes for name in CURVE] == [1, 1.5, 4, 15]
    assert all(isinstance(play, RecordedPlay) for play in plays)
    assert len({(play.game, play.first_seed) for play in plays if isinstance(play, RecordedPlay)}) == 1
