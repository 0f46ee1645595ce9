"""Keras, imported without its log output; decides its backend, its threads and its determinism."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
# TensorFlow leaves oneDNN's convolutions off on processors without AVX-512, although they are faster there too
# (docs/decisions/learner.md).
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")


_UNUSED_PACKAGES = ("IPython", "jax", "matplotlib", "pandas", "scipy", "sklearn")
"""Imported by TensorFlow and Keras where installed, for parts that are not used here (lite models, galleries, data
frames, wrappers). They take two fifths of the import time."""


@contextmanager
def _without_unused_packages() -> Iterator[None]:
    """Make imports of those packages fail; afterwards they can be imported again."""
    needed = {"jax", "scipy"} if os.environ["KERAS_BACKEND"] == "jax" else set()
    hidden = {name for name in _UNUSED_PACKAGES if name not in sys.modules} - needed
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # None: importing it fails
    try:
        yield
    finally:
        for name in hidden:
            sys.modules.pop(name, None)


@contextmanager
def _without_log_output() -> Iterator[None]:
    """Silence standard error's file descriptor: TensorFlow prints its first lines before it reads its settings."""
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


with _without_log_output(), _without_unused_packages():
    import keras

__all__ = ["backend_name", "keras", "set_up_computing"]


def backend_name() -> str:
    return str(keras.backend.backend())


def set_up_computing(threads: int, deterministic: bool) -> None:
    """Set the number of threads (0: all) and deterministic operations for this process.

    Threads can be set only before the first computation; later calls do not change them.
    """
    if backend_name() != "tensorflow":
        return
    import tensorflow as tf

    if threads:
        # RuntimeError: TensorFlow has started, so another training in this process has set them.
        with suppress(RuntimeError):
            tf.config.threading.set_intra_op_parallelism_threads(threads)
            tf.config.threading.set_inter_op_parallelism_threads(threads)
    if deterministic:
        tf.config.experimental.enable_op_determinism()
