"""A batch of transitions for one update, and what is changed in it before the update.

Pure functions of the batch: none of them changes the compiled update.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

GREATEST_BALANCE = 10.0
"""Greatest imitation weight of an action: one that was taken once or twice in an episode is not worth more."""
MOST_ACTIONS = 18
"""Of any game. A set of actions is a number with a bit for each."""


@dataclass(frozen=True)
class Batch:
    """Transitions sampled for one update: B rows, S observations in a stack."""

    slots: np.ndarray
    """(B,) int64."""
    stacks: np.ndarray
    """(B, S, 84, 84) uint8, oldest observation first."""
    actions: np.ndarray
    """(B,) int32."""
    returns: np.ndarray
    """(B,) float32: n-step return of the rewards."""
    discounts: np.ndarray
    """(B,) float32: discount to the power of the number of steps in the return; 0 where the return ended."""
    next_stacks: np.ndarray
    """(B, S, 84, 84) uint8: after those steps."""
    recorded: np.ndarray
    """(B,) float32: recorded return, or -inf."""
    imitate: np.ndarray
    """(B,) float32: 1 where the action is to be imitated, -1 where it is to be avoided, 0 elsewhere."""
    weights: np.ndarray
    """(B,) float32: importance weights, at most 1."""
    rewards: np.ndarray
    """(B,) float32: reward of one step."""
    one_step_discounts: np.ndarray
    """(B,) float32."""
    following_stacks: np.ndarray
    """(B, S, 84, 84) uint8: after one step; ``next_stacks`` itself unless requested."""
    seeded: np.ndarray
    """(B,) bool."""
    equivalent: np.ndarray
    """(B,) uint32: the actions with the same effect as the one taken, a bit for each; 0: unknown."""


def joined(first: Batch, second: Batch) -> Batch:
    """Return one batch with the rows of both."""
    columns = {
        item.name: np.concatenate((getattr(first, item.name), getattr(second, item.name)))
        for item in dataclasses.fields(Batch)
        if item.name != "following_stacks"
    }
    if first.following_stacks is first.next_stacks and second.following_stacks is second.next_stacks:
        return Batch(**columns, following_stacks=columns["next_stacks"])
    return Batch(**columns, following_stacks=np.concatenate((first.following_stacks, second.following_stacks)))


def shift_stacks(stacks: np.ndarray, shifts: np.ndarray) -> np.ndarray:
    """Return stacks (B, S, H, W) uint8, each shifted by its (down, right) pixels of shifts (B, 2).

    Border pixels are repeated. All observations of a stack have the same shift, so motion is preserved.
    """
    result = np.empty_like(stacks)
    height, width = stacks.shape[2:]
    for row, (down, right) in enumerate(shifts.tolist()):
        top, bottom = max(down, 0), height + min(down, 0)
        left, end = max(right, 0), width + min(right, 0)
        out = result[row]
        out[:, top:bottom, left:end] = stacks[row, :, top - down : bottom - down, left - right : end - right]
        out[:, top:bottom, :left] = out[:, top:bottom, left : left + 1]
        out[:, top:bottom, end:] = out[:, top:bottom, end - 1 : end]
        out[:, :top] = out[:, top : top + 1]
        out[:, bottom:] = out[:, bottom - 1 : bottom]
    return result


def augment(batch: Batch, pixels: int, rng: np.random.Generator) -> Batch:
    """Return the batch with states and next states shifted at random by up to ``pixels`` in both directions.

    Kostrikov et al. 2021, section 3, with 4 pixels of 84.
    """
    if pixels == 0:
        return batch

    def shifted(stacks: np.ndarray) -> np.ndarray:
        return shift_stacks(stacks, rng.integers(-pixels, pixels + 1, (len(stacks), 2)))

    next_stacks = shifted(batch.next_stacks)
    same = batch.following_stacks is batch.next_stacks
    return dataclasses.replace(
        batch,
        stacks=shifted(batch.stacks),
        next_stacks=next_stacks,
        following_stacks=next_stacks if same else shifted(batch.following_stacks),
    )


def regress_on_returns(batch: Batch) -> Batch:
    """Return the batch with the recorded returns as targets, where they are known, instead of TD targets.

    Values fitted to recorded returns do not exceed what was earned (Nakamoto et al. 2023, Cal-QL).
    """
    known = np.isfinite(batch.recorded)

    def target(sums: np.ndarray) -> np.ndarray:
        return np.where(known, batch.recorded, sums)

    def without_bootstrap(discounts: np.ndarray) -> np.ndarray:
        return np.where(known, np.float32(0.0), discounts)

    return dataclasses.replace(
        batch,
        returns=target(batch.returns),
        discounts=without_bootstrap(batch.discounts),
        rewards=target(batch.rewards),
        one_step_discounts=without_bootstrap(batch.one_step_discounts),
    )


def balanced_weights(actions: np.ndarray, action_count: int) -> np.ndarray:
    """Return the imitation weight of each action, (A,) float32, by which the actions taken all count alike.

    actions (n,): the imitated ones. The weights have a mean of 1 over them, as far as none exceeds GREATEST_BALANCE.
    """
    counts = np.bincount(actions, minlength=action_count)
    taken = np.count_nonzero(counts)
    weights: np.ndarray = len(actions) / np.maximum(counts * max(int(taken), 1), 1.0)
    return np.asarray(np.minimum(weights, GREATEST_BALANCE), np.float32)


def weigh_imitation(batch: Batch, weights: np.ndarray) -> Batch:
    """Return the batch with the imitation of its rows multiplied by weights (B,); what is to be avoided stays."""
    factors = np.where(batch.imitate > 0.0, weights, 1.0).astype(np.float32)
    return dataclasses.replace(batch, imitate=batch.imitate * factors)


def action_mask(sets: np.ndarray, actions: np.ndarray, action_count: int) -> np.ndarray:
    """Return which actions are in each set (B,), (B, A) bool; where nothing is known, the action taken alone."""
    mask: np.ndarray = (sets[:, None] >> np.arange(action_count, dtype=sets.dtype)) & 1 > 0
    mask[np.arange(len(sets)), actions] = True
    return mask


def any_equivalent(sets: np.ndarray, actions: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return one action of each set (B,), chosen at random, (B,) int32; where nothing is known, the action taken.

    What followed would have followed each of them, so a value is learned for all.
    """
    mask = action_mask(sets, actions, MOST_ACTIONS)
    return np.asarray(np.where(mask, rng.random(mask.shape), -1.0).argmax(axis=1), np.int32)


def take_any_equivalent(batch: Batch, rng: np.random.Generator) -> Batch:
    """Return the batch with each action replaced by one of those with the same effect, chosen at random."""
    return dataclasses.replace(batch, actions=any_equivalent(batch.equivalent, batch.actions, rng))


def fade_imitation(batch: Batch, factor: float | np.ndarray) -> Batch:
    """Return the batch with its imitation weights multiplied by ``factor``, between 0 and 1; (B,): one for each row."""
    return dataclasses.replace(batch, imitate=batch.imitate * np.asarray(factor, np.float32))
