"""To and from Minari, the library of offline reinforcement-learning data sets (an optional extra).

A data set holds one Minari episode for each span: observations are the frames as RGB, without loss; one step is one
emulator frame. RAM, lives and demonstrator are in the infos, the origin in the options, so that the data set can come
back exactly. A data set made elsewhere can come in where its actions reproduce its rewards.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from data.episode import DEMONSTRATOR_KINDS, EmulatorSettings, demonstrator_index
from data.errors import AnswerIsNo, CoachError
from data.export import Span
from data.library import Library
from data.replay_file import ReplayFile
from data.replay_format import CHUNK_FRAMES
from data.simulation import Emulator, games, recorded_spaces

OPTIONS = "replay_coach"
"""Under this name the options of a Minari episode hold what is needed to simulate it again."""

OnProgress = Callable[[int, int], None]


def _minari() -> Any:
    try:
        import minari
    except ImportError as error:
        raise CoachError("Minari is not installed; `pip install 'minari[hdf5]>=0.5.4'` adds it.") from error
    return minari


def default_dataset_id(spans: Sequence[Span]) -> str:
    """Such as "replay-coach/SpaceInvaders-v0"."""
    with ReplayFile(spans[0].path) as replay:
        return f"replay-coach/{replay.origin.game}-v0"


def export_minari(spans: Sequence[Span], dataset_id: str, on_progress: OnProgress | None = None) -> Path:
    """Make the Minari data set ``dataset_id`` of episodes or clips of one game; returns its folder.

    It lies where Minari looks for it (MINARI_DATASETS_PATH, else ~/.minari/datasets). on_progress: spans read and
    spans in all. Raises CoachError where Minari is missing, the id is taken or malformed, or the games differ.
    """
    minari = _minari()
    from minari.data_collector import EpisodeBuffer

    if not spans:
        raise CoachError("There is no episode to export.")
    with tempfile.TemporaryDirectory(prefix="replay-coach-") as folder:
        buffers, kinds = [], set()
        for number, span in enumerate(spans):
            with ReplayFile(span.path) as replay:
                kinds.add((replay.origin.game, replay.screen_shape, replay.origin.action_meanings))
                if len(kinds) > 1:
                    raise CoachError("A Minari data set holds one game with one set of actions; export them apart.")
                buffers.append(EpisodeBuffer(**_buffer(replay, span, Path(folder) / str(number))))
            if on_progress is not None:
                on_progress(number + 1, len(spans))
        ((game, screen_shape, meanings),) = kinds
        observations, actions = recorded_spaces(screen_shape, len(meanings))
        try:
            dataset = minari.create_dataset_from_buffers(
                dataset_id,
                buffers,
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
            raise CoachError(f"The Minari data set {dataset_id} cannot be made ({error}).") from error
    return Path(dataset.storage.data_path).parent


def _buffer(replay: ReplayFile, span: Span, scratch: Path) -> dict[str, Any]:
    """One Minari episode. The frames go through a file: a minute of RGB is 360 MB."""
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


def import_minari(
    library: Library,
    dataset_id: str,
    game: str | None = None,
    player: str = "",
    keep_anyway: bool = False,
    on_progress: OnProgress | None = None,
) -> list[Path]:
    """Simulate the episodes of a local Minari data set and publish them; returns the replay files.

    game: for a data set that does not say which. on_progress: episodes done and episodes in all. Raises AnswerIsNo at
    the first step whose reward differs, unless ``keep_anyway`` (episodes before that one stay published); CoachError
    where the actions cannot suffice: actions repeated by chance, clips without their beginning, unknown games.
    """
    minari = _minari()
    try:
        dataset = minari.load_dataset(dataset_id)
    except (OSError, ValueError, KeyError, ImportError) as error:
        raise CoachError(f"There is no local Minari data set {dataset_id} that can be read ({error}).") from error
    published = []
    for number, episode in enumerate(dataset.iterate_episodes()):
        metadata = next(iter(dataset.storage.get_episode_metadata([episode.id])))
        chosen, settings, meanings, repeats = _how_to_replay(dataset, metadata, game)
        where = f"episode {episode.id} of {dataset_id}"
        published.append(
            _publish(library, Emulator(chosen, settings, meanings), episode, repeats, player, keep_anyway, where)
        )
        if on_progress is not None:
            on_progress(number + 1, dataset.total_episodes)
    return published


def _how_to_replay(
    dataset: Any, metadata: dict[str, Any], game: str | None
) -> tuple[str, EmulatorSettings, tuple[str, ...] | None, int]:
    """The game, its settings, the actions' names (None: the minimal set), and frames per step."""
    ours = metadata.get("options", {}).get(OPTIONS)
    if ours is not None:
        if int(ours["start"]) != 0:
            raise CoachError("This data set holds clips: actions that begin in mid-episode cannot be simulated.")
        meanings = tuple(str(ours["action_meanings"]).split(","))
        return str(ours["game"]), EmulatorSettings.from_json(str(ours["settings"])), meanings, 1
    spec = dataset.spec.env_spec
    options = dict(spec.kwargs) if spec is not None else {}
    named = str(spec.id).removeprefix("ALE/").split("-")[0] if spec is not None else None
    chosen = game or named
    if chosen not in games():
        raise CoachError(f"The data set does not name a game of the Atari 2600 ({named}); name it with --game.")
    if float(options.get("repeat_action_probability", 0.0)) > 0:
        raise CoachError(
            "This data set was recorded with actions repeated by chance: its actions do not tell what ran."
        )
    repeats = options.get("frameskip", 4 if spec is not None else 1)
    if not isinstance(repeats, int):
        raise CoachError("This data set was recorded with a frame skip drawn by chance; it cannot be simulated.")
    settings = EmulatorSettings(
        frame_skip=max(1, repeats),
        mode=options.get("mode"),
        difficulty=options.get("difficulty"),
        full_action_set=bool(options.get("full_action_space", False)),
    )
    return chosen, settings, None, max(1, repeats)


def _publish(
    library: Library, emulator: Emulator, episode: Any, repeats: int, player: str, keep_anyway: bool, where: str
) -> Path:
    steps = len(episode.actions)
    kinds = np.asarray((episode.infos or {}).get("demonstrator", []))
    if kinds.shape != (steps,) or kinds.dtype.kind not in "iu" or not (kinds < len(DEMONSTRATOR_KINDS)).all():
        kinds = np.full(steps, demonstrator_index("imported"))
    writer = library.begin_episode(emulator.origin(player), "imported", emulator.state())
    try:
        for step, action in enumerate(np.asarray(episode.actions, np.int64).tolist()):
            if not 0 <= action < len(emulator.action_meanings):
                raise CoachError(f"Step {step} of {where} asks for action {action}, which {emulator.game} has not.")
            total = 0.0
            for _ in range(repeats):
                state = emulator.step(action)
                total += state.reward
                writer.append(action, int(kinds[step]), state)
                if state.game_over:
                    break
            if not keep_anyway and np.float32(total) != np.float32(episode.rewards[step]):
                raise AnswerIsNo(
                    f"The actions do not reproduce {where}: the reward of step {step} is {episode.rewards[step]:g} in "
                    f"the data set and {total:g} in the emulator. No file was made of it (--keep-anyway makes one)."
                )
        return writer.publish("game_over" if emulator.game_over else "truncated", emulator.palette)
    finally:
        writer.discard()
