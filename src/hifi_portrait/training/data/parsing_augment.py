"""Labelled photos made as varied as real ones: colours and textures of regions, light, camera, framing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import cv2
import numpy as np
from scipy.spatial import cKDTree

from hifi_portrait.faces.geometry import crop_square, pixel_affine, square_transform, transform_points
from hifi_portrait.faces.labels import FaceLabel
from hifi_portrait.faces.parsing_inputs import PARSING_SIZE
from hifi_portrait.fitting.landmark_model import LandmarkModel
from hifi_portrait.head.arrays import Array, ByteArray, FloatArray, IntArray
from hifi_portrait.training.data.augment import compress, expose, shrink
from hifi_portrait.training.data.labelled_photos import LabelledPhoto
from hifi_portrait.training.data.occluders import occlude, random_texture


@dataclass(frozen=True, kw_only=True)
class ParsingAugmentation:
    """How often and how far labelled photos are changed; shares are in [0, 1]."""

    recoloured: tuple[float, float, float, float] = (0.65, 0.5, 0.5, 0.5)
    """Shares of photos whose hair, clothes, headwear and background get another colour and texture."""

    locks: float = 0.25
    """Share of photos that get locks of hair over the face, or hair down to the shoulders."""

    occluded: float = 0.3
    """Share of photos with something before the face."""

    plain_matte: float = 0.04
    """Share of photos with a matte that is 1 everywhere, as where matting failed."""

    turned: float = 8.0
    """Standard deviation of the picture's turn, degrees."""

    scaled: float = 0.10
    """Standard deviation of the logarithm of the crop's scale."""

    shifted: float = 0.04
    """Standard deviation of the crop's shift, as a fraction of its side."""

    landmark_error: float = 0.004
    """Standard deviation of the landmarks' error as a whole, as a fraction of the crop's side."""

    forehead: tuple[float, float] = (0.55, 1.2)
    """Range of the factor by which the landmarks' forehead is made higher, so that it does not tell where the
    hair begins: rendered hairlines vary less than those of people."""


_NATURAL_HAIR = np.array(
    (
        (18, 15, 14),
        (40, 28, 22),
        (75, 50, 34),
        (120, 85, 55),
        (175, 140, 95),
        (215, 190, 150),
        (150, 70, 35),
        (125, 122, 120),
        (205, 203, 200),
    ),
    np.float32,
)
"""Colours of black, brown, blond, red, grey and white hair, sRGB."""

_CROPPED = 0.15
"""Share of recoloured hair that is cropped close: skin shows through it."""

_SURROUNDED = (FaceLabel.HAIR, FaceLabel.CLOTHES, FaceLabel.HEADWEAR, FaceLabel.BACKGROUND)


def augment(photo: LabelledPhoto, settings: ParsingAugmentation, rng: np.random.Generator) -> LabelledPhoto:
    """Crop a photo as analysis would, and change it; a new photo of `PARSING_SIZE` pixels a side."""
    seen = _reframe(photo, settings, rng)
    image, labels, matte = seen.image.astype(np.float32), seen.labels, seen.matte
    for label, share in zip(_SURROUNDED, settings.recoloured, strict=True):
        if rng.random() < share:
            image = _recolour(image, labels, label, rng)
    if rng.random() < settings.locks:
        image, labels, matte = _add_locks(image, labels, matte, seen.landmarks, rng)
    if rng.random() < settings.occluded:
        image, labels, matte = occlude(image, labels, matte, seen.landmarks[:, :2], rng)
    return replace(
        seen,
        image=_photograph_again(image, rng),
        labels=labels,
        matte=_disturb_matte(matte, settings, rng),
        landmarks=_disturb_landmarks(seen.landmarks, settings, rng),
    )


def frame(photo: LabelledPhoto) -> LabelledPhoto:
    """Crop a photo as analysis would, and change nothing else."""
    centre, side = crop_square(photo.landmarks)
    return _resample(photo, square_transform(centre, side, PARSING_SIZE))


def _reframe(photo: LabelledPhoto, settings: ParsingAugmentation, rng: np.random.Generator) -> LabelledPhoto:
    if rng.random() < 0.5:
        photo = _mirror(photo)
    centre, side = crop_square(photo.landmarks)
    centre = centre + rng.normal(0, settings.shifted, 2) * side
    side = side * float(np.exp(rng.normal(0, settings.scaled)))
    return _resample(photo, square_transform(centre, side, PARSING_SIZE, rng.normal(0, settings.turned)))


def _mirror(photo: LabelledPhoto) -> LabelledPhoto:
    landmarks = photo.landmarks * (-1, 1, 1) + (len(photo.image), 0, 0)
    order = _mirrored_landmarks()
    return LabelledPhoto(
        photo.image[:, ::-1],
        photo.labels[:, ::-1],
        photo.matte[:, ::-1],
        landmarks[order].astype(np.float32),
    )


@cache
def _mirrored_landmarks() -> IntArray:
    """For each landmark (478,) the one at its mirror image on the mean head."""
    mean = LandmarkModel.load().mean
    return np.asarray(cKDTree(mean).query(mean * (-1, 1, 1))[1], np.int64)


def _resample(photo: LabelledPhoto, transform: Array) -> LabelledPhoto:
    """Cut a square of `PARSING_SIZE` pixels out; edges are replicated outwards, as crops' are."""
    size, affine = (PARSING_SIZE, PARSING_SIZE), pixel_affine(transform)

    def warp(values: Array, interpolation: int) -> Array:
        return np.asarray(
            cv2.warpAffine(
                np.ascontiguousarray(values),
                affine,
                size,
                flags=interpolation,
                borderMode=cv2.BORDER_REPLICATE,
            )
        )

    scale = float(np.sqrt(abs(np.linalg.det(transform[:2, :2]))))
    image = photo.image
    if scale < 0.7:  # what is left out between pixels would alias
        image = np.asarray(cv2.GaussianBlur(np.ascontiguousarray(image), (0, 0), 0.35 / scale), np.uint8)
    return LabelledPhoto(
        warp(image, cv2.INTER_LINEAR),
        warp(photo.labels, cv2.INTER_NEAREST),
        warp(photo.matte, cv2.INTER_LINEAR),
        transform_points(photo.landmarks, transform),
    )


def _recolour(image: FloatArray, labels: Array, label: FaceLabel, rng: np.random.Generator) -> FloatArray:
    """Give a region another colour, contrast, softness and texture."""
    region = labels == label
    if label == FaceLabel.HAIR and rng.random() < 0.8:
        region |= labels == FaceLabel.BEARD
    if region.sum() < 30:
        return image
    size = len(labels)
    soft = cv2.GaussianBlur(region.astype(np.float32), (0, 0), rng.uniform(0.5, 1.2))[..., None]
    own = image[region].mean(axis=0)
    kept = image
    if rng.random() < 0.4:
        kept = np.asarray(cv2.GaussianBlur(image, (0, 0), rng.uniform(0.5, 2.5)))
    if label == FaceLabel.HAIR:
        colour = _NATURAL_HAIR[rng.integers(len(_NATURAL_HAIR))] * np.exp(rng.normal(0, 0.2))
        colour = colour * np.exp(rng.normal(0, 0.08, 3))
        if rng.random() < 0.15:
            colour = rng.uniform(0, 255, 3)
    else:
        colour = rng.uniform(0, 255, 3)
    if rng.random() < 0.08:  # as like the skin as may be
        skin = image[labels == FaceLabel.SKIN]
        colour = skin.mean(axis=0) * np.exp(rng.normal(0, 0.15)) if len(skin) else colour
    if rng.random() < 0.25:
        colour = own
    if label == FaceLabel.HAIR and rng.random() < _CROPPED:
        skin = image[labels == FaceLabel.SKIN]
        colour = skin.mean(axis=0) * rng.uniform(0.3, 0.8) if len(skin) else colour
    gain = float(colour.mean() + 20) / float(own.mean() + 20) * np.exp(rng.normal(0, 0.3))
    painted = colour + (kept - own) * np.clip(gain, 0.3, 3)
    if rng.random() < 0.6:
        texture = random_texture(size, rng, np.full(3, 128.0)) - 128
        strength = rng.uniform(0.1, 0.6) if label == FaceLabel.HAIR else rng.uniform(0.2, 1.2)
        painted = painted + texture * strength * (colour.mean() + 30) / 128
    return np.asarray(np.clip(image + soft * (painted - image), 0, 255), np.float32)


def _add_locks(
    image: FloatArray, labels: ByteArray, matte: FloatArray, landmarks: FloatArray, rng: np.random.Generator
) -> tuple[FloatArray, ByteArray, FloatArray]:
    """Draw locks of the person's own hair: over forehead and cheeks, beside the neck, over the shoulders."""
    hair = np.argwhere(labels == FaceLabel.HAIR)
    if len(hair) < 100:
        return image, labels, matte
    size = len(labels)
    top = landmarks[10, 1] + rng.uniform(0, 0.06) * size
    roots = hair[hair[:, 0] < top]
    if len(roots) < 20:
        return image, labels, matte
    mask: Array = np.zeros((size, size), np.float32)
    length, lean = rng.uniform(0.08, 0.6) * size, rng.normal(0, 0.25)
    side = rng.choice((-1, 0, 1))
    across = (roots[:, 1] - landmarks[1, 0]) * side
    roots = roots[across >= np.percentile(across, 60 if side else 0)]
    for _ in range(rng.integers(4, 40)):
        row, column = roots[rng.integers(len(roots))]
        t = np.linspace(0, 1, 8)
        bend = rng.normal(0, 0.04) * size
        x = column + lean * length * t + bend * np.sin(np.pi * t) + 0.06 * side * size * t
        y = row + length * rng.uniform(0.6, 1.1) * t
        points = np.rint(np.stack([x, y], 1) * 8).astype(np.int32)
        cv2.polylines(mask, [points], False, 1.0, int(rng.integers(1, 6)), cv2.LINE_AA, 3)
    own = image[labels == FaceLabel.HAIR]
    streaks = random_texture(size, rng, own.mean(axis=0))
    painted = np.clip(0.5 * streaks + 0.5 * own[rng.integers(len(own), size=(size, size))], 0, 255)
    painted = cv2.GaussianBlur(painted.astype(np.float32), (0, 0), rng.uniform(0.4, 1.5))
    over = labels != FaceLabel.HEADWEAR
    alpha = cv2.GaussianBlur(mask, (0, 0), rng.uniform(0.3, 0.8)) * over
    image = image + alpha[..., None] * (painted - image)
    labels = np.where(alpha > 0.5, np.uint8(FaceLabel.HAIR), labels)
    return image, labels, np.asarray(np.maximum(matte, alpha), np.float32)


def _photograph_again(image: FloatArray, rng: np.random.Generator) -> ByteArray:
    """Change light and colour as a whole and degrade the picture as cameras and files do."""
    pixels: Array = np.clip(image, 0, 255) / np.float32(255)
    size = len(pixels)
    if rng.random() < 0.3:  # light from one side, or a shadow's edge
        heading = rng.uniform(0, 2 * np.pi)
        row, column = np.mgrid[0:size, 0:size].astype(np.float32) / size - 0.5
        ramp = np.cos(heading) * column + np.sin(heading) * row + rng.normal(0, 0.2)
        pixels = pixels * (1 + rng.uniform(0.2, 0.9) * np.tanh(ramp * rng.uniform(1, 8)))[..., None]
    pixels = expose(pixels, gain=np.exp(rng.normal(0, 0.18)), gamma=np.exp(rng.normal(0, 0.22)))
    pixels = pixels * np.exp(rng.normal(0, 0.08, 3)).astype(np.float32)
    grey = pixels.mean(axis=2, keepdims=True)
    saturation = 0.0 if rng.random() < 0.08 else np.exp(rng.normal(0, 0.3))
    pixels = grey + (pixels - grey) * np.float32(saturation)
    if rng.random() < 0.4:
        pixels = cv2.GaussianBlur(pixels, (0, 0), rng.uniform(0.3, 1.6))
    if rng.random() < 0.2:
        pixels = shrink(pixels, scale=rng.uniform(0.3, 0.9))
    if rng.random() < 0.3:  # sharpened, as phones do
        pixels = pixels + rng.uniform(0.2, 1.2) * (pixels - cv2.GaussianBlur(pixels, (0, 0), 1.0))
    if rng.random() < 0.5:
        pixels = pixels + rng.normal(0, rng.gamma(2.0, 0.008), pixels.shape)
    degraded = np.rint(np.clip(pixels, 0, 1) * 255).astype(np.uint8)
    return compress(degraded, quality=int(rng.integers(25, 96))) if rng.random() < 0.4 else degraded


def _disturb_matte(matte: FloatArray, settings: ParsingAugmentation, rng: np.random.Generator) -> FloatArray:
    """Make further mistakes of matting: a shifted edge, softness, a hole or something beside the person."""
    if rng.random() < settings.plain_matte:
        return np.ones_like(matte)
    size = len(matte)
    disturbed: Array = matte
    if rng.random() < 0.5:
        disturbed = cv2.GaussianBlur(disturbed, (0, 0), rng.uniform(0.5, 3.0))
        disturbed = 0.5 + (disturbed - rng.uniform(0.3, 0.7)) * rng.uniform(1.0, 4.0)
    if rng.random() < 0.25:
        spot: Array = np.zeros((size, size), np.float32)
        place = tuple(float(v) for v in rng.uniform(0, size, 2))
        axes = tuple(float(v) for v in rng.uniform(0.04, 0.3, 2) * size)
        cv2.ellipse(spot, (place, axes, rng.uniform(0, 180)), 1.0, -1)
        spot = cv2.GaussianBlur(spot, (0, 0), rng.uniform(0.5, 4))
        disturbed = disturbed + spot * rng.choice((-1.0, 1.0)) * rng.uniform(0.3, 1.0)
    return np.clip(disturbed, 0, 1).astype(np.float32)


def _disturb_landmarks(
    landmarks: FloatArray, settings: ParsingAugmentation, rng: np.random.Generator
) -> FloatArray:
    """Move landmarks as a whole, stretch them a little about their middle, and their forehead more."""
    brows = landmarks[[105, 334], :2].mean(axis=0)
    up = landmarks[10, :2] - landmarks[152, :2]
    up = up / max(float(np.linalg.norm(up)), 1e-6)
    above = np.clip((landmarks[:, :2] - brows) @ up, 0, None)
    landmarks = landmarks.copy()
    landmarks[:, :2] += ((rng.uniform(*settings.forehead) - 1) * above)[:, None] * up
    middle = landmarks.mean(axis=0)
    scale = np.exp(rng.normal(0, 0.02, 3))
    shift = rng.normal(0, settings.landmark_error, 3) * PARSING_SIZE
    return np.asarray((landmarks - middle) * scale + middle + shift, np.float32)
