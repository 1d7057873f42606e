"""Painted heads as references: photos whose colours at every place on the surface are known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hifi_portrait.fitting.landmark_model import LandmarkModel
from hifi_portrait.head.geometry import Camera, HeadGeometry, HeadPose
from hifi_portrait.head.model import HeadModel
from hifi_portrait.head.raster import rasterise
from hifi_portrait.landmarks import LandmarkImage
from hifi_portrait.person.references import References


def geometry(yaw: float = 0.0, size: int = 64, seed: int = 0, **expression: float) -> HeadGeometry:
    """A head of the person `seed`, in the middle of a square picture."""
    from hifi_portrait.head.geometry import EXPRESSION_NAMES

    coefficients = np.zeros(52, np.float32)
    for name, value in expression.items():
        coefficients[EXPRESSION_NAMES.index(name)] = value
    identity = np.random.default_rng(seed).normal(size=80).astype(np.float32) * 0.5
    camera = Camera.from_fov(size)
    return HeadGeometry(
        identity, coefficients, HeadPose(yaw).matrix(), np.array([0, 1.6, 0]), np.zeros(2), camera
    )


def paint(model: HeadModel, head: HeadGeometry) -> LandmarkImage:
    """Draw a head in colours that are a smooth function of the place on its surface."""
    vertices = model.posed(head)
    camera = head.camera
    raster = rasterise(
        camera.project(vertices), 1 / vertices[:, 1], model.triangles, camera.height, camera.width
    )
    coordinates = raster.interpolate(model.canonical, model.triangles)
    image = np.where(raster.mask[..., None], coordinates * 90 + 130, 20).astype(np.uint8)
    return LandmarkImage(image, coordinates, raster.mask, raster, head, vertices)


def landmarks_of(heads: Sequence[HeadGeometry]) -> np.ndarray:
    """Landmarks (N, 478, 3) as the detector would find them, without their depth."""
    places = np.stack([LandmarkModel.load().predict_pixels(head) for head in heads])
    return np.concatenate([places, np.zeros((*places.shape[:2], 1))], axis=2).astype(np.float32)


def person(yaws: tuple[float, ...] = (-25.0, 25.0), size: int = 64, seed: int = 0) -> References:
    """Painted photos of one person, one for each yaw in degrees."""
    model = HeadModel.load()
    heads = [geometry(yaw, size, seed) for yaw in yaws]
    pictures = [paint(model, head) for head in heads]
    rng = np.random.default_rng(seed)
    embedding = rng.normal(size=(len(yaws), 128)).astype(np.float32)
    return References(
        crops=np.stack([picture.image for picture in pictures]),
        mattes=np.stack([picture.mask for picture in pictures]).astype(np.float32),
        embeddings=embedding / np.linalg.norm(embedding, axis=1, keepdims=True),
        quality=np.linspace(0.6, 1, len(yaws), dtype=np.float32),
        geometries=tuple(heads),
        landmarks=landmarks_of(heads),
    )
