"""Augmentation: a batch's pictures moved by some pixels, so that the network learns shapes, not places of pixels."""

from __future__ import annotations

import dataclasses

import numpy as np

from agent.batch import Batch


def moved(stacks: np.ndarray, moves: np.ndarray) -> np.ndarray:
    """Each stack of (B, S, H, W) uint8 moved by its (down, right) pixels of moves (B, 2); its border is drawn out.

    All observations of a stack move alike, so motion is kept.
    """
    result = np.empty_like(stacks)
    height, width = stacks.shape[2:]
    for row, (down, right) in enumerate(moves.tolist()):
        top, bottom = max(down, 0), height + min(down, 0)
        left, end = max(right, 0), width + min(right, 0)
        out = result[row]
        out[:, top:bottom, left:end] = stacks[row, :, top - down : bottom - down, left - right : end - right]
        out[:, top:bottom, :left] = out[:, top:bottom, left : left + 1]
        out[:, top:bottom, end:] = out[:, top:bottom, end - 1 : end]
        out[:, :top] = out[:, top : top + 1]
        out[:, bottom:] = out[:, bottom - 1 : bottom]
    return result


def augmented(batch: Batch, pixels: int, rng: np.random.Generator) -> Batch:
    """The batch with states and next states moved, each by up to ``pixels`` in both directions.

    Kostrikov et al. 2021, section 3, with 4 pixels of 84.
    """
    if pixels == 0:
        return batch

    def shifted(stacks: np.ndarray) -> np.ndarray:
        return moved(stacks, rng.integers(-pixels, pixels + 1, (len(stacks), 2)))

    next_stacks = shifted(batch.next_stacks)
    same = batch.following_stacks is batch.next_stacks
    return dataclasses.replace(
        batch,
        stacks=shifted(batch.stacks),
        next_stacks=next_stacks,
        following_stacks=next_stacks if same else shifted(batch.following_stacks),
    )
