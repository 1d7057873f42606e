"""How far a photo of a face can be trusted, as one number."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from hifi_portrait.faces.geometry import face_axes
from hifi_portrait.faces.recogniser import chip_transform
from hifi_portrait.head.arrays import ByteArray, FloatArray

_NEIGHBOURS = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)

_MEDIAN_OF_NORMAL = 0.6745
"""Median of the absolute value of a normally distributed number, in standard deviations."""

# The limits below were chosen on every second of 51 real people, photographed at 640 pixels, and hold for the
# others: `python benchmarks/covered_faces.py quality --photos DIR`.

_FINE_BLUR, _COARSE_BLURS = 0.8, (1.6, 3.2)
"""Standard deviations in pixels of the chip: detail finer than the first, and between the other two."""

_FINE_TO_COARSE = (0.14, 0.40)
"""Fine detail as a fraction of coarse detail between which sharpness grows from 0 to 1.

It is .5 in photos that are sharp, .37 after a blur of 1 pixel of 640, .22 after one of 3 pixels."""

_LEAST_CONTRAST = 16.0
"""Standard deviation of the face's brightness, of 255, from which on contrast is full."""

_DARK, _BURNT = 12, 246
"""Brightness, of 255, of what is too dark or too bright to show anything."""

_HARMLESS_NOISE, _NOISE_RANGE = 3.0, 26.0
"""Standard deviation of noise, of 255, that costs nothing, and how much more of it costs everything."""

_SMOOTH_FRACTION = 0.6
"""Of the face, the fraction that changes least over `_SMOOTH_REACH` pixels: there JPEG's blocks are seen."""

_SMOOTH_REACH = 3.0
"""Pixels, a standard deviation."""

_NOISE_AVERAGED, _NOISE_KEPT, _NOISE_ENLARGED = 0.47, 0.55, 0.68
"""White noise of 1 in a photo that is left in the chip's fine detail: times the chip's scale where pixels
are averaged; where they are not; and divided by the scale where they are enlarged. Measured on noise
that `cut_out` resampled."""

_AVERAGED_BELOW = 0.7
"""Scale below which `cut_out` averages pixels."""

_LEAST_SCORE = 0.02
"""What is left of a photo that nothing can be seen in: fits need weights above 0."""

_HARMLESS_BLOCKS, _BLOCK_SCALE = 1.6, 2.0
"""Steps between JPEG's blocks, in steps inside them, that cost nothing, and how many more leave 1 / e."""


@dataclass(frozen=True)
class FaceQuality:
    """What makes a photo of a face good; each in [0, 1], 1 best."""

    sharpness: float
    """Fine detail beside coarse detail of the face at recogniser size: low when blurred or enlarged."""
    size: float
    """1 where the portrait crop has 256 photo pixels a side or more."""
    exposure: float
    """Share of the face that is neither black nor burnt out, and has contrast."""
    pose: float
    """1 facing the camera, 0 at 75 degrees away."""
    visibility: float
    """The detector's confidence, which falls when parts of the face are hidden."""
    grain: float = 1.0
    """1 without noise; noise of a standard deviation of 16 levels of 255 halves it."""
    compression: float = 1.0
    """1 without the edges of JPEG's blocks; JPEG of quality 10 halves it."""

    @property
    def score(self) -> float:
        """What spoils a photo by itself, multiplied, times the fifth root of size, pose and visibility.

        A blurred, dark, noisy or compressed photo is a bad one however well the rest of it is; a turned one
        shows what others do not.
        """
        spoilt = self.sharpness * self.exposure * self.grain * self.compression
        shown = np.clip((self.size, self.pose, self.visibility), 1e-3, 1.0)
        return float(np.clip(spoilt, _LEAST_SCORE, 1.0) * np.prod(shown) ** 0.2)


def face_view(image: ByteArray, box: FloatArray) -> FloatArray:
    """Cut a face's box (4,) out of a photo (H, W, 3): its brightness in [0, 255], in the photo's pixels."""
    left, top = (max(0, int(value)) for value in box[:2])
    part = image[top : max(top + 16, int(box[3])), left : max(left + 16, int(box[2]))]
    return np.asarray(cv2.cvtColor(part, cv2.COLOR_RGB2GRAY), np.float32)


def face_quality(
    chip: ByteArray, landmarks: FloatArray, side: float, score: float, view: FloatArray | None = None
) -> FaceQuality:
    """Judge a photo of a face.

    Parameters
    ----------
    chip
        (150, 150, 3), aligned.
    landmarks
        (478, 3).
    side
        Of the portrait crop, in the photo's pixels.
    score
        The detector's.
    view
        The face in the photo's own pixels, which alone show noise and compression.
    """
    grey = cv2.cvtColor(chip, cv2.COLOR_RGB2GRAY).astype(np.float32)[20:130, 20:130]
    noise = 0.0 if view is None else _noise_deviation(view)
    return FaceQuality(
        sharpness=_sharpness(grey, noise * _noise_in_chip(landmarks)),
        size=float(np.clip(side / 256, 0.0, 1.0)),
        exposure=_exposure(grey),
        pose=_frontality(landmarks),
        visibility=float(np.clip((score - 0.3) / 0.6, 0.0, 1.0)),
        grain=float(np.clip(1 - (noise - _HARMLESS_NOISE) / _NOISE_RANGE, 0.05, 1.0)),
        compression=1.0 if view is None else _compression(view),
    )


def _noise_deviation(grey: FloatArray) -> float:
    """Measure the standard deviation of noise by what neighbours do not explain (Immerkaer 1996)."""
    unexplained = np.abs(cv2.filter2D(grey, cv2.CV_32F, _NEIGHBOURS))
    return float(np.median(unexplained)) / _MEDIAN_OF_NORMAL / 6


def _noise_in_chip(landmarks: FloatArray) -> float:
    """Noise that is left in the chip's fine detail for noise of 1 in the photo, which has these landmarks."""
    scale = float(np.sqrt(abs(np.linalg.det(chip_transform(landmarks)[:2, :2]))))
    return _NOISE_AVERAGED * scale if scale < _AVERAGED_BELOW else min(_NOISE_KEPT, _NOISE_ENLARGED / scale)


def _compression(view: FloatArray) -> float:
    """Judge compression by how much stronger steps between JPEG's blocks are than those inside.

    On smooth skin, and wherever the blocks begin: photos are turned and cropped after they were compressed.
    """
    down, across = np.gradient(cv2.GaussianBlur(view, (0, 0), _SMOOTH_REACH))
    change = cv2.magnitude(down, across)
    place = int(_SMOOTH_FRACTION * (change.size - 1))
    is_smooth = (change <= np.partition(change.ravel(), place)[place]).astype(np.float32)
    excess = []
    for axis in (0, 1):
        counted = is_smooth[1:] if axis == 0 else is_smooth[:, 1:]
        steps = (np.abs(np.diff(view, axis=axis)) * counted).sum(axis=1 - axis)
        count = counted.sum(axis=1 - axis)
        if len(steps) < 16:
            return 1.0
        by_place = np.array([steps[n::8].sum() / max(float(count[n::8].sum()), 1.0) for n in range(8)])
        excess.append(by_place.max() / (float(np.median(by_place)) + 0.3))
    return float(np.exp(-max(float(np.mean(excess)) - _HARMLESS_BLOCKS, 0) / _BLOCK_SCALE))


def _sharpness(grey: FloatArray, noise: float) -> float:
    """Judge blur by fine detail, without the noise that is in it, as a fraction of coarse detail."""
    blurred = [cv2.GaussianBlur(grey, (0, 0), sigma) for sigma in (_FINE_BLUR, *_COARSE_BLURS)]
    fine = max(float(np.square(grey - blurred[0]).mean()) - noise**2, 0)
    coarse = float(np.square(blurred[1] - blurred[2]).mean())
    least, most = _FINE_TO_COARSE
    return float(np.clip((np.sqrt(fine / (coarse + 1e-6)) - least) / (most - least), 0.0, 1.0))


def _exposure(grey: FloatArray) -> float:
    usable = float(((grey > _DARK) & (grey < _BURNT)).mean())
    return usable * float(np.clip(grey.std() / _LEAST_CONTRAST, 0.0, 1.0))


def _frontality(landmarks: FloatArray) -> float:
    toward_camera = face_axes(landmarks.astype(np.float64))[2, 2]
    limit = np.cos(np.radians(75))
    return float(np.clip((toward_camera - limit) / (1 - limit), 0.0, 1.0))
