"""``coach info``: show what a replay file holds, or describe this installation."""

from __future__ import annotations

import argparse
import contextlib
import json
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from commands.output import QUIET, print_json, report_console, styled
from commands.parser import Commands
from data.durations import clock
from data.errors import CoachError
from data.library import Library
from data.replay_file import ReplayFile


def add(commands: Commands) -> None:
    info = commands.add("info", "show what a replay file holds; without a path, describe this installation", run_info)
    info.add_argument("path", nargs="?", metavar="PATH", help="a replay file, or the id of an episode in the library")
    info.add_argument("--gif", type=Path, metavar="FILE", help="also write the episode as an animated GIF")


def find_replay(library: Library, name: str) -> Path:
    """Return a path that exists as it is, or the replay file of an episode id; raises CoachError if there is none."""
    path = Path(name)
    if path.exists():
        return path
    if path.parent == Path():
        with contextlib.suppress(CoachError):
            return library.episode_path(path.name.removesuffix(".h5"))
    raise CoachError(f"There is no replay file {name}, neither at this path nor in the library {library.folder}.")


def installation() -> dict[str, str]:
    """Return the versions that a bug report should name."""
    packages = ("replay-coach", "ale-py", "h5py", "keras", "numpy", "pygame-ce", "tensorflow")
    return {"python": platform.python_version(), "system": f"{platform.system()} {platform.machine()}"} | {
        p: _version(p) for p in packages
    }


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def run_info(options: argparse.Namespace) -> int:
    from data.quarantine import vetted

    library = Library(options.library)
    if options.path is None:
        about = installation() | {"library": str(library.folder.absolute())}
        if options.json:
            print_json(about)
        else:
            for name, value in about.items():
                report_console().print(styled((f"{name:<14}", QUIET), value))
        return 0
    with ReplayFile(vetted(find_replay(library, options.path), library.replays)) as replay:
        facts = episode_facts(replay)
        if options.json:
            print_json(facts)
        else:
            _print_facts(replay, facts)
        if options.gif:
            from data.film import write_gif_of

            write_gif_of(replay, options.gif)
    return 0


def episode_facts(replay: ReplayFile) -> dict[str, Any]:
    """Return what a replay file holds, as values that have a JSON form."""
    origin, decisions = replay.origin, replay.decisions()
    meanings = origin.action_meanings
    counts = np.bincount(replay.actions, minlength=len(meanings)) if replay.frame_count else np.zeros(len(meanings))
    summary = replay.summary()
    return {
        "path": str(replay.path),
        "episode_id": replay.episode_id,
        "game": origin.game,
        "player": origin.player,
        "players": dict(origin.players),
        "started_from": origin.started_from,
        "frames_before": len(origin.settings.actions_before),
        "created": origin.created.isoformat(),
        "demonstrators": summary.frames_by_demonstrator,
        "frames": replay.frame_count,
        "seconds": replay.frame_count / 60,
        "score": replay.score,
        "rewarded_frames": summary.rewarded_frames,
        "lives_lost": int((np.diff(replay.lives.astype(np.int16)) < 0).sum()),
        "ended_by": replay.ended_by,
        "decisions": len(decisions),
        "mixed_decisions": int(decisions.mixed.sum()),
        "markers": replay.markers.tolist(),
        "pace": replay.pace,
        "actions": {name: int(count) for name, count in zip(meanings, counts, strict=True)},
        "settings": json.loads(origin.settings.to_json()),
        "rom_md5": origin.rom_md5,
        "ale_version": origin.ale_version,
        "digest": replay.digest,
        "bytes": replay.path.stat().st_size,
    }


def _print_facts(replay: ReplayFile, facts: dict[str, Any]) -> None:
    console = report_console()
    total = max(1, facts["frames"])
    who = ", ".join(f"{kind} {frames / total:.0%}" for kind, frames in facts["demonstrators"].items())
    actions = sorted(facts["actions"].items(), key=lambda item: -item[1])
    mixed = facts["mixed_decisions"] / max(1, facts["decisions"])
    settings = {
        name: value
        for name, value in facts["settings"].items()
        if value not in (None, False, 0, 0.0) and name != "actions_before"
    }
    names = ", ".join(facts["players"].values()) or facts["player"]
    before = f"{facts['frames_before']} frames into a game" if facts["frames_before"] else "the game's beginning"
    if facts["started_from"] is not None:
        before += f": {facts['started_from']}"
    for name, value in (
        ("Game", facts["game"]),
        ("Played by", f"{who}" + (f"; {names}" if names else "")),
        ("Starts at", before),
        ("Created", facts["created"]),
        ("Length", f"{clock(facts['seconds'])}, {facts['frames']} frames, {facts['decisions']} decisions"),
        ("Mixed decisions", f"{mixed:.1%}"),
        ("Score", f"{facts['score']:g}, on {facts['rewarded_frames']} rewarded frames"),
        ("Lives lost", str(facts["lives_lost"])),
        ("Ended by", facts["ended_by"].replace("_", " ")),
        ("Markers", ", ".join(clock(frame / 60) for frame in facts["markers"]) or "none"),
        ("Pace", "not recorded" if facts["pace"] is None else str(facts["pace"])),
        ("Actions", ", ".join(f"{name} {count / total:.0%}" for name, count in actions if count)),
        ("Settings", ", ".join(f"{name} {value}" for name, value in settings.items()) or "default"),
        ("Emulator", f"ale-py {facts['ale_version']}, ROM {facts['rom_md5']}"),
        ("Digest", facts["digest"]),
        ("File", f"{facts['path']}, {facts['bytes'] / 1e6:.2f} MB"),
    ):
        console.print(styled((f"{name:<17}", QUIET), value))
    if console.is_terminal:
        from data.film import terminal_strip

        console.print(terminal_strip(replay, console.width))
