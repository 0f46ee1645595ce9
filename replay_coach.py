"""The public Python names of Replay Coach.

Import from this module alone: every other module may change with any version. ``import replay_coach`` itself is
cheap. What a name needs (TensorFlow for ``train``, pygame for ``play``) is loaded when the name is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agent.config import TrainConfig, preset
    from agent.evaluation import Evaluation, evaluate
    from agent.keras_network import build_network
    from agent.player import AgentPlayer, PlayerFactory, load_player
    from agent.preprocessing import ObservationStack, Preprocessor, tutorial_pictures
    from agent.progress import TrainSummary
    from agent.seeding import SeedPlan, plan_seeding
    from agent.training import train
    from coach import main
    from curator.queues import SurprisingFrame
    from curator.session import JudgingSummary
    from curator.window import curate
    from data.clip import Clip, Verdict, verdict_of_frames
    from data.decisions import Decisions
    from data.demonstrator import Demonstrator, RandomPlay
    from data.episode import EmulatorSettings, EpisodeSummary, FrameState, Origin, PaceReport
    from data.errors import CoachError
    from data.film import FilmPlayer
    from data.label_database import LabelDatabase
    from data.library import Library
    from data.replay_file import ReplayFile
    from data.run_progress import Progress
    from data.simulation import Emulator, games
    from recorder.headless import RecordingStopped, record_episodes
    from recorder.planner import Planner
    from recorder.play_window import play
    from recorder.watch import watch

__all__ = [
    "AgentPlayer",
    "Clip",
    "CoachError",
    "Decisions",
    "Demonstrator",
    "Emulator",
    "EmulatorSettings",
    "EpisodeSummary",
    "Evaluation",
    "FilmPlayer",
    "FrameState",
    "JudgingSummary",
    "LabelDatabase",
    "Library",
    "ObservationStack",
    "Origin",
    "PaceReport",
    "Planner",
    "PlayerFactory",
    "Preprocessor",
    "Progress",
    "RandomPlay",
    "RecordingStopped",
    "ReplayFile",
    "SeedPlan",
    "SurprisingFrame",
    "TrainConfig",
    "TrainSummary",
    "Verdict",
    "build_network",
    "curate",
    "evaluate",
    "games",
    "load_player",
    "main",
    "plan_seeding",
    "play",
    "preset",
    "record_episodes",
    "train",
    "tutorial_pictures",
    "verdict_of_frames",
    "watch",
]

_NAMES_BY_MODULE = {
    "agent.config": ("TrainConfig", "preset"),
    "agent.evaluation": ("Evaluation", "evaluate"),
    "agent.keras_network": ("build_network",),
    "agent.player": ("AgentPlayer", "PlayerFactory", "load_player"),
    "agent.preprocessing": ("ObservationStack", "Preprocessor", "tutorial_pictures"),
    "agent.progress": ("TrainSummary",),
    "agent.seeding": ("SeedPlan", "plan_seeding"),
    "agent.training": ("train",),
    "coach": ("main",),
    "curator.queues": ("SurprisingFrame",),
    "curator.session": ("JudgingSummary",),
    "curator.window": ("curate",),
    "data.clip": ("Clip", "Verdict", "verdict_of_frames"),
    "data.decisions": ("Decisions",),
    "data.demonstrator": ("Demonstrator", "RandomPlay"),
    "data.episode": ("EmulatorSettings", "EpisodeSummary", "FrameState", "Origin", "PaceReport"),
    "data.errors": ("CoachError",),
    "data.film": ("FilmPlayer",),
    "data.label_database": ("LabelDatabase",),
    "data.library": ("Library",),
    "data.replay_file": ("ReplayFile",),
    "data.run_progress": ("Progress",),
    "data.simulation": ("Emulator", "games"),
    "recorder.headless": ("RecordingStopped", "record_episodes"),
    "recorder.planner": ("Planner",),
    "recorder.play_window": ("play",),
    "recorder.watch": ("watch",),
}
_MODULE_OF = {name: module for module, names in _NAMES_BY_MODULE.items() for name in names}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used (PEP 562)."""
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_MODULE_OF[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
