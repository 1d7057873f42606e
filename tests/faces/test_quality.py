"""The quality of a photo of a face: what spoils it counts, the more the worse it is."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from hifi_portrait.faces import Face, analyse, load_image
from hifi_portrait.faces.quality import FaceQuality, face_quality, face_view
from hifi_portrait.faces.recogniser import align_chip


@pytest.fixture(scope="module")
def face(portrait: np.ndarray) -> Face:
    return analyse(portrait)


def blur(picture: np.ndarray, sigma: float) -> np.ndarray:
    """Blur by a standard deviation in pixels of a photo 640 pixels high."""
    return cv2.GaussianBlur(picture, (0, 0), sigma * len(picture) / 640)


def darken(picture: np.ndarray, gain: float) -> np.ndarray:
    return (picture * gain + 0.5).astype(np.uint8)


def add_noise(picture: np.ndarray, deviation: float) -> np.ndarray:
    noise = np.random.default_rng(0).normal(0, deviation, picture.shape)
    return (picture + noise).clip(0, 255).astype(np.uint8)


def compress(picture: np.ndarray, quality: int) -> np.ndarray:
    stream = BytesIO()
    Image.fromarray(picture).save(stream, "JPEG", quality=quality)
    return np.array(Image.open(stream))


def enlarge(picture: np.ndarray, times: float) -> np.ndarray:
    """Shrink and enlarge again."""
    height, width = picture.shape[:2]
    small = cv2.resize(picture, None, fx=1 / times, fy=1 / times, interpolation=cv2.INTER_AREA)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)


WORSE = {
    "blur": (blur, (1, 2, 3, 5)),
    "darkness": (darken, (0.5, 0.3, 0.15, 0.08)),
    "noise": (add_noise, (6, 12, 25, 50)),
    "compression": (compress, (30, 20, 10, 3)),
}
"""What spoils photos, from weak to strong."""

SPOILT = [(blur, 3), (darken, 0.15), (add_noise, 25), (compress, 10), (compress, 3)]


def rate(picture: np.ndarray, face: Face) -> FaceQuality:
    """Rate a changed photo of a face; where it is does not change."""
    chip, view = align_chip(picture, face.landmarks), face_view(picture, face.box)
    return face_quality(chip, face.landmarks, 400, 0.95, view)


@pytest.mark.parametrize("kind", WORSE)
def test_what_is_worse_counts_less(portrait: np.ndarray, face: Face, kind: str):
    change, strengths = WORSE[kind]
    scores = [rate(change(portrait, strength), face).score for strength in strengths]
    assert rate(portrait, face).score > scores[0] - 0.01
    assert (np.diff(scores) < 0).all()


@pytest.mark.parametrize(("change", "strength"), SPOILT)
def test_a_spoilt_photo_counts_little(portrait: np.ndarray, face: Face, change, strength: float):
    assert rate(portrait, face).score > 0.85
    assert rate(change(portrait, strength), face).score < 0.6


def test_noise_is_no_sharpness(portrait: np.ndarray, face: Face):
    soft = blur(portrait, 4)
    assert rate(add_noise(soft, 12), face).sharpness < 0.8


def test_sharpness_is_that_of_the_face_not_of_its_pixels(portrait: np.ndarray, face: Face):
    """A photo twice as large may be blurred by twice as many pixels."""
    large = cv2.resize(portrait, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    chips = [align_chip(picture, face.landmarks * scale) for picture, scale in ((portrait, 1), (large, 2))]
    soft = align_chip(cv2.GaussianBlur(large, (0, 0), 3), face.landmarks * 2)
    small, same, blurred = (face_quality(chip, face.landmarks, 400, 0.95) for chip in (*chips, soft))
    assert same.sharpness == pytest.approx(small.sharpness, abs=0.15)
    assert blurred.sharpness < 0.6


def test_blocks_count_wherever_they_begin(portrait: np.ndarray, face: Face):
    blocky = compress(portrait, 8)
    cut = face_view(blocky[3:, 5:], face.box - np.array([5, 3, 5, 3], np.float32))
    assert face_quality(face.aligned, face.landmarks, 400, 0.95, cut).compression == pytest.approx(
        rate(blocky, face).compression, abs=0.1
    )


def test_real_photos_are_good_and_worse_when_spoilt(photos_dir: Path):
    folders = sorted(path for path in photos_dir.iterdir() if path.is_dir())[:4]
    clean, spoilt = [], []
    for folder in folders:
        photo = load_image(sorted(folder.glob("*.jpg"))[0])
        face = analyse(photo)
        clean.append(face.quality)
        changes = (*SPOILT, (enlarge, 8))
        spoilt += [rate(change(photo, strength), face).score for change, strength in changes]
    assert np.median(clean) > 0.85
    assert max(spoilt) < 0.7 and np.median(spoilt) < 0.5
