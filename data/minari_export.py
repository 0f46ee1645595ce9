"""Export to Minari, the library of offline reinforcement-learning data sets (an optional extra).

A data set has one Minari episode for each span. Observations are the frames as RGB, without loss; one step is one
emulator frame. RAM, lives and demonstrator are in the infos and the origin in the options, so that the data set can be
imported again exactly (``data.minari_import``).
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from data.episode import EmulatorSettings
from data.errors import CoachError
from data.export import Span
from data.replay_file import ReplayFile
from data.replay_format import CHUNK_FRAMES
from data.simulation import environment_spec, recorded_spaces

OPTIONS = "replay_coach"
"""The key, in the options of a Minari episode, of what is needed to simulate it again."""

OnProgress = Callable[[int, int], None]


def minari_package() -> Any:
    """Return the package ``minari``; raises CoachError if it is not installed."""
    try:
        import minari
    except ImportError as error:
        raise CoachError("Minari is not installed; `pip install 'minari[hdf5]>=0.5.4'` adds it.") from error
    return minari


def default_dataset_id(spans: Sequence[Span]) -> str:
    """Return the default id of a data set, such as "replay-coach/SpaceInvaders-v0"."""
    with ReplayFile(spans[0].path) as replay:
        return f"replay-coach/{replay.origin.game}-v0"


def export_minari(spans: Sequence[Span], dataset_id: str, on_progress: OnProgress | None = None) -> Path:
    """Make the Minari data set ``dataset_id`` of episodes or clips of one game, and return its folder.

    The folder is where Minari expects it (MINARI_DATASETS_PATH, else ~/.minari/datasets). on_progress: spans read and
    spans in all. Raises CoachError if Minari is missing, the id is taken or malformed, or the games differ.
    """
    minari = minari_package()
    from minari.data_collector import EpisodeBuffer

    if not spans:
        raise CoachError("There is no episode to export.")
    with tempfile.TemporaryDirectory(prefix="replay-coach-") as folder:
        buffers, kinds = [], set()
        for number, span in enumerate(spans):
            with ReplayFile(span.path) as replay:
                kinds.add(
                    (replay.origin.game, replay.screen_shape, replay.origin.action_meanings, _environment(replay))
                )
                if len(kinds) > 1:
                    raise CoachError(
                        "A Minari data set has one game with one action set and mode; export them separately."
                    )
                buffers.append(EpisodeBuffer(**_buffer(replay, span, Path(folder) / str(number))))
            if on_progress is not None:
                on_progress(number + 1, len(spans))
        ((game, screen_shape, meanings, settings),) = kinds
        observations, actions = recorded_spaces(screen_shape, len(meanings))
        try:
            dataset = minari.create_dataset_from_buffers(
                dataset_id,
                buffers,
                env=environment_spec(game, settings),
                observation_space=observations,
                action_space=actions,
                algorithm_name="recorded with Replay Coach",
                description=f"{game}: every emulator frame as RGB without loss; actions: {', '.join(meanings)}.",
                data_format="hdf5",
                jpeg_encoding=False,
            )
        except TypeError as error:
            raise CoachError("This Minari stores pictures with loss only; install minari 0.5.4 or later.") from error
        except (ValueError, OSError, ImportError) as error:
            raise CoachError(f"Cannot make the Minari data set {dataset_id} ({error}).") from error
    return Path(dataset.storage.data_path).parent


def _environment(replay: ReplayFile) -> EmulatorSettings:
    """Return the settings of the environment, without those of the episode's start and of the demonstrator."""
    settings = replay.origin.settings
    return EmulatorSettings(
        mode=settings.mode, difficulty=settings.difficulty, full_action_set=settings.full_action_set
    )


def _buffer(replay: ReplayFile, span: Span, scratch: Path) -> dict[str, Any]:
    """Return the arguments of one Minari episode. The frames are in a file, because a minute of RGB is 360 MB."""
    stop = replay.frame_count + 1 if span.stop is None else min(span.stop, replay.frame_count + 1)
    rows = slice(span.start, stop - 1)
    steps = stop - span.start - 1
    if steps < 1:
        raise CoachError(f"{replay.path} has no action between the frames {span.start} and {stop}.")
    frames = np.memmap(scratch, np.uint8, "w+", shape=(stop - span.start, *replay.screen_shape, 3))
    for first in range(span.start, stop, CHUNK_FRAMES):
        last = min(first + CHUNK_FRAMES, stop)
        frames[first - span.start : last - span.start] = replay.palette[replay.frames(first, last)]
    over = np.zeros(steps, bool)
    over[-1] = replay.ended_by == "game_over" and stop == replay.frame_count + 1
    cut = np.zeros(steps, bool)
    cut[-1] = not over[-1]
    origin = replay.origin
    about = {
        "game": origin.game,
        "settings": origin.settings.to_json(),
        "action_meanings": ",".join(origin.action_meanings),
        "player": origin.player,
        "markers": ",".join(
            map(str, replay.markers[(replay.markers >= span.start) & (replay.markers < stop)].tolist())
        ),
        "ended_by": replay.ended_by,
        "episode": replay.episode_id,
        "start": span.start,
    }
    return {
        "seed": origin.settings.seed,
        "options": {OPTIONS: about},
        "observations": frames,
        "actions": replay.actions[rows].astype(np.int64),
        "rewards": replay.rewards[rows],
        "terminations": over,
        "truncations": cut,
        "infos": {
            "ram": replay.ram(span.start, stop),
            "lives": replay.lives[span.start : stop],
            "demonstrator": replay.demonstrator[rows],
        },
    }
