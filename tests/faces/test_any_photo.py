"""Photos as people have them: turned, of small faces, from the side, noisy, compressed."""

from __future__ import annotations

from io import BytesIO

import cv2
import numpy as np
import pytest
from PIL import Image

from hifi_portrait.errors import NoFaceError
from hifi_portrait.faces import Face, analyse, analyse_all
from hifi_portrait.faces.confirm import is_profile
from hifi_portrait.faces.geometry import upright_turn
from hifi_portrait.faces.protocols import Detection


@pytest.fixture(scope="module")
def face(portrait: np.ndarray) -> Face:
    return analyse(portrait)


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_photo_turned_without_a_word_gives_an_upright_face(portrait: np.ndarray, face: Face, turns: int):
    turned = analyse(np.ascontiguousarray(np.rot90(portrait, turns)))
    assert np.abs(turned.crop_landmarks[:, :2] - face.crop_landmarks[:, :2]).mean() < 2
    assert np.abs(turned.crop.astype(int) - face.crop).mean() < 4
    assert turned.similarity(face) > 0.99


@pytest.mark.parametrize(
    ("angle", "turns"), [(0, 0), (45, 0), (59, 0), (75, 1), (-90, 3), (179, 2), (130, 2)]
)
def test_leaning_heads_are_not_taken_for_turned_photos(face: Face, angle: float, turns: int):
    cos, sin = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    leaning = face.landmarks.copy()
    leaning[:, :2] = leaning[:, :2] @ np.array([[cos, sin], [-sin, cos]])
    found = upright_turn(leaning)[:2, :2]
    right = [(1, 0), (0, 1), (-1, 0), (0, -1)][turns]
    np.testing.assert_allclose(found[0], right, atol=1e-9)


def _large_photo(portrait: np.ndarray, near: np.ndarray | None) -> np.ndarray:
    """A photo of 4000 x 3000 pixels with a face 100 pixels wide, and perhaps a near one."""
    noise = np.random.default_rng(0).normal(0, 3, (750, 1000, 3))
    photo = cv2.resize((np.array([90, 110, 130]) + noise).astype(np.uint8), (4000, 3000))
    photo[1600:1860, 2700:2960] = cv2.resize(portrait, (260, 260), interpolation=cv2.INTER_AREA)
    if near is not None:
        photo[300:2300, 200:2200] = cv2.resize(near, (2000, 2000))
    return photo


def test_a_face_of_100_pixels_in_a_large_photo(portrait: np.ndarray, face: Face):
    (small,) = analyse_all(_large_photo(portrait, None))
    assert 60 < small.box[2] - small.box[0] < 120
    assert small.similarity(face) > 0.95


def test_a_small_face_beside_a_near_one(portrait: np.ndarray, other_portrait: np.ndarray, face: Face):
    near, small = analyse_all(_large_photo(portrait, other_portrait))
    assert near.box[2] - near.box[0] > 500
    assert small.similarity(face) > 0.95


def test_a_face_seen_from_the_side_is_told_by_its_eyes():
    def detection(eyes: float, score: float) -> Detection:
        keypoints = np.array([[40.0, 40], [40 + eyes, 41], [60, 60]])
        return Detection(np.array([0.0, 0, 100, 100]), keypoints, score)

    assert is_profile(detection(12, 0.9))
    assert not is_profile(detection(40, 0.9))
    assert not is_profile(detection(12, 0.5))


def test_a_profile_is_refused_by_that_name(portrait: np.ndarray, monkeypatch: pytest.MonkeyPatch):
    from hifi_portrait.faces.analyser import default_analyser

    aside = Detection(np.array([50.0, 50, 200, 200]), np.array([[90.0, 90], [100, 90]]), 0.9)
    analyser = default_analyser().__class__(detector=lambda _: [aside], landmarker=lambda *_: None)
    with pytest.raises(NoFaceError, match="seen from the side"):
        analyser.analyse(portrait)


def _jpeg(picture: np.ndarray, quality: int) -> np.ndarray:
    stream = BytesIO()
    Image.fromarray(picture).save(stream, "JPEG", quality=quality)
    return np.array(Image.open(stream))


@pytest.mark.parametrize(("quality", "least", "most"), [(95, 0.97, 1.01), (8, 0.2, 0.7), (4, 0, 0.3)])
def test_compression_counts(portrait: np.ndarray, face: Face, quality: int, least: float, most: float):
    assert least < analyse(_jpeg(portrait, quality)).quality / face.quality < most


@pytest.mark.parametrize(("noise", "least", "most"), [(2, 0.97, 1.01), (12, 0.6, 0.97), (25, 0.2, 0.7)])
def test_noise_counts(portrait: np.ndarray, face: Face, noise: float, least: float, most: float):
    added = np.random.default_rng(0).normal(0, noise, portrait.shape)
    noisy = (portrait + added).clip(0, 255).astype(np.uint8)
    assert least < analyse(noisy).quality / face.quality < most
