"""Time Stable-Baselines3's DQN and a loop like CleanRL's; run by benchmarks/agent_parts.py in .venv-sb3.

    .venv-sb3/bin/python benchmarks/agent_parts_sb3.py STEPS

Prints one JSON object. Both play the same game with the wrappers of their Atari settings, learn from batches of 32
every 4 steps with the Nature network and Adam, and start learning at step 200. CleanRL's dqn_atari.py uses the replay
buffer of Stable-Baselines3 in its memory-saving form, the squared error, and no gradient clipping.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import ale_py
import gymnasium
import numpy as np
import torch
from stable_baselines3 import DQN
from stable_baselines3.common.buffers import ReplayBuffer
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.env_util import make_atari_env
from stable_baselines3.common.vec_env import VecFrameStack, VecTransposeImage

BATCH, LEARN_FROM, MEASURE_FROM, MEMORY = 32, 200, 300, 20_000
EPSILON = 0.1


def environment() -> Any:
    gymnasium.register_envs(ale_py)
    options = {"frameskip": 1, "repeat_action_probability": 0.0}
    made = make_atari_env("ALE/SpaceInvaders-v5", n_envs=1, seed=0, env_kwargs=options)
    return VecTransposeImage(VecFrameStack(made, n_stack=4))


def median_ms(work: Callable[[], object], rounds: int = 60) -> float:
    for _ in range(5):
        work()
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return 1000.0 * statistics.median(times)


def bytes_of_transition(memory: ReplayBuffer) -> float:
    arrays = [memory.observations, memory.actions, memory.rewards, memory.dones, memory.timeouts]
    if not memory.optimize_memory_usage:
        arrays.append(memory.next_observations)
    return float(sum(array.nbytes for array in arrays) / memory.buffer_size)


class _Clock(BaseCallback):
    began = 0.0

    def _on_step(self) -> bool:
        if self.num_timesteps == MEASURE_FROM:
            self.began = time.perf_counter()
        return True


def stable_baselines(steps: int) -> dict[str, float]:
    model = DQN(
        "CnnPolicy",
        environment(),
        learning_rate=1e-4,
        buffer_size=MEMORY,
        learning_starts=LEARN_FROM,
        batch_size=BATCH,
        train_freq=4,
        target_update_interval=1_000,
        exploration_initial_eps=EPSILON,
        exploration_final_eps=EPSILON,
        device="cpu",
        seed=0,
    )
    clock = _Clock()
    model.learn(steps, callback=clock)
    rate = (steps - MEASURE_FROM) / (time.perf_counter() - clock.began)
    memory = model.replay_buffer
    assert memory is not None
    return {
        "steps_per_second": rate,
        "sampling": median_ms(lambda: memory.sample(BATCH), 200),
        "learning": median_ms(lambda: model.train(1, BATCH)),
        "bytes_a_transition": bytes_of_transition(memory),
    }


class _Network(torch.nn.Module):
    """The Nature network, as CleanRL writes it."""

    def __init__(self, actions: int) -> None:
        super().__init__()
        self.layers = torch.nn.Sequential(
            *(torch.nn.Conv2d(4, 32, 8, 4), torch.nn.ReLU(), torch.nn.Conv2d(32, 64, 4, 2), torch.nn.ReLU()),
            *(torch.nn.Conv2d(64, 64, 3, 1), torch.nn.ReLU(), torch.nn.Flatten()),
            *(torch.nn.Linear(3136, 512), torch.nn.ReLU(), torch.nn.Linear(512, actions)),
        )

    def forward(self, stacks: torch.Tensor) -> torch.Tensor:
        values: torch.Tensor = self.layers(stacks / 255.0)
        return values


def like_cleanrl(steps: int) -> dict[str, float]:
    env, rng = environment(), np.random.default_rng(0)
    actions = int(env.action_space.n)
    online, target = _Network(actions), _Network(actions)
    target.load_state_dict(online.state_dict())
    optimizer = torch.optim.Adam(online.parameters(), lr=1e-4)
    memory = ReplayBuffer(
        *(MEMORY, env.observation_space, env.action_space, "cpu"),
        optimize_memory_usage=True,
        handle_timeout_termination=False,
    )

    def learn() -> None:
        data = memory.sample(BATCH)
        with torch.no_grad():
            best = target(data.next_observations).max(dim=1)[0]
            wanted = data.rewards.flatten() + 0.99 * best * (1 - data.dones.flatten())
        values = online(data.observations).gather(1, data.actions).squeeze()
        loss = torch.nn.functional.mse_loss(wanted, values)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    seen, began = env.reset(), 0.0
    for step in range(steps):
        if step == MEASURE_FROM:
            began = time.perf_counter()
        if rng.random() < EPSILON:
            chosen = rng.integers(actions, size=1)
        else:
            chosen = online(torch.as_tensor(seen)).argmax(dim=1).numpy()
        after, rewards, dones, infos = env.step(chosen)
        kept = np.array([infos[0]["terminal_observation"]]) if dones[0] else after
        memory.add(seen, kept, chosen, rewards, dones, infos)
        seen = after
        if step > LEARN_FROM and step % 4 == 0:
            learn()
        if step % 1_000 == 0:
            target.load_state_dict(online.state_dict())
    rate = (steps - MEASURE_FROM) / (time.perf_counter() - began)
    return {
        "steps_per_second": rate,
        "sampling": median_ms(lambda: memory.sample(BATCH), 200),
        "learning": median_ms(learn),
        "bytes_a_transition": bytes_of_transition(memory),
    }


def main() -> None:
    steps = int(sys.argv[1])
    print(json.dumps({"sb3": stable_baselines(steps), "cleanrl": like_cleanrl(steps), "torch": torch.__version__}))


if __name__ == "__main__":
    main()
