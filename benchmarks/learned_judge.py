"""Compare the learned judge with two small Keras networks on synthetic rules, always on held-out episodes.

    python -m benchmarks.learned_judge [--seeds 3] [--json]

Rules: "events" (good: points in the clip's last second; bad: a life lost there) and "place" (good: the cannon is, on
average, left of where it mostly is), which no event tells. 200 verdicts on 8 episodes of random play of Space Invaders;
five folds of episodes. Prints balanced accuracy, Brier score of the calibrated probabilities, and seconds of training.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from scipy.special import expit

from curator.clip_features import FEATURE_NAMES, PICTURE_FEATURES, clip_features
from curator.learned_judge import MOST_FOLDS, PICTURE_TRUST, calibration, episode_folds, held_out_logits, measure
from curator.outline import death_frames
from data.clip import Clip
from data.episode import EmulatorSettings, demonstrator_index
from data.library import Library
from data.replay_file import ReplayFile
from data.simulation import Emulator

EPISODES, EPISODE_FRAMES, VERDICTS, CLIP_FRAMES = 8, 2500, 200, 120
PICTURES = 8
"""Frames of a clip, evenly spaced, that are the input of the convolutional network."""
CANNON_X_BYTE = 28
"""The RAM byte with the position of the cannon in Space Invaders."""
Held = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]


def record(library: Library) -> None:
    for seed in range(EPISODES):
        emulator = Emulator("SpaceInvaders", EmulatorSettings(seed=seed))
        rng = np.random.default_rng(seed)
        writer = library.begin_episode(emulator.origin(), "random", emulator.state())
        action = 0
        while writer.frame_count < EPISODE_FRAMES and not emulator.game_over:
            if writer.frame_count % 4 == 0:
                action = int(rng.integers(len(emulator.action_meanings)))
            writer.append(action, demonstrator_index("random"), emulator.step(action))
        writer.publish("game_over" if emulator.game_over else "truncated", emulator.palette)


def read_clips(library: Library) -> dict[str, np.ndarray]:
    """Return features and pictures of every clip of the library, and each rule's verdict (nan: none)."""
    columns: dict[str, list[object]] = {name: [] for name in ("episode", "numbers", "pictures", "events", "place")}
    for summary in library.episodes():
        with ReplayFile(summary.path) as replay:
            gray = (replay.palette @ np.array([0.299, 0.587, 0.114]) / 255).astype(np.float32)
            cannon = replay.ram()[:, CANNON_X_BYTE].astype(float)
            deaths, hits = death_frames(replay.lives), np.flatnonzero(replay.rewards > 0)
            for start in range(0, replay.frame_count - CLIP_FRAMES, 20):
                clip = Clip(replay.episode_id, start, start + CLIP_FRAMES)
                wanted = np.linspace(clip.start, clip.stop, PICTURES).round().astype(int)
                small = gray[replay.frames(clip.start, clip.stop + 1)[wanted - clip.start]][:, ::5, ::4]  # [8, 42, 40]
                hit, died = (any(clip.stop - 60 <= row < clip.stop for row in rows) for rows in (hits, deaths))
                columns["episode"].append(replay.episode_id)
                columns["numbers"].append(clip_features(replay, clip))
                columns["pictures"].append(np.moveaxis(small, 0, -1))
                columns["events"].append(float(hit) if hit != died else np.nan)
                columns["place"].append(cannon[clip.start : clip.stop].mean())
    found = {name: np.array(values) for name, values in columns.items()}
    found["place"] = (found["place"] < np.median(found["place"])).astype(float)
    return found


def by_network(build: Callable[[int], object], inputs: list[np.ndarray], epochs: int) -> Held:
    """Return a function that gives held-out logits of a Keras network, trained again for each fold."""

    def held_out(chosen: np.ndarray, good: np.ndarray, folds: np.ndarray) -> np.ndarray:
        import keras

        logits = np.zeros(len(good))
        for fold in np.unique(folds):
            keras.utils.set_random_seed(int(fold))
            out = folds == fold
            model = build(int(fold))
            weight = np.where(good, 0.5 / good[~out].mean(), 0.5 / (~good[~out]).mean())
            parts = []
            for one in inputs:
                mine = one[chosen].astype(np.float32)
                if mine.ndim == 2:  # Features are standardised, as for the regression.
                    mine = (mine - mine[~out].mean(axis=0)) / np.maximum(mine[~out].std(axis=0), 1e-6)
                parts.append(mine)
            model.fit(  # type: ignore[attr-defined]
                _as_input([part[~out] for part in parts]),
                good[~out].astype(np.float32),
                sample_weight=weight[~out],
                epochs=epochs,
                batch_size=16,
                verbose=0,
            )
            logits[out] = model.predict(_as_input([part[out] for part in parts]), verbose=0)[:, 0]  # type: ignore[attr-defined]
        return logits

    return held_out


def _as_input(parts: list[np.ndarray]) -> np.ndarray | list[np.ndarray]:
    return parts if len(parts) > 1 else parts[0]


def dense_network(_: int) -> object:
    """Return a network of the features and 32 hidden units."""
    import keras

    model = keras.Sequential(
        [
            keras.Input((len(FEATURE_NAMES),)),
            keras.layers.Dense(32, activation="relu", kernel_regularizer=keras.regularizers.L2(1e-2)),
            keras.layers.Dropout(0.3),
            keras.layers.Dense(1),
        ]
    )
    model.compile(keras.optimizers.Adam(1e-3), keras.losses.BinaryCrossentropy(from_logits=True))
    return model


def picture_network(_: int) -> object:
    """Return a network of eight pictures and two convolutions, beside features of actions and rewards."""
    import keras

    pictures = keras.Input((42, 40, PICTURES))
    events = keras.Input((len(FEATURE_NAMES) - PICTURE_FEATURES,))
    seen = keras.layers.Conv2D(16, 4, strides=2, activation="relu")(pictures)
    seen = keras.layers.Conv2D(32, 4, strides=2, activation="relu")(seen)
    seen = keras.layers.Dropout(0.3)(keras.layers.Flatten()(seen))
    seen = keras.layers.Dense(16, activation="relu")(seen)
    both = keras.layers.Dense(32, activation="relu")(keras.layers.Concatenate()([seen, events]))
    model = keras.Model([pictures, events], keras.layers.Dense(1)(both))
    model.compile(keras.optimizers.Adam(1e-3), keras.losses.BinaryCrossentropy(from_logits=True))
    return model


def compare(seen: dict[str, np.ndarray], seeds: int) -> Iterator[dict[str, object]]:
    """Yield a row for each rule and judge as soon as it is measured."""
    trust = np.ones(len(FEATURE_NAMES))
    trust[-PICTURE_FEATURES:] = PICTURE_TRUST
    numbers, events = seen["numbers"], seen["numbers"][:, :-PICTURE_FEATURES]
    judges: dict[str, Held] = {
        "logistic regression": lambda chosen, good, folds: held_out_logits(numbers[chosen], good, trust, folds),
        "Keras, dense": by_network(dense_network, [numbers], 60),
        "Keras, convolutions": by_network(picture_network, [seen["pictures"], events], 30),
    }
    for rule in ("events", "place"):
        able = np.flatnonzero(~np.isnan(seen[rule]))
        for name, held_out in judges.items():
            accuracies, briers, seconds = [], [], []
            for seed in range(seeds):
                rng = np.random.default_rng(seed)
                chosen = np.sort(rng.choice(able, VERDICTS, replace=False))
                good = seen[rule][chosen].astype(bool)
                folds = episode_folds(seen["episode"][chosen], MOST_FOLDS, rng)
                started = time.process_time()
                logits = held_out(chosen, good, folds)
                seconds.append(time.process_time() - started)
                slope, offset = calibration(logits, good)
                figures = measure(logits, expit(slope * logits + offset), good, EPISODES)
                accuracies.append(figures.balanced_accuracy)
                briers.append(figures.brier_score)
            yield {
                "rule": rule,
                "judge": name,
                "balanced_accuracy": float(np.mean(accuracies)),
                "lowest": min(accuracies),
                "brier_score": float(np.mean(briers)),
                "cpu_seconds": float(np.mean(seconds)),
            }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3, help="how many samples of 200 verdicts")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
    with tempfile.TemporaryDirectory() as folder:
        library = Library(Path(folder))
        record(library)
        rows = compare(read_clips(library), options.seeds)
        if options.json:
            print(json.dumps(list(rows)))
            return
        print(f"{'rule':8s} {'judge':22s} {'balanced':>9s} {'lowest':>7s} {'Brier':>6s} {'CPU s':>6s}")
        for row in rows:
            print(
                f"{row['rule']:8s} {row['judge']:22s} {row['balanced_accuracy']:9.3f} {row['lowest']:7.3f} "
                f"{row['brier_score']:6.3f} {row['cpu_seconds']:6.1f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
