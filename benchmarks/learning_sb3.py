"""One training of Stable-Baselines3's DQN: python benchmarks/learning_sb3.py SEED FOLDER STEPS RESULTS.

Two more arguments, EVERY and EPISODES, replace the 25,000 steps between evaluations and their 30 episodes. --game is
Space Invaders, unless another one is named; --until stops after the evaluation at so many steps; --evaluation-seed
decides the episodes of evaluations. Runs in the environment .venv-sb3, from the repository's root. The settings are
those of RL Baselines3 Zoo for Atari, except that the training is a hundredth as long: it learns from step 1,000 on and
explores over the first 25,000 steps, as ours does. Evaluated by our own code, on the same episodes under the same
protocol. Resumes from its last checkpoint, one at each evaluation, with the memory; the interrupted episode starts
again.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import signal
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

import ale_py
import gymnasium
import numpy as np
import torch
from stable_baselines3 import DQN
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.env_util import make_atari_env
from stable_baselines3.common.vec_env import VecFrameStack

from agent.config import preset
from agent.evaluation import episode_tasks, play_episodes, protocol_named
from benchmarks.learning_study import (
    EPISODES,
    EVALUATE_EVERY,
    EVALUATION_SEED,
    GAME,
    STOPPED,
    Result,
    evaluated,
    this_machine,
)
from data.files import write_atomic
from data.simulation import Emulator

SETTINGS: dict[str, Any] = {
    "policy": "CnnPolicy",
    "learning_rate": 1e-4,
    "buffer_size": 100_000,
    "batch_size": 32,
    "learning_starts": 1_000,
    "train_freq": 4,
    "gradient_steps": 1,
    "target_update_interval": 1_000,
    "exploration_final_eps": 0.01,
    "optimize_memory_usage": True,
    "replay_buffer_kwargs": {"handle_timeout_termination": False},
}
EXPLORING_STEPS = 25_000


def environment(seed: int, game: str = GAME) -> Any:
    """The environment as the Zoo wraps it: no-op starts, lives end episodes, frame skip 4, 84 x 84, stack of 4."""
    gymnasium.register_envs(ale_py)
    options = {"frameskip": 1, "repeat_action_probability": 0.0}
    made = make_atari_env(f"ALE/{game}-v5", n_envs=1, seed=seed, env_kwargs=options)
    return VecFrameStack(made, n_stack=4)


def scores_of(model: DQN, game: str, episodes: int, seed: int) -> tuple[float, ...]:
    """Return the points of each evaluation episode: the same episodes, played by the same code, as for ours."""
    protocol = protocol_named("nature")

    def values(stack: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            found: np.ndarray = model.q_net(torch.as_tensor(stack[None])).numpy()[0]
        return found

    meanings = Emulator(game).action_meanings
    tasks = episode_tasks(protocol, episodes, seed)
    config = dataclasses.replace(preset("default"), game=game)
    return tuple(play_episodes(config, meanings, values, protocol, tasks))


class _Checkpoints(BaseCallback):
    """Evaluates and saves at checkpoints; ends the training on request."""

    def __init__(self, options: argparse.Namespace, state: dict[str, Any]) -> None:
        super().__init__()
        self.folder, self.every = options.folder, min(options.every, options.steps)
        self._evaluated = options.game, options.episodes, options.evaluation_seed
        self._until = options.until
        self.stop = state["step"] >= options.until and bool(state["evaluations"])
        self._began = time.monotonic() - state["seconds"]
        self._evaluating = state.get("evaluating", 0.0)  # seconds

    def _on_training_start(self) -> None:
        if not self.num_timesteps and not read_rows(self.folder)["evaluations"]:
            self.save()  # the curve starts with the untrained agent, as ours does

    def _on_step(self) -> bool:
        if self.num_timesteps and self.num_timesteps % self.every == 0 and not self.stop:
            self.save()
        return not self.stop

    def save(self) -> None:
        assert isinstance(self.model, DQN)
        rows = read_rows(self.folder)["evaluations"]
        began = time.monotonic()
        trained = began - self._began - self._evaluating
        rows.append({"step": self.num_timesteps, "scores": scores_of(self.model, *self._evaluated), "seconds": trained})
        self._evaluating += time.monotonic() - began
        if self.num_timesteps:
            self.model.save(self.folder / "model.zip")
            self.model.save_replay_buffer(self.folder / "memory.pkl")
        state = {"evaluations": rows, "seconds": time.monotonic() - self._began, "step": self.num_timesteps}
        state["evaluating"] = self._evaluating
        write_atomic(self.folder / "state.json", json.dumps(state))
        self.stop = self.stop or self.num_timesteps >= self._until


def read_rows(folder: Path) -> dict[str, Any]:
    path = folder / "state.json"
    return dict(json.loads(path.read_text())) if path.is_file() else {"evaluations": [], "seconds": 0.0, "step": 0}


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, kind in (("seed", int), ("folder", Path), ("steps", int), ("results", Path)):
        parser.add_argument(name, type=kind)
    parser.add_argument("every", type=int, nargs="?", default=EVALUATE_EVERY)
    parser.add_argument("episodes", type=int, nargs="?", default=EPISODES)
    parser.add_argument("preset", nargs="?", help="of the other side; not used here")
    parser.add_argument("--game", default=GAME)
    parser.add_argument("--until", type=int, default=sys.maxsize)
    parser.add_argument("--evaluation-seed", type=int, default=EVALUATION_SEED)
    return parser.parse_args()


def main() -> None:
    options = parsed()
    seed, folder, steps = options.seed, options.folder, options.steps
    folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    state = read_rows(folder)
    env = environment(seed, options.game)
    checkpoints = _Checkpoints(options, state)

    def ask_to_stop(*_: object) -> None:
        checkpoints.stop = True

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, ask_to_stop)
    if state["step"]:
        model = DQN.load(folder / "model.zip", env=env, device="cpu")
        model.load_replay_buffer(folder / "memory.pkl")
    else:
        fraction = min(1.0, EXPLORING_STEPS / steps)
        model = DQN(env=env, seed=seed, device="cpu", exploration_fraction=fraction, **SETTINGS)
    if state["step"] < steps and not checkpoints.stop:
        model.learn(steps - state["step"], callback=checkpoints, reset_num_timesteps=not state["step"])
    if checkpoints.stop and read_rows(folder)["step"] < steps:
        sys.exit(STOPPED)
    state = read_rows(folder)
    evaluations = evaluated(state["evaluations"])
    settings = {**SETTINGS, "exploration_steps": EXPLORING_STEPS}
    Result("sb3", seed, steps, settings, evaluations, round(state["seconds"]), this_machine()).write(options.results)


if __name__ == "__main__":
    main()
