"""Presets: named sets of training settings, each with its source.

Values that equal the defaults of ``TrainConfig`` are left out; the defaults are what our own trials found best.
"""

from __future__ import annotations

from typing import Any

NATURE: dict[str, Any] = {
    # Mnih et al. 2015, extended data table 1, and methods for the loss of life.
    "layer_norm": False,
    "averaging": 0.0,
    "n_steps": 1,
    "double_q": False,
    "bound_by_return": False,
    "margin_weight": 0.0,
    "shift_pixels": 0,
    "seed_share": 0.0,
    "mixing": "free",
    "pretrain_steps": 0,
    "optimizer": "rmsprop-centred",
    "learning_rate": 2.5e-4,
    "optimizer_decay": 0.95,
    "optimizer_epsilon": 0.01,
    "gradient_norm": 0.0,
    "target_update_steps": 10_000,
    "memory_size": 1_000_000,
    "learn_from_step": 50_000,
    "epsilon_start": 1.0,
    "epsilon_seeded": 1.0,
    "epsilon_end": 0.1,
    "epsilon_steps": 1_000_000,
    "life_loss_ends": True,
    "evaluate_every": 250_000,
}

TUTORIAL: dict[str, Any] = {
    # R. Meertens 2017, "Introduction to OpenAI gym part 3", with F. Sung's DQN. One thing differs on purpose: the
    # replay memory is not made smaller than what was seen before the first update, and a seeding is protected.
    **NATURE,
    "preprocessing": "tutorial",
    "td_loss": "squared",
    "optimizer": "rmsprop",
    "optimizer_decay": 0.99,
    "optimizer_epsilon": 1e-6,
    "discount": 0.95,
    "train_every": 1,
    "memory_size": 40_000,
    "life_loss_ends": False,
    "reward": "points",
}

DQFD: dict[str, Any] = {
    # Hester et al. 2018, section "Experimental setup"; the network and the optimizer's epsilon follow its baseline,
    # prioritised dueling double DQN (Wang et al. 2016).
    "layer_norm": False,
    "averaging": 0.0,
    "dueling": True,
    "n_steps": 10,
    "one_step_weight": 1.0,
    "bound_by_return": False,
    "reward": "log",
    "margin": 0.8,
    "margin_weight": 1.0,
    "shift_pixels": 0,
    "l2_weight": 1e-5,
    "mixing": "free",
    "sampling": "prioritised",
    "priority_exponent": 0.4,
    "importance_exponent": 0.6,
    "importance_exponent_end": 0.6,
    "priority_bonus": 0.001,
    "seeded_priority_bonus": 1.0,
    "learning_rate": 6.25e-5,
    "target_update_steps": 10_000,
    "memory_size": 1_000_000,
    "pretrain_steps": 750_000,
    "learn_from_step": 0,
    "epsilon_start": 0.01,
    "epsilon_seeded": 0.01,
    "epsilon_end": 0.01,
    "epsilon_steps": 0,
}

PRESETS: dict[str, dict[str, Any]] = {"default": {}, "nature": NATURE, "tutorial": TUTORIAL, "dqfd": DQFD}
