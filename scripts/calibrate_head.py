"""Measure how the landmark detector sees the head, and store it in the asset.

    python scripts/calibrate_head.py [--dataset DIR] [--people 400] [--photos 6] [--records FILE] [--out FILE]

Renders synthetic people, detects their landmarks with FaceMesh, ties each landmark to a point of the
surface, learns what is left as corrections of the bases (ridge regression), and the noise that unseen people
keep. Needs nothing but the package.
"""

from __future__ import annotations

import argparse
import logging
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from safetensors import safe_open
from scipy.linalg import lstsq

from hifi_portrait.fitting.landmark_model import (
    FITTED_EXPRESSIONS,
    IRISES,
    NUM_LANDMARKS,
    Correction,
    Correspondence,
    LandmarkModel,
    LandmarkNoise,
)
from hifi_portrait.head import HeadGeometry, HeadModel, Part
from hifi_portrait.head.asset import DEFAULT_ASSET, save_asset

log = logging.getLogger("calibrate_head")

NOISE_RANK = 120
FOLDS = 6
RIDGE = 40.0
PRIOR = (2.0, 0.3, 2.0)  # sizes of the shifts by identity, expression and gaze
WORST = 4.0  # mm: photos whose median error is larger are failures of the detector
LOSS_BEND = 3.0  # mm: errors beyond count linearly


def barycentric_grid(steps: int) -> np.ndarray:
    """Barycentric coordinates (G, 3) of a grid over a triangle."""
    cells = [(a, b, steps - a - b) for a in range(steps + 1) for b in range(steps + 1 - a)]
    return np.array(cells, np.float32) / steps


GRID, FINE_GRID = barycentric_grid(6), barycentric_grid(16)


@dataclass
class Records:
    """Rendered photos whose landmarks were found.

    ``person`` (N,), ``vertices`` (N, V, 3) in camera space, ``landmarks`` (N, 478, 3) in pixels, and their
    ``geometries``.
    """

    person: np.ndarray
    vertices: np.ndarray
    landmarks: np.ndarray
    geometries: list[HeadGeometry]

    def save(self, path: Path) -> None:
        fields = [geometry.to_dict() for geometry in self.geometries]
        stacked = {name: np.stack([field[name] for field in fields]) for name in fields[0]}
        np.savez(path, person=self.person, vertices=self.vertices, landmarks=self.landmarks, **stacked)

    @classmethod
    def load(cls, path: Path) -> Self:
        with np.load(path) as file:
            arrays = {name: file[name] for name in file.files}
        names = ("identity", "expression", "rotation", "translation", "gaze", "camera")
        count = len(arrays["person"])
        geometries = [HeadGeometry.from_dict({n: arrays[n][i] for n in names}) for i in range(count)]
        return cls(arrays["person"], arrays["vertices"], arrays["landmarks"], geometries)

    @classmethod
    def render(cls, people: int, photos: int, first_seed: int) -> Self:
        """Photograph synthetic people at 256 px and detect their landmarks."""
        from hifi_portrait.synthetic import Person, PhotoSetup, photograph

        detector = face_mesh()
        rows, missed = [], 0
        for seed in range(first_seed, first_seed + people):
            person = Person.sample(seed)
            for k in range(photos):
                shot = photograph(person, PhotoSetup.sample(seed * 1000 + k), size=256)
                points = detect_landmarks(detector, shot.image)
                if points is None:
                    missed += 1
                    continue
                rows.append((seed, shot.truth.vertices, points, shot.truth.geometry))
            if seed % 25 == 0:
                log.info("%d photos, %d without a face", len(rows), missed)
        seeds, vertices, points, geometries = zip(*rows, strict=True)
        return cls(np.array(seeds), np.stack(vertices), np.stack(points), list(geometries))

    @classmethod
    def from_dataset(cls, path: Path, people: int, first: int = 0) -> Self:
        """Detect the landmarks of a data set's photos whose truth is known, of ``people`` people."""
        from hifi_portrait.dataset.format import IDDataset

        detector = face_mesh()
        model, dataset = HeadModel.load(), IDDataset(path)
        rows = []
        for number, identity in enumerate(list(dataset.identities)[first : first + people]):
            for index in dataset.identities[identity]:
                photo = dataset[index]
                points = detect_landmarks(detector, photo.pixels())
                if points is not None and photo.truth is not None:
                    rows.append((number, model.posed(photo.truth), points, photo.truth))
        persons, vertices, points, geometries = zip(*rows, strict=True)
        return cls(np.array(persons), np.stack(vertices), np.stack(points), list(geometries))

    @property
    def pixels(self) -> np.ndarray:
        """Projected vertices (N, V, 2)."""
        pairs = zip(self.vertices, self.geometries, strict=True)
        return np.stack([geometry.camera.project(vertices) for vertices, geometry in pairs]).astype(
            np.float32
        )

    @property
    def millimetres(self) -> np.ndarray:
        """Size of a pixel at the face's depth, (N,)."""
        return np.array([1e3 * g.translation[1] / g.camera.focal for g in self.geometries])


def face_mesh() -> object:
    """The landmark detector, set to find the faces of rendered people too."""
    import mediapipe

    return mediapipe.solutions.face_mesh.FaceMesh(
        static_image_mode=True, refine_landmarks=True, max_num_faces=1, min_detection_confidence=0.3
    )


def detect_landmarks(detector: object, image: np.ndarray) -> np.ndarray | None:
    """FaceMesh's landmarks (478, 3) in pixels, or None where it finds no face."""
    found = detector.process(image).multi_face_landmarks
    if not found:
        return None
    height, width = image.shape[:2]
    return np.array([(p.x * width, p.y * height, p.z * width) for p in found[0].landmark], np.float32)


def find_correspondence(model: HeadModel, records: Records) -> Correspondence:
    """Surface point of each landmark: the one that is nearest to it over all photos, in a robust mean."""
    pixels, detected = records.pixels, records.landmarks[:, :, :2]
    scale = records.millimetres[:, None]
    mean = model.mean[: model.num_vertices]
    skin = model.triangles[model.parts == Part.SKIN]
    front = np.unique(skin)
    front = front[(mean[front, 1] < 0.02) & (mean[front, 2] > -0.14)]
    part_faces = {part: np.flatnonzero(model.parts == part) for part in (0, 1, 2)}
    eyes = model.eye_vertices
    triangles, weights = np.zeros(NUM_LANDMARKS, np.int64), np.zeros((NUM_LANDMARKS, 3), np.float32)
    few = slice(None, None, max(1, len(pixels) // 8))
    for k in range(NUM_LANDMARKS):
        target = detected[:, k]
        part, candidates = 0, front
        if k >= IRISES[0]:
            away = [np.linalg.norm(pixels[:, eye].mean(1) - target, axis=1).mean() for eye in eyes]
            side = int(np.argmin(away))
            part, candidates = 1 + side, eyes[side]
            candidates = candidates[mean[candidates, 1] < model.mean[model.joint("eye.L"), 1]]
        distance = np.linalg.norm(pixels[few][:, candidates] - target[few, None], axis=2).mean(0)
        near = candidates[np.argsort(distance)[:200]]
        best = near[np.argsort(_robust_cost(pixels[:, near], target, scale))[:3]]
        faces = model.triangles[part_faces[part]]
        ring = np.isin(faces, np.unique(faces[np.isin(faces, best).any(1)])).any(1) & np.isin(
            faces, candidates
        ).all(1)
        chosen = np.flatnonzero(ring)
        points = np.einsum("gc,ntcd->ntgd", GRID, pixels[:, faces[chosen]], optimize=True)
        cost = _robust_cost(points.reshape(len(pixels), -1, 2), target, scale)
        row, cell = divmod(int(cost.argmin()), len(GRID))
        triangles[k], weights[k] = part_faces[part][chosen[row]], GRID[cell]
    return Correspondence(triangles, weights)


def symmetrise(model: HeadModel, found: Correspondence) -> Correspondence:
    """Move each landmark of the skin to the mean of its place and its partner's mirrored place."""
    mean = model.mean[: model.num_vertices]
    points = found.points(mean, model.triangles)[: IRISES[0]]
    mirrored = points * (-1, 1, 1)
    partner = np.linalg.norm(points[:, None] - mirrored[None], axis=2).argmin(1)
    mutual = partner[partner] == np.arange(len(partner))
    goal = np.where(mutual[:, None], (points + mirrored[partner]) / 2, points)
    skin = np.flatnonzero(model.parts == Part.SKIN)
    middle = mean[model.triangles[skin]].mean(1)
    triangle, weights = found.triangle.copy(), found.barycentric.copy()
    for k in np.flatnonzero(mutual):
        near = skin[np.argsort(np.linalg.norm(middle - goal[k], axis=1))[:16]]
        places = np.einsum("gc,tcd->tgd", FINE_GRID, mean[model.triangles[near]])
        distance = np.linalg.norm(places - goal[k], axis=2)
        row, cell = np.unravel_index(distance.argmin(), distance.shape)
        triangle[k], weights[k] = near[row], FINE_GRID[cell]
    log.info("%d of %d landmarks have a mirrored partner", mutual.sum(), len(mutual))
    return Correspondence(triangle, weights)


def _robust_cost(points: np.ndarray, target: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Mean Huber loss (C,) in mm of candidates (N, C, 2) against a landmark (N, 2)."""
    error = np.linalg.norm(points - target[:, None], axis=2) * scale
    return np.where(error < LOSS_BEND, 0.5 * error**2, LOSS_BEND * (error - 0.5 * LOSS_BEND)).mean(0)


class Residuals:
    """Landmark errors (N, 478, 2) in mm at the true geometry, once the translation fits best."""

    def __init__(self, seen: LandmarkModel, records: Records) -> None:
        count = len(records.geometries)
        self.identity = np.stack([g.identity for g in records.geometries]).astype(np.float64)
        self.gaze = np.radians([g.gaze for g in records.geometries])
        self.expression = np.zeros((count, len(FITTED_EXPRESSIONS)))
        self.axes = np.zeros((count, 2, 3))  # image right and down in head space
        self.error = np.zeros((count, NUM_LANDMARKS, 2))
        for i, geometry in enumerate(records.geometries):
            self.expression[i] = raw_expression(seen.model, geometry)
            rotation = geometry.rotation.astype(np.float64)
            self.axes[i] = rotation[0], -rotation[2]
            self.error[i] = self._error(seen, geometry, records.landmarks[i, :, :2], i)

    def of(self, rows: np.ndarray) -> Residuals:
        """Those of some photos."""
        chosen = copy(self)
        for name in ("identity", "gaze", "expression", "axes", "error"):
            setattr(chosen, name, getattr(self, name)[rows])
        return chosen

    def _error(self, seen: LandmarkModel, geometry: HeadGeometry, detected: np.ndarray, i: int) -> np.ndarray:
        points = seen.points(self.identity[i], self.expression[i], self.gaze[i])[0]
        turned = points @ geometry.rotation.T.astype(np.float64)
        place, camera = geometry.translation.astype(np.float64), geometry.camera
        trust = np.sqrt(seen.noise.precision)
        for _ in range(5):
            placed = turned + place
            error = (detected - camera.project(placed)).reshape(-1)
            gain = camera.focal / placed[:, 1]
            slope = np.zeros((NUM_LANDMARKS, 2, 3))
            slope[:, 0, 0], slope[:, 1, 2] = gain, -gain
            slope[:, 0, 1], slope[:, 1, 1] = (
                -gain * placed[:, 0] / placed[:, 1],
                gain * placed[:, 2] / placed[:, 1],
            )
            place = place + lstsq(slope.reshape(-1, 3) * trust[:, None], error * trust)[0]
        placed = turned + place
        return (detected - camera.project(placed)) * (1e3 * np.median(placed[:, 1]) / camera.focal)


def raw_expression(model: HeadModel, geometry: HeadGeometry) -> np.ndarray:
    closing = model.blink_scale(model.rest(geometry.identity))
    eye_gaze = model.eye_gaze(geometry.expression, geometry.gaze)
    return model.raw_expression(geometry.expression, eye_gaze, closing)[FITTED_EXPRESSIONS]


def learn_correction(
    residuals: Residuals, person: np.ndarray, amplitude: np.ndarray
) -> tuple[Correction, np.ndarray]:
    """Ridge regression of 3D shifts from 2D errors; also the errors (N, 478, 2) that unseen people keep.

    Validation on rendered people alone would choose larger shifts by expression, with which the expressions
    of real people are followed worse: part of what is learned is how the detector fails on rendered faces.

    Args:
        residuals: at the true geometries.
        person: (N,) whose photo each is; folds keep people apart.
        amplitude: (80,) size of the identity components, for the prior.
    """
    count = len(person)
    identity, expression, gaze = PRIOR
    scales = np.concatenate(
        [
            [3.0],
            identity * (amplitude / amplitude[0] + 0.05),
            np.full(len(FITTED_EXPRESSIONS), expression),
            np.full(2, gaze),
        ]
    )
    parts = [np.ones((count, 1)), residuals.identity, residuals.expression, residuals.gaze]
    features = np.concatenate(parts, axis=1) * scales
    design = np.einsum("nf,nid->nifd", features, residuals.axes).reshape(2 * count, -1)
    target = residuals.error.transpose(0, 2, 1).reshape(2 * count, NUM_LANDMARKS)
    fold = (np.unique(person, return_inverse=True)[1] % FOLDS).repeat(2)
    left = np.empty_like(target)
    for k in range(FOLDS):
        test = fold == k
        left[test] = target[test] - design[test] @ _ridge(design[~test], target[~test], RIDGE)
    shifts = _ridge(design, target, RIDGE).reshape(-1, 3, NUM_LANDMARKS).transpose(0, 2, 1)
    shifts = shifts * scales[:, None, None] * 1e-3
    first = 1 + len(amplitude)
    last = first + len(FITTED_EXPRESSIONS)
    correction = Correction(shifts[0], shifts[1:first], shifts[first:last], shifts[last:])
    return correction, left.reshape(count, 2, NUM_LANDMARKS).transpose(0, 2, 1)


def _ridge(design: np.ndarray, target: np.ndarray, strength: float) -> np.ndarray:
    gram = design.T @ design + strength * np.eye(design.shape[1])
    return np.linalg.solve(gram, design.T @ target)


def estimate_noise(
    residuals: np.ndarray, rank: int, floor: float = 0.5, bound: float = 12.0
) -> LandmarkNoise:
    """Noise from residuals (N, 478, 2) in mm; ``floor`` is added to every standard deviation."""
    flat = np.clip(residuals, -bound, bound).reshape(len(residuals), -1)
    bias = np.median(flat, axis=0)
    centred = flat - bias
    _, singular, directions = np.linalg.svd(centred / np.sqrt(len(flat)), full_matrices=False)
    factor = directions[:rank].T * singular[:rank]
    variance = np.maximum((centred**2).mean(0) - (factor**2).sum(1), 0) + floor**2
    return LandmarkNoise(bias, 1 / variance, factor)


def calibrate(model: HeadModel, records: Records) -> dict[str, np.ndarray]:
    """The asset's landmark tensors."""
    correspondence = symmetrise(model, find_correspondence(model, records))
    points = correspondence.points(records.pixels, model.triangles)
    plain = (records.landmarks[:, :, :2] - points) * records.millimetres[:, None, None]
    log.info("surface points: median error %.2f mm", np.median(np.linalg.norm(plain, axis=2)))
    seen = LandmarkModel(model, correspondence, Correction.none(), estimate_noise(plain, NOISE_RANK))
    residuals = Residuals(seen, records)
    log.info("at the true geometry: median error %.2f mm", np.median(np.linalg.norm(residuals.error, axis=2)))
    kept = np.median(np.linalg.norm(residuals.error, axis=2), axis=1) < WORST
    log.info("%d photos where the detector failed are left out", len(kept) - kept.sum())
    amplitude = np.linalg.norm(seen.identity, axis=(1, 2))
    correction, left = learn_correction(residuals.of(kept), records.person[kept], amplitude)
    log.info("corrected, unseen people: median error %.2f mm", np.median(np.linalg.norm(left, axis=2)))
    noise = estimate_noise(left, NOISE_RANK)
    return {**correspondence.to_tensors(), **correction.to_tensors(), **noise.to_tensors()}


def store(path: Path, calibration: dict[str, np.ndarray]) -> None:
    with safe_open(path, framework="numpy") as file:
        metadata = dict(file.metadata())
        kept = [name for name in file.keys() if not name.startswith(("landmarks.", "noise."))]  # noqa: SIM118
        tensors = {name: file.get_tensor(name) for name in kept}
    save_asset(path, {**tensors, **calibration}, metadata)
    log.info("%s: %.2f MB", path, path.stat().st_size / 1e6)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=400)
    parser.add_argument("--photos", type=int, default=6)
    parser.add_argument("--skip", type=int, default=0, help="people of the data set to leave to measurement")
    parser.add_argument("--first-seed", type=int, default=3_000_000)
    parser.add_argument(
        "--dataset", type=Path, help="data set of synthetic people to read instead of rendering"
    )
    parser.add_argument("--records", type=Path, help="npz to read rendered photos from, or to write them to")
    parser.add_argument("--out", type=Path, default=DEFAULT_ASSET)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    if arguments.records and arguments.records.exists():
        records = Records.load(arguments.records)
    elif arguments.dataset:
        records = Records.from_dataset(arguments.dataset, arguments.people, arguments.skip)
    else:
        records = Records.render(arguments.people, arguments.photos, arguments.first_seed)
    if arguments.records and not arguments.records.exists():
        records.save(arguments.records)
    log.info("%d photos of %d people", len(records.person), len(np.unique(records.person)))
    store(arguments.out, calibrate(HeadModel.load(arguments.out), records))


if __name__ == "__main__":
    main()
