"""Measure the head fit on synthetic people and on real photos.

    python scripts/measure_head.py [--people 40] [--records FILE] [--photos DIR]

``--photos`` is a folder with one sub-folder a person, each holding ``neutral.jpg`` and ``smiling.jpg``, in
which all look into the lens.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from calibrate_head import Records, detect_landmarks
from hifi_portrait.fitting.solver import FitSettings, fit
from hifi_portrait.head import EXPRESSION_NAMES, HeadGeometry, HeadModel, HeadPose, shape_embedding

SMILE = [EXPRESSION_NAMES.index(name) for name in ("mouthSmileLeft", "mouthSmileRight")]
FOLLOWED = ("jawOpen", "mouthSmileLeft", "eyeBlinkLeft", "browInnerUp", "mouthPucker", "eyeSquintLeft")


def rank1(gallery: np.ndarray, probes: np.ndarray) -> float:
    """Share of probes (N, D) whose nearest of the gallery (N, D) by cosine is their own."""
    a, b = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (gallery, probes))
    return float(((b @ a.T).argmax(1) == np.arange(len(a))).mean())


def auc(negative: np.ndarray, positive: np.ndarray) -> float:
    """Probability that a positive value exceeds a negative one."""
    difference = positive[:, None] - negative[None]
    return float((difference > 0).mean() + 0.5 * (difference == 0).mean())


def pose_error(fitted: np.ndarray, true: np.ndarray) -> np.ndarray:
    """Absolute differences of yaw, pitch and roll in degrees."""
    a, b = HeadPose.from_matrix(fitted), HeadPose.from_matrix(true)
    return np.abs([a.yaw - b.yaw, a.pitch - b.pitch, a.roll - b.roll])


def measure_synthetic(
    records: Records, references: int = 4, settings: FitSettings | None = None
) -> dict[str, Any]:
    """Fit each person's first and second ``references`` photos apart, and compare with the truth."""
    errors, fitted, true, gaze, residuals, shape = [], [], [], [], [], []
    halves: list[list[np.ndarray]] = [[], []]
    seconds, count = 0.0, 0
    model = HeadModel.load()
    counted, _, _ = model._projection
    for person in np.unique(records.person):
        rows = np.flatnonzero(records.person == person)
        if len(rows) < 2 * references:
            continue
        for half in (0, 1):
            chosen = rows[half * references : (half + 1) * references]
            cameras = [records.geometries[i].camera for i in chosen]
            start = time.process_time()
            result = fit(
                [records.landmarks[i] for i in chosen],
                [(c.width, c.height) for c in cameras],
                settings=settings,
            )
            seconds, count = seconds + time.process_time() - start, count + references
            halves[half].append(result.identity)
            residuals.extend(result.residuals)
            for i, geometry in zip(chosen, result.geometries, strict=True):
                truth = records.geometries[i]
                errors.append(pose_error(geometry.rotation, truth.rotation))
                fitted.append(geometry.expression)
                true.append(truth.expression)
                gaze.append([geometry.gaze, truth.gaze])
            difference = model.rest(result.identity) - model.rest(truth.identity)
            shape.append(1e3 * np.linalg.norm(difference[counted], axis=1).mean())
    a, b = np.array(true), np.array(fitted)
    gazes = np.array(gaze)
    yaw, pitch, roll = np.mean(errors, axis=0).round(2).tolist()
    return {
        "people": len(halves[0]),
        "references": references,
        "pose_error_degrees": {"yaw": yaw, "pitch": pitch, "roll": roll},
        "rank1_identity": round(rank1(np.array(halves[0]), np.array(halves[1])), 3),
        "rank1_shape_embedding": round(rank1(*(shape_embedding(half) for half in halves)), 3),
        "expression_correlation": {
            name: round(float(np.corrcoef(a[:, k], b[:, k])[0, 1]), 2)
            for name, k in ((name, EXPRESSION_NAMES.index(name)) for name in FOLLOWED)
            if a[:, k].std() > 0 and b[:, k].std() > 0
        },
        "gaze_error_degrees": np.abs(gazes[:, 0] - gazes[:, 1]).mean(0).round(2).tolist(),
        "gaze_error_of_straight_ahead": np.abs(gazes[:, 1]).mean(0).round(2).tolist(),
        "shape_error_mm": round(float(np.mean(shape)), 2),
        "residual": round(float(np.mean(residuals)), 4),
        "milliseconds_a_photo": round(1e3 * seconds / max(count, 1), 1),
    }


def detect_folder(folder: Path) -> tuple[list[str], list[np.ndarray], list[tuple[int, int]]]:
    """Names of the people with both photos, and their landmarks and sizes: neutral, smiling, neutral, ..."""
    import mediapipe

    detector = mediapipe.solutions.face_mesh.FaceMesh(static_image_mode=True, refine_landmarks=True)
    names, points, sizes = [], [], []
    for person in sorted(path for path in folder.iterdir() if path.is_dir()):
        images = [
            np.asarray(Image.open(person / f"{kind}.jpg").convert("RGB")) for kind in ("neutral", "smiling")
        ]
        found = [detect_landmarks(detector, image) for image in images]
        if any(landmarks is None for landmarks in found):
            continue
        names.append(person.name)
        points.extend(found)
        sizes.extend((image.shape[1], image.shape[0]) for image in images)
    return names, points, sizes


def measure_photos(
    names: list[str],
    points: list[np.ndarray],
    sizes: list[tuple[int, int]],
    settings: FitSettings | None = None,
) -> dict[str, Any]:
    """Smile and identity of real people, each photo fitted alone and both together."""
    alone = [fit([p], [s], settings=settings) for p, s in zip(points, sizes, strict=True)]
    pairs = range(0, len(points), 2)
    joint = [fit(points[i : i + 2], sizes[i : i + 2], settings=settings) for i in pairs]
    geometries = [g for result in joint for g in result.geometries]
    single = np.array([result.geometries[0].expression[SMILE].mean() for result in alone])
    shared = np.array([geometry.expression[SMILE].mean() for geometry in geometries])
    identity = np.array([result.identity for result in alone])
    identity = identity - identity.mean(0)
    return {
        "people": len(names),
        "smile_auc_alone": round(auc(single[0::2], single[1::2]), 3),
        "smile_auc_joint": round(auc(shared[0::2], shared[1::2]), 3),
        "smile_mean": {
            "neutral": round(float(single[0::2].mean()), 2),
            "smiling": round(float(single[1::2].mean()), 2),
        },
        "rank1_identity": round(rank1(identity[0::2], identity[1::2]), 3),
        "rank1_shape_embedding": round(rank1(*map(shape_embedding, (identity[0::2], identity[1::2]))), 3),
        "residual": round(float(np.mean([result.residuals for result in alone])), 4),
    }


def measure_eye_level(folder: Path) -> dict[str, float]:
    """Medians in degrees over photos, in their portrait crops, of people who look into the lens."""
    from hifi_portrait.person.identity import Identity

    heads: list[HeadGeometry] = []
    for person in sorted(path for path in folder.iterdir() if path.is_dir()):
        heads += Identity.from_photos([person / "neutral.jpg", person / "smiling.jpg"]).geometries
    angles = {
        "pitch": [head.pose.pitch for head in heads],
        "gaze_yaw": [head.gaze[0] for head in heads],
        "gaze_pitch": [head.gaze[1] for head in heads],
    }
    return {name: round(float(np.median(values)), 2) for name, values in angles.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=40)
    parser.add_argument("--first-seed", type=int, default=4_000_000)
    parser.add_argument(
        "--records", type=Path, help="npz of rendered photos, read if it is there, else written"
    )
    parser.add_argument(
        "--dataset", type=Path, help="data set of synthetic people to read instead of rendering"
    )
    parser.add_argument(
        "--references", type=int, default=4, help="photos a fit; each person needs twice as many"
    )
    parser.add_argument("--photos", type=Path, help="folder of real people")
    arguments = parser.parse_args()
    report: dict[str, Any] = {}
    if arguments.records and arguments.records.exists():
        records = Records.load(arguments.records)
    elif arguments.dataset:
        records = Records.from_dataset(arguments.dataset, arguments.people)
    else:
        records = Records.render(arguments.people, 2 * arguments.references, arguments.first_seed)
    if arguments.records and not arguments.records.exists():
        records.save(arguments.records)
    report["synthetic"] = measure_synthetic(records, arguments.references)
    if arguments.photos:
        report["photos"] = measure_photos(*detect_folder(arguments.photos))
        report["people_who_look_into_the_lens"] = measure_eye_level(arguments.photos)
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
