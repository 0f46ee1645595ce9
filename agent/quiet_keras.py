"""Keras, imported quietly: the one place that decides what it may print and how many threads it takes."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
# TensorFlow leaves oneDNN's convolutions off on processors without AVX-512, where they are faster, too
# (docs/decisions/learner.md).
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")


_PARTS_NOT_USED = ("jax", "matplotlib", "pandas")
"""What TensorFlow and Keras import where it is installed, for parts of theirs (lite models, galleries, data frames)
that nothing here uses: an eighth to a quarter of the time that they take to begin."""


@contextmanager
def _without_parts_not_used() -> Iterator[None]:
    """Let them believe that those are not installed; who imports them afterwards finds them."""
    hidden = {name for name in _PARTS_NOT_USED if name not in sys.modules} - {os.environ["KERAS_BACKEND"]}
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # None: an import of it fails at once
    try:
        yield
    finally:
        for name in hidden:
            sys.modules.pop(name, None)


@contextmanager
def _without_chatter() -> Iterator[None]:
    """Silence standard error's file descriptor: TensorFlow's first lines come before its own settings are read."""
    try:
        kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    except OSError:  # a program without a standard error
        yield
        return
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


with _without_chatter(), _without_parts_not_used():
    import keras

__all__ = ["backend_name", "keras", "set_up_computing"]


def backend_name() -> str:
    return str(keras.backend.backend())


def set_up_computing(threads: int, deterministic: bool) -> None:
    """Choose the number of threads (0: all) and reproducible operations, for this whole process.

    Threads can be chosen only before the first computation; later calls leave them as they are.
    """
    if backend_name() != "tensorflow":
        return
    import tensorflow as tf

    if threads:
        # RuntimeError: TensorFlow computes already, so that another training in this process chose.
        with suppress(RuntimeError):
            tf.config.threading.set_intra_op_parallelism_threads(threads)
            tf.config.threading.set_inter_op_parallelism_threads(threads)
    if deterministic:
        tf.config.experimental.enable_op_determinism()
