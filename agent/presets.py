"""Presets: named sets of training settings, each with its source.

A preset states every setting that decides what is learned, also where it equals the default: a new default changes no
preset. The preset "default" is ``TrainConfig`` as it is, which our own trials found best.
"""

from __future__ import annotations

from typing import Any

COMMON: dict[str, Any] = {
    # Mnih et al. 2015, methods and extended data table 1; the others follow them.
    "sticky": 0.0,
    "full_action_set": False,
    "noop_max": 30,
    "max_episode_frames": 18_000,
    "preprocessing": "nature",
    "frame_skip": 4,
    "stack": 4,
    "network": "nature",
    "quantiles": 0,
    "hidden_units": 512,
    "layer_norm": False,
    "averaging": 0.0,
    "evict_seed": False,
    "train_every": 4,
    "batch_size": 32,
    "discount": 0.99,
    "bound_by_return": False,
    "pretrain_on": "td",
    "pretrain_learning_rate": 0.0,
    "start_inside": 0.0,
    "start_rule": "even",
    "balance_actions": False,
    "held_out": 0.0,
    "check_episodes": 0,
    "bound_returns": "all",
    "margin_anneal_steps": 0,
    "bad_margin": 0.0,
    "conservative_weight": 0.0,
    "shift_pixels": 0,
    "mixing": "free",
    "td_loss": "huber",
    "target_update_steps": 10_000,
    "memory_size": 1_000_000,
}

NATURE: dict[str, Any] = {
    # Mnih et al. 2015, extended data table 1, and methods for the loss of life.
    **COMMON,
    "life_loss_ends": True,
    "dueling": False,
    "seed_share": 0.0,
    "seed_anneal_steps": 20_000,
    "pretrain_steps": 0,
    "learn_from_step": 50_000,
    "n_steps": 1,
    "one_step_weight": 0.0,
    "double_q": False,
    "reward": "sign",
    "margin": 0.8,
    "margin_weight": 0.0,
    "l2_weight": 0.0,
    "optimizer": "rmsprop-centred",
    "learning_rate": 2.5e-4,
    "optimizer_decay": 0.95,
    "optimizer_epsilon": 0.01,
    "gradient_norm": 0.0,
    "sampling": "uniform",
    "priority_exponent": 0.6,
    "importance_exponent": 0.4,
    "importance_exponent_end": 1.0,
    "priority_bonus": 0.001,
    "seeded_priority_bonus": 1.0,
    "epsilon_start": 1.0,
    "epsilon_seeded": 1.0,
    "epsilon_end": 0.1,
    "epsilon_steps": 1_000_000,
    "evaluate_every": 250_000,
}

TUTORIAL: dict[str, Any] = {
    # R. Meertens 2017, "Introduction to OpenAI gym part 3", with F. Sung's DQN. One thing differs on purpose: a
    # seeding is protected. Learning starts when the memory has been overwritten once, and the seeding with it.
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
    **COMMON,
    "life_loss_ends": False,
    "dueling": True,
    "seed_share": 0.5,
    "seed_anneal_steps": 20_000,
    "pretrain_steps": 750_000,
    "learn_from_step": 0,
    "n_steps": 10,
    "one_step_weight": 1.0,
    "double_q": True,
    "reward": "log",
    "margin": 0.8,
    "margin_weight": 1.0,
    "l2_weight": 1e-5,
    "optimizer": "adam",
    "learning_rate": 6.25e-5,
    "optimizer_decay": 0.95,
    "optimizer_epsilon": 1.5e-4,
    "gradient_norm": 10.0,
    "sampling": "prioritised",
    "priority_exponent": 0.4,
    "importance_exponent": 0.6,
    "importance_exponent_end": 0.6,
    "priority_bonus": 0.001,
    "seeded_priority_bonus": 1.0,
    "epsilon_start": 0.01,
    "epsilon_seeded": 0.01,
    "epsilon_end": 0.01,
    "epsilon_steps": 0,
    "evaluate_every": 25_000,
}

FIRST_DEFAULT: dict[str, Any] = {
    # The default preset until the study of defaults (docs/results/study.md), so that older results can be repeated.
    **COMMON,
    "layer_norm": True,
    "averaging": 0.999,
    "bound_by_return": True,
    "shift_pixels": 4,
    "mixing": "share",
    "target_update_steps": 500,
    "memory_size": 200_000,
    "life_loss_ends": False,
    "dueling": False,
    "seed_share": 0.5,
    "seed_anneal_steps": 20_000,
    "pretrain_steps": 2_500,
    "learn_from_step": 1_000,
    "n_steps": 5,
    "one_step_weight": 0.0,
    "double_q": True,
    "reward": "sign",
    "margin": 0.8,
    "margin_weight": 1.0,
    "l2_weight": 0.0,
    "optimizer": "adam",
    "learning_rate": 1e-4,
    "optimizer_decay": 0.95,
    "optimizer_epsilon": 1.5e-4,
    "gradient_norm": 10.0,
    "sampling": "uniform",
    "priority_exponent": 0.6,
    "importance_exponent": 0.4,
    "importance_exponent_end": 1.0,
    "priority_bonus": 0.001,
    "seeded_priority_bonus": 1.0,
    "epsilon_start": 1.0,
    "epsilon_seeded": 0.1,
    "epsilon_end": 0.02,
    "epsilon_steps": 25_000,
    "evaluate_every": 25_000,
}

PRESETS: dict[str, dict[str, Any]] = {
    "default": {},
    "first-default": FIRST_DEFAULT,
    "nature": NATURE,
    "tutorial": TUTORIAL,
    "dqfd": DQFD,
}

ABOUT: dict[str, str] = {
    "default": "Made for demonstrations: pretraining, imitation, and demonstrations in each batch. Minutes to hours.",
    "first-default": "The first default: a larger network without the checks of the demonstrations. Slower.",
    "nature": "Mnih et al. 2015, made for millions of steps: no pretraining, random play fades over 1,000,000 steps.",
    "tutorial": "The workshop of 2017, made for millions of steps: no pretraining, and it learns from step 50,000 on.",
    "dqfd": "Hester et al. 2018: 750,000 updates of pretraining on the demonstrations, which take many hours.",
}
"""One line about each preset."""
