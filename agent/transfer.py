"""Starting with the weights of another run, of the same game or another one."""

from __future__ import annotations

import numpy as np

from agent.array_file import part_of, read_arrays
from agent.checkpoint import acting_weights
from agent.config import run_config
from agent.keras_network import load_weights, weight_arrays
from agent.learner import Learner
from agent.setting import option_name
from data.errors import CoachError
from data.runs import RunFolder

CARRIES = ("whole", "new-head", "convolutions")
"""The whole network, outputs by the names of their actions; all but the outputs; the convolutions alone."""
OUTPUTS = ("action_output", "advantage_output")
"""Layers with one unit for each action."""
VALUE_OUTPUT = "value_output"
CONVOLUTION = "convolution_"


def take_weights(learner: Learner, folder: RunFolder, action_meanings: tuple[str, ...], carry: str = "whole") -> None:
    """Fill the learner's networks with the newest weights of a run, or with a part of them.

    carry: one of ``CARRIES``. Outputs are carried over by the names of their actions; what is not carried over keeps
    its fresh weights. Raises CoachError if the networks differ otherwise, or where the other agent sees differently.
    """
    if carry not in CARRIES:
        raise CoachError(f"The carried weights must be one of {', '.join(CARRIES)}, not {carry!r}.")
    info, config = folder.read(), run_config(folder)
    for name in ("preprocessing", "stack", "older_observations", "frame_skip"):
        theirs, ours = getattr(config, name), getattr(learner.config, name)
        if theirs != ours:
            raise CoachError(
                f"The run {folder.name!r} was trained with {option_name(name)} {theirs}, and this one has {ours}."
            )
    newest = folder.newest_checkpoint()
    if newest is None:
        raise CoachError(f"The run {folder.name!r} has no checkpoint yet; let it train first.")
    # A supplied run has no learner.
    learned = None if folder.is_supplied else part_of(read_arrays(newest / "learner.npz"), "online")
    arrays = acting_weights(folder) if learned is None else learned
    fresh = weight_arrays(learner.online)
    ours_to_theirs = [
        (ours, info.action_meanings.index(name))
        for ours, name in enumerate(action_meanings)
        if name in info.action_meanings
    ]
    for name, array in fresh.items():
        if name.startswith(OUTPUTS) and name in arrays and array.shape[:-1] == arrays[name].shape[:-1]:
            carried = array.copy()
            by_action = carried.reshape(*array.shape[:-1], len(action_meanings), -1)
            saved = arrays[name].reshape(*array.shape[:-1], len(info.action_meanings), -1)
            if by_action.shape[-1] == saved.shape[-1]:
                for ours, theirs in ours_to_theirs:
                    by_action[..., ours, :] = saved[..., theirs, :]
                arrays[name] = carried
    kept_fresh = {
        "whole": (),
        "new-head": (*OUTPUTS, VALUE_OUTPUT),
        "convolutions": tuple(n for n in fresh if not n.startswith(CONVOLUTION)),
    }
    arrays.update({name: array for name, array in fresh.items() if name.startswith(kept_fresh[carry])})
    try:
        load_weights(learner.online, {name: np.asarray(arrays[name]) for name in fresh if name in arrays})
    except ValueError as error:
        raise CoachError(f"The run {folder.name!r} has another network: {error}.") from error
    learner.copy_online()
