"""Import Minari data sets: read how their environment was made, and each episode as ``ForeignPlay``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from data.action_values import FULL, action_indices
from data.episode import DEMONSTRATOR_KINDS, RAM_BYTES, EmulatorSettings
from data.episode_import import Imported, ImportOptions, OnProgress, after_import, import_play
from data.errors import CoachError
from data.foreign_play import ForeignPlay
from data.library import Library
from data.minari_export import OPTIONS, minari_package
from data.observations import Observations
from data.simulation import action_names, game_named, seeded_noops

NEUTRAL_WRAPPERS = {"TimeLimit", "OrderEnforcing", "PassiveEnvChecker", "RecordEpisodeStatistics", "DataCollector"}
"""They change neither what an action does nor what is seen."""
PICTURE_WRAPPERS = {
    "ResizeObservation",
    "GrayscaleObservation",
    "ReshapeObservation",
    "RescaleObservation",
    "DtypeObservation",
    "FrameStackObservation",
    "MaxAndSkipObservation",
}
"""They change the pictures, which are then not compared."""


@dataclass(frozen=True)
class _Environment:
    """The environment of a data set, in terms of ``ForeignPlay``."""

    game: str | None = None
    settings: EmulatorSettings = EmulatorSettings(frame_skip=1)  # noqa: RUF009 - frozen, so shared without harm
    held_for: int = 1
    most_noops: int = 0
    ends_at_life_loss: bool = False
    reward_range: tuple[float, float] | None = None
    pictures: Mapping[str, Any] | None = None
    """Arguments of ``Observations``; None: not comparable."""


def import_minari(
    library: Library,
    dataset_id: str,
    options: ImportOptions,
    held_for: int = 1,
    action_set: str = "",
    on_progress: OnProgress | None = None,
) -> list[Imported]:
    """Simulate the episodes of a local Minari data set and publish them; one result an episode.

    on_progress: called with the episodes done and their total. Raises AnswerIsNo at the first episode that is not
    reproduced, and CoachError if the actions are not enough (sticky actions, clips, unknown wrappers) or the data set
    is not readable. Both say which episodes were imported before.
    """
    package = minari_package()
    done: list[Imported] = []
    try:
        try:
            dataset = package.load_dataset(dataset_id)
            total = int(dataset.total_episodes)
        except Exception as error:
            raise CoachError(f"Cannot read a local Minari data set {dataset_id} ({_short(error)}).") from error
        if total == 0:
            raise CoachError(f"The Minari data set {dataset_id} has no episodes.")
        environment = _environment(dataset, dataset_id, options.game, held_for, action_set)
        for number, episode, metadata in _episodes(dataset, dataset_id):
            try:
                play = _play(dataset, environment, episode, metadata, f"episode {number} of {dataset_id}")
            except CoachError:
                raise
            except Exception as error:
                raise CoachError(f"Episode {number} of {dataset_id} cannot be read ({_short(error)}).") from error
            done += import_play(library, play, options)
            if on_progress is not None:
                on_progress(number + 1, total)
    except CoachError as error:
        raise after_import(error, [result.path for result in done]) from error
    return done


def _short(error: Exception) -> str:
    text = (str(error).splitlines() or [""])[0][:200]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _episodes(dataset: Any, dataset_id: str) -> Iterator[tuple[int, Any, dict[str, Any]]]:
    iterator = iter(dataset.iterate_episodes())
    number = 0
    while True:
        try:
            episode = next(iterator)
            metadata = dict(next(iter(dataset.storage.get_episode_metadata([episode.id]))))
        except StopIteration:
            return
        except Exception as error:
            raise CoachError(f"Episode {number} of {dataset_id} cannot be read ({_short(error)}).") from error
        yield number, episode, metadata
        number += 1


def _environment(dataset: Any, dataset_id: str, game: str | None, held_for: int, action_set: str) -> _Environment:
    spec = dataset.spec.env_spec
    if spec is None:
        settings = EmulatorSettings(frame_skip=held_for, full_action_set=action_set == FULL)
        return _Environment(None, settings, held_for, pictures={"grayscale": False, "size": None, "pooled": False})
    arguments = dict(spec.kwargs or {})
    named = game_named(str(arguments.get("game", ""))) or game_named(str(spec.id))
    if named is None and game is None:
        raise CoachError(f"{dataset_id} was recorded in {spec.id}, which is not a game of ale-py; name it with --game.")
    if float(arguments.get("repeat_action_probability") or 0.0) > 0:
        raise CoachError(
            f"{dataset_id} was recorded with sticky actions: its actions are not those that were executed, so it "
            "cannot be simulated."
        )
    skip = arguments.get("frameskip", 4)
    if not isinstance(skip, int):
        raise CoachError(f"{dataset_id} was recorded with a random frame skip, so it cannot be simulated.")
    full = bool(arguments.get("full_action_space", False))
    if action_set and (action_set == FULL) != full:
        raise CoachError(f"{dataset_id} says that its actions are not the {action_set} set.")
    if held_for > 1:
        raise CoachError(f"{dataset_id} states how long its actions are held; --held-for does not apply to it.")
    shown = arguments.get("obs_type", "rgb")
    environment = _Environment(
        game=named,
        settings=EmulatorSettings(
            frame_skip=max(1, skip),
            mode=arguments.get("mode"),
            difficulty=arguments.get("difficulty"),
            full_action_set=full,
        ),
        held_for=max(1, skip),
        pictures={"grayscale": shown == "grayscale", "size": None, "pooled": False} if shown != "ram" else None,
    )
    for wrapper in spec.additional_wrappers or ():
        environment = _wrapped(environment, str(wrapper.name), dict(wrapper.kwargs or {}), dataset_id)
    return environment


def _wrapped(environment: _Environment, name: str, arguments: dict[str, Any], dataset_id: str) -> _Environment:
    """Return what one more wrapper, by its name, makes of an environment."""
    if name in NEUTRAL_WRAPPERS:
        return environment
    if name == "AtariPreprocessing":
        skip = int(arguments.get("frame_skip", 4))
        size = arguments.get("screen_size", 84)
        return replace(
            environment,
            settings=replace(environment.settings, frame_skip=skip * environment.held_for),
            held_for=skip * environment.held_for,
            most_noops=int(arguments.get("noop_max", 30)),
            ends_at_life_loss=bool(arguments.get("terminal_on_life_loss", False)),
            pictures={
                "grayscale": bool(arguments.get("grayscale_obs", True)),
                "size": tuple(map(int, size)) if isinstance(size, list | tuple) else (int(size), int(size)),
                "pooled": skip > 1,
                "scaled": bool(arguments.get("scale_obs", False)),
            },
        )
    if name in PICTURE_WRAPPERS:
        skip = int(arguments.get("skip", 4)) if name == "MaxAndSkipObservation" else 1
        return replace(
            environment,
            settings=replace(environment.settings, frame_skip=skip * environment.held_for),
            held_for=skip * environment.held_for,
            pictures=None,
        )
    if name == "ClipReward":
        least, most = arguments.get("min_reward"), arguments.get("max_reward")
        limits = (-np.inf if least is None else float(least), np.inf if most is None else float(most))
        return replace(environment, reward_range=limits)
    if name == "StickyAction":
        raise CoachError(f"{dataset_id} was recorded with sticky actions, so it cannot be simulated.")
    raise CoachError(f"{dataset_id} was recorded through the wrapper {name[:60]}, whose effect is unknown.")


def _play(
    dataset: Any, environment: _Environment, episode: Any, metadata: Mapping[str, Any], source: str
) -> ForeignPlay:
    options = metadata.get("options")
    ours = options.get(OPTIONS) if isinstance(options, Mapping) else None
    if ours is not None:
        return _own_play(ours, episode, source)
    meanings = action_names(environment.game, environment.settings.full_action_set) if environment.game else None
    actions = action_indices(episode.actions, meanings, source)
    steps = len(actions)
    terminations = _flags(episode.terminations, steps, "terminations", source)
    truncations = _flags(episode.truncations, steps, "truncations", source)
    noops = _noops(environment, metadata)
    return ForeignPlay(
        source=source,
        actions=actions,
        game=environment.game,
        settings=environment.settings,
        held_for=environment.held_for,
        rewards=_rewards(episode.rewards, steps, source),
        reward_range=environment.reward_range,
        observations=_observations(dataset, environment, episode.observations, steps, source),
        terminations=terminations,
        ends=terminations | truncations,
        ends_at_life_loss=environment.ends_at_life_loss,
        noop_candidates=noops,
        **_infos(episode.infos, steps),
    )


def _own_play(ours: Any, episode: Any, source: str) -> ForeignPlay:
    """Return an episode that ``export_minari`` wrote, with all that it states about its recording."""
    try:
        if int(ours["start"]) != 0:
            raise CoachError(f"{source} is a clip: only an episode from its start can be simulated.")
        meanings = tuple(str(ours["action_meanings"]).split(","))
        settings = EmulatorSettings.from_json(str(ours["settings"]))
        game = game_named(str(ours["game"]))
        player = str(ours["player"])
        markers = tuple(int(frame) for frame in str(ours.get("markers", "")).split(",") if frame)
        ended_by = str(ours.get("ended_by", "")) or None
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise CoachError(
            f"{source} was exported by Replay Coach, but how it was recorded is missing or damaged."
        ) from error
    actions = action_indices(episode.actions, meanings, source)
    steps = len(actions)
    return ForeignPlay(
        source=source,
        actions=actions,
        game=game,
        settings=settings,
        action_meanings=meanings,
        rewards=_rewards(episode.rewards, steps, source),
        terminations=_flags(episode.terminations, steps, "terminations", source),
        markers=markers,
        player=player,
        ended_by=ended_by,
        **_infos(episode.infos, steps),
    )


def _rewards(rewards: Any, steps: int, source: str) -> np.ndarray:
    column = np.asarray(rewards)
    if column.shape != (steps,) or column.dtype.kind not in "biuf" or not np.isfinite(column).all():
        raise CoachError(f"{source} has {steps} actions, but its rewards are not {steps} numbers.")
    return column.astype(np.float32)


def _flags(flags: Any, steps: int, name: str, source: str) -> np.ndarray:
    column = np.asarray(flags)
    if column.shape != (steps,) or not np.isin(column, (0, 1)).all():
        raise CoachError(f"{source} has {steps} actions, but its {name} are not {steps} values that are true or false.")
    return column.astype(bool)


def _noops(environment: _Environment, metadata: Mapping[str, Any]) -> tuple[int, ...]:
    """Return how many no-ops AtariPreprocessing may have executed; the number that the seed gives comes first."""
    if environment.most_noops == 0:
        return (0,)
    possible = tuple(range(1, environment.most_noops + 1))
    seed = metadata.get("seed")
    if seed is None:
        return possible
    drawn = seeded_noops(int(seed), environment.most_noops)
    return (drawn, *(noops for noops in possible if noops != drawn))


def _observations(
    dataset: Any, environment: _Environment, pictures: Any, steps: int, source: str
) -> Observations | None:
    """Return the episode's pictures if they can be compared with the emulator's."""
    if environment.pictures is None or not isinstance(pictures, np.ndarray):
        return None
    if len(pictures) != steps + 1:
        raise CoachError(f"{source} has {steps} actions and {len(pictures)} observations; it must be one more.")
    expected = environment.pictures["size"]
    height, width = (210, 160) if expected is None else (expected[1], expected[0])
    if pictures.ndim < 3 or pictures.shape[2] != width or (expected is not None and pictures.shape[1] != height):
        return None
    is_rgb = pictures.ndim == 4 and pictures.shape[3] == 3
    if is_rgb == environment.pictures["grayscale"]:
        return None
    lossy = bool(getattr(dataset.storage, "_jpeg_encoding", True)) and pictures.dtype == np.uint8
    return Observations(pictures, lossy=lossy, **environment.pictures)


def _infos(infos: Any, steps: int) -> dict[str, Any]:
    """Return RAM, lives and demonstrator, if the infos have them in a known shape."""
    found: dict[str, Any] = {}
    if not isinstance(infos, Mapping):
        return found
    ram = np.asarray(infos.get("ram", []))
    if ram.shape == (steps + 1, RAM_BYTES):
        found |= {"ram": ram[1:], "first_ram": ram[0]}
    lives = np.asarray(infos.get("lives", []))
    if lives.shape == (steps + 1,) and lives.dtype.kind in "iu" and lives.any():
        found["lives"] = lives[1:]
    kinds = np.asarray(infos.get("demonstrator", []))
    if (
        kinds.shape == (steps,)
        and kinds.dtype.kind in "iu"
        and ((kinds >= 0) & (kinds < len(DEMONSTRATOR_KINDS))).all()
    ):
        found["demonstrator"] = kinds.astype(np.uint8)
        found["kind"] = DEMONSTRATOR_KINDS[int(np.bincount(kinds).argmax())]
    return found
