"""Glasses: frames fitted to a person's eyes, nose and ears, and their lenses."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from hifi_portrait.head.arrays import Array, FloatArray

if TYPE_CHECKING:
    from hifi_portrait.head.base_shape import Fitting


@dataclass(frozen=True)
class Frame:
    """Shape of one rim: half width and height (metres), squareness (2 is an ellipse), rim radius."""

    half_width: float
    half_height: float
    squareness: float
    rim: float
    top: float = 1.0
    """Factor on the rim's radius at the top."""
    flare: float = 0.0
    """How much the outer upper corner is drawn up and out."""


FRAMES: dict[str, Frame] = {
    "round": Frame(0.0215, 0.0215, 2.0, 0.0011),
    "rectangular": Frame(0.0245, 0.0155, 4.5, 0.0016),
    "square": Frame(0.0240, 0.0200, 5.0, 0.0021),
    "browline": Frame(0.0235, 0.0185, 3.2, 0.0011, top=2.6),
    "cat-eye": Frame(0.0240, 0.0175, 2.8, 0.0019, flare=0.32),
    "sunglasses": Frame(0.0255, 0.0215, 3.4, 0.0021),
}


@dataclass(frozen=True)
class Tint:
    """What a lens does to what is behind it: a factor on each colour, and how mirror-like it is."""

    factor: tuple[float, float, float]
    mirror: float


CLEAR, DARK = Tint((0.95, 0.96, 0.96), 0.035), Tint((0.035, 0.032, 0.035), 0.16)


def through_lens(colour: Array, rows: Array, columns: Array, tint: Tint, sky: Array) -> FloatArray:
    """Tint linear colours (P, 3) behind the lenses, at rows and columns (P,) of a picture.

    ``sky`` (3,) is the light from above that they mirror.
    """
    low, high = rows.min(), rows.max() + 1
    height = 1 - (rows - low) / (high - low)
    streak = np.exp(-(((((columns - columns.min()) * 0.5 + rows - low) / (high - low) - 0.8) / 0.10) ** 2))
    glow = tint.mirror * (0.25 + 0.75 * height**2 + 0.5 * streak)[:, None] * sky
    return np.asarray(colour * np.asarray(tint.factor, np.float32) + glow, np.float32)


@dataclass(frozen=True)
class Glasses:
    """Curves of a pair of glasses in the rest head's space."""

    rims: tuple[Array, Array]
    """Two closed outlines (K, 3)."""
    rim_radius: Array
    bars: tuple[Array, ...]
    """Bridge and temples, open curves (K, 3)."""
    bar_radius: float

    def lenses(self) -> tuple[Array, npt.NDArray[np.int32]]:
        """Make vertices (P, 3) and triangles (F, 3) of both lenses."""
        vertices: list[Array] = []
        triangles: list[Array] = []
        for rim in self.rims:
            first = sum(map(len, vertices))
            k = np.arange(len(rim))
            fan = np.stack([np.full(len(rim), len(rim)), k, (k + 1) % len(rim)], 1) + first
            vertices.append(np.concatenate([rim, rim.mean(0, keepdims=True)]))
            triangles.append(fan)
        return np.concatenate(vertices).astype(np.float32), np.concatenate(triangles).astype(np.int32)

    def moved(self, head: Array) -> Glasses:
        """Move the glasses to where the matrix ``head`` (4, 4) takes the rest head."""

        def move(curve: Array) -> Array:
            return curve @ head[:3, :3].T + head[:3, 3]

        left, right = map(move, self.rims)
        return replace(self, rims=(left, right), bars=tuple(map(move, self.bars)))


def fit_glasses(shape: str, rest: Array, skin: Array, fitting: Fitting) -> Glasses:
    """Fit a frame to a rest head.

    Parameters
    ----------
    shape
        One of `FRAMES`.
    rest
        (V + J, 3) rest mesh; its last two rows are the eye joints.
    skin
        (S,) vertices of the face's skin.
    fitting
        Of this person.
    """
    frame = FRAMES[shape]
    angle = np.linspace(0, 2 * np.pi, 41)[:-1]
    power = 2 / frame.squareness
    ox = frame.half_width * np.sign(np.cos(angle)) * np.abs(np.cos(angle)) ** power
    oz = frame.half_height * np.sign(np.sin(angle)) * np.abs(np.sin(angle)) ** power
    corner = np.clip(np.cos(angle), 0, 1) * np.clip(np.sin(angle), 0, 1) * 2
    ox, oz = ox * (1 + 0.25 * frame.flare * corner), oz * (1 + frame.flare * corner) - 0.0015
    face = fitting.to_base(rest[skin])
    left_eye, right_eye = fitting.to_base(rest[-2:])
    rims = []
    for side, eye in ((1.0, left_eye), (-1.0, right_eye)):
        x = side * (max(abs(float(eye[0])), frame.half_width + 0.0078) + ox)
        z = eye[2] + oz
        y = np.full(len(x), eye[1] - 0.0265) + 6.0 * (np.abs(x) - 0.012).clip(0) ** 2
        rims.append(np.stack([x, y, z], 1))
    # The frame stands off the brow and the cheeks wherever it would cut into them.
    depth = min(_clearance(rim, face) for rim in rims)
    for rim in rims:
        rim[:, 1] += min(0.0, depth)
    left, right = rims
    inner = [rim[np.argmin(np.abs(rim[:, 0]) - 0.4 * rim[:, 2])] for rim in rims]
    arch = np.linspace(-1, 1, 9)[:, None]
    bridge = 0.5 * (inner[0] + inner[1]) + 0.5 * arch * (inner[0] - inner[1])
    bridge += np.array((0.0, -0.0015, 0.003)) * (1 - arch**2)
    near_ear = face[(face[:, 1] > -0.045) & (face[:, 1] < -0.02) & (np.abs(face[:, 2] - 0.035) < 0.012)]
    reach = np.abs(near_ear[:, 0]).max() + 0.001 if len(near_ear) else 0.078
    temples = []
    for rim, side in ((left, 1.0), (right, -1.0)):
        hinge = rim[np.argmax(side * rim[:, 0] + 0.6 * rim[:, 2])]
        ear = np.array((side * reach, -0.022, left_eye[2] + 0.010))
        t = np.linspace(0, 1, 10)[:, None]
        bow = np.sin(np.clip(t * 1.6, 0, 1) * np.pi / 2)
        temples.append(
            np.concatenate(
                [hinge[:1] + (ear[:1] - hinge[:1]) * bow, hinge[1:] + (ear[1:] - hinge[1:]) * t], 1
            )
        )
    radius = frame.rim * np.where(np.sin(angle) > 0.15, frame.top, 1.0)
    return Glasses(
        (fitting.to_person(left), fitting.to_person(right)),
        radius.astype(np.float32),
        tuple(fitting.to_person(bar) for bar in (bridge, *temples)),
        max(frame.rim, 0.0012),
    )


def _clearance(rim: Array, face: Array) -> float:
    """Measure how far, in metres, a rim must move forward (negative y) to stand off the skin, or 0."""
    move = 0.0
    for point in rim[::2]:
        near = face[(np.abs(face[:, 0] - point[0]) < 0.006) & (np.abs(face[:, 2] - point[2]) < 0.006)]
        if len(near):
            move = min(move, float(near[:, 1].min()) - 0.0025 - float(point[1]))
    return max(move, -0.008)


def without_frame(glasses: str | None) -> str | None:
    """Give what a target asks of glasses before a frame that it names is put on: none of the references'."""
    return "none" if glasses in FRAMES else glasses
