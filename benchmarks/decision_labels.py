"""Compare two ways to choose the action of a decision in which several were executed: held longest, or closest effect.

    python -m benchmarks.decision_labels [GAME.npz ...] [--pong-frames 36000]

For each actions file, and for a game of Pong in which a script taps the paddle's keys for one to three frames, it
prints the share of mixed decisions, the share of labels that change, the share of no-ops under either labelling, and
how far the state after the decision is from the recorded one if only the label is held: bytes of RAM and pixels.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from data.actions_file import read_actions_file
from data.decision_labels import Effect, mixed_decisions
from data.decisions import decisions_of
from data.episode import EmulatorSettings
from data.simulation import Emulator

BALL_Y, PADDLE_Y, BALL_X = 54, 51, 49
"""Bytes of Pong's RAM (Anand et al. 2019, "Unsupervised State Representation Learning in Atari", appendix)."""
MARGIN = 6
"""Distance of ball and paddle, in lines, above which the script taps a key."""


def tapped_pong(frames: int, rng: np.random.Generator) -> np.ndarray:
    """Return (T,) uint8 actions of a script that follows the ball with taps of one to three frames and pauses."""
    emulator = Emulator("Pong", EmulatorSettings(frame_skip=1))
    noop, up, down = (emulator.action_meanings.index(name) for name in ("NOOP", "RIGHT", "LEFT"))
    actions: list[int] = []
    queued: list[int] = []
    while len(actions) < frames and not emulator.game_over:
        if not queued:
            ram = emulator.ram().astype(int)
            distance = ram[BALL_Y] - ram[PADDLE_Y] - 4
            if ram[BALL_X] and abs(distance) > MARGIN:
                queued += [down if distance > 0 else up] * int(rng.integers(1, 4))
            queued += [noop] * int(rng.integers(1, 9))
        actions.append(queued.pop(0))
        emulator.act(actions[-1])
    return np.array(actions, np.uint8)


def measure(name: str, game: str, settings: EmulatorSettings, actions: np.ndarray) -> None:
    """Print the figures of one episode."""
    started = time.process_time()
    emulator = Emulator(game, settings)
    mixed = mixed_decisions(emulator, actions, emulator.game_over)
    seconds = time.process_time() - started
    nothing = np.zeros(len(actions) + 1)
    longest = decisions_of(actions, nothing[1:], nothing, actions, False).action
    closest = longest.copy()
    for decision in mixed:
        closest[decision.first_frame // 4] = decision.closest
    noop = emulator.action_meanings.index("NOOP")
    print(f"{name}: {len(longest):,} decisions, {len(mixed) / len(longest):.1%} mixed; {seconds:.0f} s of processor")
    if not mixed:
        return
    changed = sum(decision.longest != decision.closest for decision in mixed)
    print(f"  labels that change: {changed} ({changed / len(mixed):.0%} of the mixed)")
    for by, labels in (("longest", longest), ("closest", closest)):
        effects: list[Effect] = [getattr(decision, f"effect_of_{by}") for decision in mixed]
        noops = np.mean([getattr(decision, by) == noop for decision in mixed])
        print(
            f"  {by}: no-ops {np.mean(labels == noop):.1%} of all, {noops:.1%} of mixed; after a mixed decision "
            f"{np.mean([effect.ram_bytes for effect in effects]):.2f} bytes of RAM and "
            f"{np.mean([effect.pixels for effect in effects]):.1f} pixels differ; "
            f"{np.mean([effect == Effect(0, 0) for effect in effects]):.0%} are reproduced exactly"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", type=Path, metavar="GAME.npz")
    parser.add_argument("--pong-frames", type=int, default=36_000, metavar="N", help="0: no Pong")
    options = parser.parse_args()
    for path in options.files:
        play = read_actions_file(path, path.stem)
        settings = replace(play.settings, frame_skip=1)
        measure(path.stem, play.game or path.stem, settings, np.repeat(play.actions, play.held_for))
    if options.pong_frames:
        actions = tapped_pong(options.pong_frames, np.random.default_rng(0))
        measure("Pong, scripted taps", "Pong", EmulatorSettings(frame_skip=1), actions)


if __name__ == "__main__":
    main()
