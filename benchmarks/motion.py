"""Measure how truly a face's motion is tracked (docs/living_head.md). Prints its figures as JSON.

    python benchmarks/motion.py --people 3 --frames 75 --size 640

Synthetic people are rendered in a known motion: the head sways, nods and leans, eyes look about, mouth and
lids move. The clip is tracked, and the motion compared with the truth, as it was measured and smoothed.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import replace

import numpy as np

from hifi_portrait.head import EXPRESSION_NAMES, HeadPose
from hifi_portrait.motion import Motion
from hifi_portrait.motion.track import TrackOptions, track_frames
from hifi_portrait.synthetic.person import Person
from hifi_portrait.synthetic.photo_setup import PhotoSetup
from hifi_portrait.synthetic.photograph import photograph

RATE = 25.0


def known_motion(frames: int) -> Motion:
    """Make a motion whose angles and coefficients change as those of somebody who talks."""
    times = np.arange(frames) / RATE
    turn = 2 * np.pi * times
    pose = np.stack(
        [20 * np.sin(0.35 * turn), 8 * np.sin(0.6 * turn + 1), 6 * np.sin(0.45 * turn + 2)], axis=1
    )
    gaze = np.stack([12 * np.sin(0.5 * turn), 6 * np.sin(0.4 * turn + 1)], axis=1)
    expression = np.zeros((frames, len(EXPRESSION_NAMES)))
    waves = {"jawOpen": (0.25, 1.6), "mouthSmileLeft": (0.3, 0.5), "mouthSmileRight": (0.3, 0.5)}
    for name, (most, hertz) in waves.items():
        expression[:, EXPRESSION_NAMES.index(name)] = most * (1 + np.sin(hertz * turn))
    return Motion(times, expression, pose, gaze)


def render(seed: int, motion: Motion, size: int) -> list[np.ndarray]:
    """Photograph a person in each moment of a motion, by one light."""
    person = Person.sample(seed)
    setup = replace(PhotoSetup.sample(seed), style="photo", wears_glasses=False, sunglasses=False)
    moments = zip(motion.expression, motion.pose, motion.gaze, strict=True)
    return [
        photograph(
            person,
            replace(
                setup,
                expression=expression.astype(np.float32),
                pose=HeadPose(*angles),
                gaze=(float(gaze[0]), float(gaze[1])),
            ),
            size,
        ).image
        for expression, angles, gaze in moments
    ]


def compare(found: Motion, truth: Motion) -> dict[str, float]:
    """Compare two motions of equal times."""
    yaw = found.pose[:, 0] - truth.pose[:, 0]
    jaw = EXPRESSION_NAMES.index("jawOpen")
    return {
        "yaw_error_std": round(float(yaw.std()), 2),
        "pitch_error_std": round(float((found.pose[:, 1] - truth.pose[:, 1]).std()), 2),
        "gaze_yaw_error_std": round(float((found.gaze[:, 0] - truth.gaze[:, 0]).std()), 2),
        "jaw_correlation": round(
            float(np.corrcoef(found.expression[:, jaw], truth.expression[:, jaw])[0, 1]), 3
        ),
        "yaw_second_difference": round(
            float(np.abs(np.diff(found.pose[:, 0], n=2) - np.diff(truth.pose[:, 0], n=2)).mean()), 3
        ),
        "lag_ms": round(_lag(found, truth), 1),
    }


def _lag(found: Motion, truth: Motion) -> float:
    """Find the delay in milliseconds at which yaw fits the truth best."""
    delays = np.arange(-0.2, 0.2, 0.005)
    fine = truth.times[10:-10]
    errors = [
        np.square(
            np.interp(fine + delay, found.times, found.pose[:, 0])
            - np.interp(fine, truth.times, truth.pose[:, 0])
        ).mean()
        for delay in delays
    ]
    return float(1000 * delays[int(np.argmin(errors))])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--people", type=int, default=3)
    parser.add_argument("--frames", type=int, default=75)
    parser.add_argument("--size", type=int, default=640)
    parser.add_argument("--seed", type=int, default=81000)
    given = parser.parse_args()
    truth = known_motion(given.frames)
    rows = []
    for seed in range(given.seed, given.seed + given.people):
        frames = render(seed, truth, given.size)
        timed = list(zip(truth.times.tolist(), frames, strict=True))
        track_frames(timed[:2])  # loads the models
        started = time.process_time()
        measured = track_frames(timed, options=TrackOptions(smoothing=0))
        seconds = time.process_time() - started
        row = {"ms_a_frame": round(1000 * seconds / given.frames, 1)}
        row |= {f"measured_{name}": value for name, value in compare(measured, truth).items()}
        row |= compare(measured.smoothed(), truth)
        rows.append(row)
    print(json.dumps({name: [row[name] for row in rows] for name in rows[0]}, indent=1))


if __name__ == "__main__":
    main()
