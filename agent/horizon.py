"""The horizon of the returns that are learned from: how many steps of reward, and the discount."""

from __future__ import annotations

from dataclasses import dataclass

from agent.config import TrainConfig


@dataclass(frozen=True)
class Horizon:
    """What an n-step return counts."""

    n_steps: int
    """Steps of reward before the value of the state that follows."""
    discount: float


def horizon_at(config: TrainConfig, updates: int) -> Horizon | None:
    """Return the horizon of an update; None: that of the replay memory, which has the most steps and the last discount.

    updates: own updates before it, since pretraining or the last reset of the dense layers. Over the first
    ``horizon_updates``, the steps and the effective horizon 1 / (1 - discount) change exponentially from their first to
    their last values (after Schwarzer et al. 2023, "Bigger, Better, Faster").
    """
    part = min(1.0, updates / config.horizon_updates)
    first_steps, first_discount = config.n_steps_start or config.n_steps, config.discount_start or config.discount
    n_steps = round(_between(first_steps, config.n_steps, part))
    discount = 1.0 - _between(1.0 - first_discount, 1.0 - config.discount, part)
    if n_steps == config.most_n_steps and (part == 1.0 or first_discount == config.discount):
        return None
    return Horizon(n_steps, discount)


def _between(first: float, last: float, part: float) -> float:
    """Return the value that is ``part`` of the way from the first to the last, exponentially; 0 has no such way."""
    if first <= 0.0 or last <= 0.0:
        return last
    return first * float((last / first) ** part)
