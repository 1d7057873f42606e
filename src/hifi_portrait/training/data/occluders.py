"""Things before a face, painted into labelled photos: hands, masks, microphones, scarves, anything else.

They need not look real: the network shall learn that what is neither this face nor this person's hair and
clothes hides them. All lengths are fractions of the picture's side.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from hifi_portrait.faces.labels import FaceLabel
from hifi_portrait.faces.parsing_inputs import EYES, FACE_OVAL
from hifi_portrait.head.arrays import Array, FloatArray

_JAW = np.array([127, 234, 93, 132, 58, 172, 136, 150, 149, 176, 148, 152])
_OTHER_JAW = np.array([377, 400, 378, 379, 365, 397, 288, 361, 323, 454, 356])
"""Landmarks of the face's outline from one cheekbone by the chin to the other."""
_BRIDGE = np.array([6, 197, 195, 5])
"""Landmarks down the nose, at one of which a mask's upper edge lies."""

Paint = tuple[FloatArray, FloatArray]
"""Alpha (S, S) in [0, 1] of a painted thing, and its colours (S, S, 3) in [0, 255]."""


def occlude(
    image: Array, labels: Array, matte: Array, landmarks: Array, rng: np.random.Generator
) -> tuple[FloatArray, Array, FloatArray]:
    """Put one thing before a face.

    Parameters
    ----------
    image
        (S, S, 3) in [0, 255].
    labels
        (S, S) `FaceLabel`.
    matte
        (S, S) in [0, 1]; hands and what is worn belong to the person, other things half the time.
    landmarks
        (478, 2) in pixels.
    rng
        Draws everything.

    Returns
    -------
    image, labels, matte
        Changed copies.
    """
    paint, persons = _KINDS[rng.choice(len(_KINDS), p=_SHARES)]
    alpha, colour = paint(image, labels, landmarks, rng)
    alpha = np.asarray(cv2.GaussianBlur(alpha, (0, 0), rng.uniform(0.4, 1.0)), np.float32)
    covered = alpha > 0.5
    label = FaceLabel.GLASSES if paint is _sunglasses else FaceLabel.OCCLUDER
    image = image + alpha[..., None] * (colour - image)
    labels = np.where(covered, np.uint8(label), labels)
    if persons or rng.random() < 0.5:
        matte = np.maximum(matte, alpha)
    elif rng.random() < 0.5:
        matte = np.minimum(matte, 1 - alpha)
    return np.asarray(image, np.float32), labels, np.asarray(matte, np.float32)


def random_texture(size: int, rng: np.random.Generator, colour: Array | None = None) -> FloatArray:
    """Make a picture (S, S, 3) in [0, 255] of uneven colour: smooth, streaked, chequered or grainy."""
    base = rng.uniform(10, 245, 3) if colour is None else np.asarray(colour, np.float64)
    texture = np.broadcast_to(base.astype(np.float32), (size, size, 3)).copy()
    for _ in range(rng.integers(1, 4)):
        cells = np.exp(rng.uniform(np.log(2), np.log(size / 2), 2)).astype(int) + 1
        coarse = rng.normal(0, 1, (cells[0], cells[1])).astype(np.float32)
        if rng.random() < 0.25:
            coarse = np.sign(coarse)
        step = cv2.INTER_CUBIC if rng.random() < 0.8 else cv2.INTER_NEAREST
        field = cv2.resize(coarse, (size, size), interpolation=step)
        tint = rng.normal(0, 1, 3) if rng.random() < 0.4 else np.ones(3)
        texture += field[..., None] * (rng.gamma(2.0, 8.0) * tint).astype(np.float32)
    return np.clip(texture, 0, 255)


def _shaded(mask: Array, colour: Array, size: int, rng: np.random.Generator) -> FloatArray:
    """Colour a mask as if it were round: lighter in the middle and towards one side."""
    depth = cv2.distanceTransform((mask > 0.5).astype(np.uint8), cv2.DIST_L2, 3)
    height = np.sqrt(depth / max(float(depth.max()), 1.0))
    dx, dy = rng.normal(0, 0.25, 2)
    row, column = np.mgrid[0:size, 0:size].astype(np.float32) / size - 0.5
    shade = 0.62 + 0.45 * height + dx * column + dy * row
    return np.asarray(np.clip(colour * shade[..., None], 0, 255), np.float32)


def _skin_colour(image: Array, labels: Array, rng: np.random.Generator) -> Array:
    """Give the person's own skin colour in another light, or now and then somebody else's."""
    skin = image[labels == FaceLabel.SKIN]
    own = np.median(skin, axis=0) if len(skin) > 20 else np.array((190.0, 140.0, 115.0))
    if rng.random() < 0.2:
        own = np.array((230.0, 180.0, 150.0)) * rng.uniform(0.25, 1.0)
    return np.asarray(own * rng.uniform(0.75, 1.25) * np.exp(rng.normal(0, 0.05, 3)))


def _on_face(landmarks: Array, rng: np.random.Generator) -> tuple[Array, float]:
    """Draw a place on or beside the face, and give the face's height in pixels."""
    oval = landmarks[FACE_OVAL]
    middle, spread = oval.mean(axis=0), np.ptp(oval, axis=0)
    return middle + rng.normal(0, 0.33, 2) * spread, float(spread[1])


def _hand(image: Array, labels: Array, landmarks: Array, rng: np.random.Generator) -> Paint:
    size = len(labels)
    place, face = _on_face(landmarks, rng)
    unit = face * rng.uniform(0.8, 1.15)
    mask: Array = np.zeros((size, size), np.float32)
    heading = rng.normal(-np.pi / 2, 0.8)  # fingers mostly point up
    ahead, across = (
        np.array((np.cos(heading), np.sin(heading))),
        np.array((-np.sin(heading), np.cos(heading))),
    )
    palm = place - ahead * 0.3 * unit
    gaps: Array = np.zeros((size, size), np.float32)
    spread, curled = rng.uniform(0.02, 0.25), rng.uniform(0.35, 1.0)
    for finger in range(4):
        lean = (finger - 1.5) * spread
        direction = ahead * np.cos(lean) + across * np.sin(lean)
        root = palm + across * (finger - 1.5) * 0.1 * unit + ahead * 0.16 * unit
        tip = root + direction * unit * 0.36 * curled * (0.8 + 0.2 * (finger in (1, 2)))
        _line(mask, root - ahead * 0.1 * unit, tip, 0.095 * unit)
        side = across * 0.05 * unit
        _line(gaps, root + side, tip + side, max(0.018 * unit, 1.0))
    thumb = rng.choice((-1, 1))
    _line(mask, palm, palm + (across * thumb * 0.34 + ahead * 0.2) * unit, 0.11 * unit)
    axes = (float(0.44 * unit), float(0.38 * unit))
    cv2.ellipse(mask, ((float(palm[0]), float(palm[1])), axes, float(np.degrees(heading))), 1.0, -1)
    if rng.random() < 0.7:
        _line(mask, palm, palm - (ahead + across * rng.normal(0, 0.3)) * 2 * unit, 0.26 * unit)
    colour = _shaded(mask, _skin_colour(image, labels, rng), size, rng)
    colour *= 1 - rng.uniform(0.1, 0.5) * cv2.GaussianBlur(gaps, (0, 0), 0.7)[..., None]
    return np.asarray(mask), colour


def _line(mask: Array, start: Array, end: Array, width: float) -> None:
    first, last = (tuple(int(v) for v in np.rint(point)) for point in (start, end))
    cv2.line(mask, first, last, 1.0, max(1, round(width)), cv2.LINE_AA)


def _mask(image: Array, labels: Array, landmarks: Array, rng: np.random.Generator) -> Paint:
    size = len(labels)
    jaw, bridge = np.concatenate([_JAW, _OTHER_JAW]), landmarks[rng.choice(_BRIDGE)]
    drop = rng.integers(0, 4)
    outline = landmarks[jaw[drop : len(jaw) - drop]]
    middle = outline.mean(axis=0)
    outline = middle + (outline - middle) * rng.uniform(0.92, 1.1)
    mask: Array = np.zeros((size, size), np.float32)
    cv2.fillPoly(mask, [np.rint(np.concatenate([outline, bridge[None]])).astype(np.int32)], 1.0)
    for end in (outline[0], outline[-1]):
        outwards = (end - middle) * rng.uniform(0.2, 0.5)
        _line(mask, end, end + outwards - (0, rng.uniform(0, 0.06) * size), rng.uniform(0.5, 2))
    plain = np.array(((235, 238, 240), (150, 190, 220), (25, 25, 28), (220, 170, 180)))
    colour = plain[rng.integers(4)] * rng.uniform(0.7, 1.0) if rng.random() < 0.7 else rng.uniform(0, 255, 3)
    texture = _shaded(mask, colour, size, rng) * 0.8 + 0.2 * random_texture(size, rng, colour)
    rows = np.arange(size, dtype=np.float32)[:, None, None] - middle[1]
    return mask, np.clip(texture * (1 + rng.uniform(0, 0.08) * np.sin(rows * 0.8)), 0, 255)


def _microphone(image: Array, labels: Array, landmarks: Array, rng: np.random.Generator) -> Paint:
    size = len(labels)
    place = landmarks[17] + rng.normal(0, 0.06, 2) * size
    face = float(np.ptp(landmarks[FACE_OVAL, 1]))
    radius = face * rng.uniform(0.09, 0.2)
    mask: Array = np.zeros((size, size), np.float32)
    lean = rng.normal(0, 0.6)
    _line(mask, place, place + np.array((np.sin(lean), np.cos(lean))) * size, radius * rng.uniform(0.5, 1.2))
    axes = (2 * radius, 2 * radius * rng.uniform(1, 1.4))
    cv2.ellipse(mask, ((float(place[0]), float(place[1])), axes, 0.0), 1.0, -1)
    tone = np.full(3, rng.uniform(10, 160)) + rng.normal(0, 8, 3)
    mesh = 1 + 0.25 * np.sin(np.arange(size) * rng.uniform(1, 3))[:, None] * np.sin(
        np.arange(size) * rng.uniform(1, 3)
    )
    return mask, np.clip(_shaded(mask, tone, size, rng) * mesh[..., None], 0, 255).astype(np.float32)


def _scarf(image: Array, labels: Array, landmarks: Array, rng: np.random.Generator) -> Paint:
    size = len(labels)
    upper = landmarks[rng.choice((1, 0, 17, 152)), 1]
    columns = np.linspace(-4, size + 4, 12)
    wave = rng.normal(0, 0.012, 12) * size
    bow = rng.uniform(-0.12, 0.06) * size * ((columns - landmarks[1, 0]) / (0.5 * size)) ** 2
    top = np.stack([columns, upper + bow + wave], 1)
    drop = np.array((0, rng.uniform(0.15, 0.45) * size))
    bottom = top[::-1] + drop
    mask: Array = np.zeros((size, size), np.float32)
    cv2.fillPoly(mask, [np.rint(np.concatenate([top, bottom])).astype(np.int32)], 1.0)
    half = np.ptp(landmarks[FACE_OVAL, 0]) * rng.uniform(0.5, 0.9)
    mask *= np.abs(np.arange(size) - landmarks[152, 0])[None] < half
    return mask, random_texture(size, rng)


def _anything(image: Array, labels: Array, landmarks: Array, rng: np.random.Generator) -> Paint:
    size = len(labels)
    place, face = _on_face(landmarks, rng)
    mask: Array = np.zeros((size, size), np.float32)
    if rng.random() < 0.4:
        axes = tuple(float(v) for v in face * rng.uniform(0.15, 0.7, 2))
        cv2.ellipse(mask, ((float(place[0]), float(place[1])), axes, rng.uniform(0, 180)), 1.0, -1)
    else:
        turn = np.sort(rng.uniform(0, 2 * np.pi, rng.integers(3, 8)))
        reach = face * rng.uniform(0.12, 0.5, len(turn))
        corners = place + np.stack([np.cos(turn), np.sin(turn)], 1) * reach[:, None]
        cv2.fillPoly(mask, [np.rint(corners).astype(np.int32)], 1.0)
    return mask, random_texture(size, rng)


def _sunglasses(image: Array, labels: Array, landmarks: Array, rng: np.random.Generator) -> Paint:
    size = len(labels)
    mask: Array = np.zeros((size, size), np.float32)
    eyes = [landmarks[contour].mean(axis=0) for contour in EYES]
    apart = float(np.linalg.norm(eyes[1] - eyes[0]))
    lean = float(np.degrees(np.arctan2(eyes[1][1] - eyes[0][1], eyes[1][0] - eyes[0][0])))
    axes = (apart * rng.uniform(0.65, 0.95), apart * rng.uniform(0.45, 0.75))
    for eye in eyes:
        cv2.ellipse(mask, ((float(eye[0]), float(eye[1] + 0.05 * apart)), axes, lean), 1.0, -1)
    _line(mask, eyes[0], eyes[1], max(1.0, 0.06 * apart))
    tone = rng.uniform(5, 90) * np.exp(rng.normal(0, 0.15, 3))
    sky = 1 + rng.uniform(0, 1.2) * np.linspace(1, -1, size)[:, None, None]
    colour = np.broadcast_to(np.clip(tone * sky, 0, 255).astype(np.float32), (size, size, 3))
    return np.asarray(mask * np.float32(rng.uniform(0.75, 1.0))), colour


_KINDS: tuple[tuple[Callable[[Array, Array, Array, np.random.Generator], Paint], bool], ...] = (
    (_hand, True),
    (_mask, True),
    (_microphone, False),
    (_scarf, True),
    (_anything, False),
    (_sunglasses, True),
)
"""What is painted, and whether mattes take it for a part of the person."""
_SHARES = (0.34, 0.18, 0.1, 0.08, 0.18, 0.12)
"""How often each is drawn."""

PAINTERS = {paint.__name__.lstrip("_"): paint for paint, _ in _KINDS}
"""What is painted, by name: each takes picture, labels, landmarks and a generator, and gives a `Paint`."""
