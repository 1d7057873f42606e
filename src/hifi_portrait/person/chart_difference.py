"""How photos on the chart of a face differ once the light is alike: in what is before the face.

Colours are compared as logarithms, in which light is added: brightness may differ by light that changes
slowly over the face, and the tint by one of a whole photo. A hand has the colours of a face, but not its
lips and nostrils; so structures are compared, too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import cv2
import numpy as np

from hifi_portrait.head.arrays import Array, BoolArray, FloatArray
from hifi_portrait.person.face_chart import CHART_HEIGHT, CHART_WIDTH

_DARK_OFFSET = 8.0
"""Of 255, added to colours before logarithms are taken, which the noise of dark pixels would rule."""

_SHIFTS = ((0, 0), (2, 0), (-2, 0), (0, 2), (0, -2))
"""Pixels of the chart by which two photos may be shifted against each other: heads are fitted to 4 mm."""

_ROUNDS = 5
"""Of the robust fit of the light."""


@dataclass(frozen=True, kw_only=True)
class DifferenceSettings:
    """What counts as a difference; chosen as `CoverSettings` are. Lengths are in pixels of the chart."""

    brightness: float = 0.4
    """Difference of brightness's logarithm, beyond the light and `shade`, that counts 1."""

    tint: float = 0.10
    """The same of the logarithms of red and of blue, each as a fraction of green."""

    shade: float = 0.4
    """Difference of brightness's logarithm that counts nothing: of shadows of a nose, or half a face."""

    shaded_tint: float = 0.2
    """Uncertainty of tints as a fraction of a difference of brightness: shadows have another colour."""

    dark_levels: float = 6.0
    """Levels of 255 by which tints are uncertain: more in what is dark."""

    usual_brightness: float = 1.3
    """Difference of the logarithm of brightness between two photos, up to which light is likely."""

    usual_tint: float = 0.25
    """The same of tints."""

    seen: tuple[float, float] = (0.2, 0.4)
    """Visibility between which a place begins to count."""

    smoothing: float = 1.2
    """Standard deviation of the blur by which differences are averaged."""

    fine: float = 6.0
    """Standard deviation of the blur beyond which brightness is light, not structure."""

    window: float = 3.5
    """The same of the window in which structures are compared."""

    structure: float = 0.08
    """Standard deviation of the usual face's brightness in a window from which on it has structure."""

    alike: float = 0.5
    """Correlation of structures of one person's photos that differ in nothing but light and expression."""

    unlike: float = 5.0
    """Difference that a correlation lower by 1 counts."""

    tinged: tuple[float, float] = (0.15, 0.4)
    """Differences of colours between which structures begin to count: windows reach beyond what differs."""


@dataclass(frozen=True, eq=False)
class Levels:
    """A photo on the chart, (H, W, ...) each.

    Attributes
    ----------
    values
        (H, W, 3): logarithm of brightness, and those of red and of blue as fractions of green.
    variance
        (H, W, 3) of each, beyond what settings say.
    seen
        (H, W) in [0, 1].
    """

    values: FloatArray
    variance: FloatArray
    seen: FloatArray

    @classmethod
    def of(cls, colours: Array, seen: Array, settings: DifferenceSettings) -> Self:
        """Take colours (H, W, 3) in [0, 255] and how well they are seen (H, W) in [0, 1]."""
        logs = np.log(np.asarray(colours, np.float32) + _DARK_OFFSET)
        red, green, blue = np.moveaxis(logs, -1, 0)
        uncertain = (settings.dark_levels / (np.min(colours, axis=-1) + _DARK_OFFSET)) ** 2
        return cls(
            values=np.stack([logs.mean(axis=-1), red - green, blue - green], axis=-1),
            variance=np.stack([np.zeros_like(uncertain), uncertain, uncertain], axis=-1),
            seen=np.asarray(seen, np.float32),
        )


def difference(
    one: Levels, other: Levels, structured: BoolArray, settings: DifferenceSettings
) -> tuple[FloatArray, FloatArray]:
    """Compare two photos of a person, or a photo and the usual face.

    Parameters
    ----------
    one, other
        The photos.
    structured
        (H, W) where faces have structure in any light, by `structured_places`.
    settings
        What counts as a difference.

    Returns
    -------
    difference
        (H, W), 1 where it is as large as light, expression and the fit of the heads leave now and then.
    weight
        (H, W) in [0, 1], how far a place can be compared.
    """
    colours, weight = difference_of_colours(one, other, settings)
    least, most = settings.tinged
    counted = np.clip((colours - least) / (most - least), 0, 1)
    structures = _difference_of_structures(one, other, weight, settings)
    return np.asarray(np.hypot(colours, counted * structured * structures), np.float32), weight


def structured_places(usual: Levels, settings: DifferenceSettings) -> BoolArray:
    """Find where the usual face has structure, (H, W): at its eyes, brows, nostrils and lips."""
    fine = usual.values[..., 0] - cv2.GaussianBlur(usual.values[..., 0], (0, 0), settings.fine)
    return np.asarray(cv2.GaussianBlur(fine**2, (0, 0), settings.window) > settings.structure**2)


def difference_of_colours(
    one: Levels, other: Levels, settings: DifferenceSettings
) -> tuple[FloatArray, FloatArray]:
    """Compare colours alone; returns what `difference` does."""
    weight, variance = _compared(one, other, settings)
    light = _find_light(one.values - other.values, weight, variance, settings)
    if light is None:
        return np.zeros_like(weight), np.zeros_like(weight)
    smallest = np.full(weight.shape, np.inf, np.float32)
    for shift in _SHIFTS:
        moved = np.roll(other.values, shift, axis=(0, 1))
        squares = (one.values - moved - light) ** 2
        shaded = np.float32(settings.shaded_tint**2) * squares[..., :1]
        tints = (squares[..., 1:] / (variance[..., 1:] + shaded)).sum(axis=-1)
        darker = np.maximum(np.sqrt(squares[..., 0]) - settings.shade, 0)
        smallest = np.minimum(smallest, darker**2 / variance[..., 0] + tints)
    return smooth(np.sqrt(smallest), weight, settings.smoothing), np.asarray(weight, np.float32)


def in_the_light_of(other: Levels, one: Levels, settings: DifferenceSettings) -> FloatArray | None:
    """Give the values (H, W, 3) of a photo in the light of another; None where they show too little alike."""
    light = _find_light(one.values - other.values, *_compared(one, other, settings), settings)
    return None if light is None else np.asarray(one.values - light, np.float32)


def _compared(one: Levels, other: Levels, settings: DifferenceSettings) -> tuple[FloatArray, FloatArray]:
    """How far places (H, W) can be compared, and the variance (H, W, 3) that is usual between two photos."""
    least, most = settings.seen
    weight = np.clip((np.minimum(one.seen, other.seen) - least) / (most - least), 0, 1)
    own = np.array([settings.brightness, settings.tint, settings.tint], np.float32) ** 2
    return np.asarray(weight, np.float32), np.asarray(own + one.variance + other.variance, np.float32)


def _difference_of_structures(
    one: Levels, other: Levels, weight: Array, settings: DifferenceSettings
) -> FloatArray:
    """Compare lips, nostrils and brows, whatever their colours: (H, W), by correlation in windows."""

    def blur(values: Array, sigma: float = settings.window) -> FloatArray:
        return np.asarray(cv2.GaussianBlur(values, (0, 0), sigma), np.float32)

    first, second = (each.values[..., 0] - blur(each.values[..., 0], settings.fine) for each in (one, other))
    first_energy = blur(first**2)
    most = np.full(first.shape, -1, np.float32)
    for shift in _SHIFTS:
        moved = np.roll(second, shift, axis=(0, 1))
        energies = first_energy * blur(moved**2)
        most = np.maximum(most, blur(first * moved) / np.sqrt(energies + _NO_STRUCTURE**4))
    return smooth(settings.unlike * np.maximum(settings.alike - most, 0), weight, settings.smoothing)


_NO_STRUCTURE = 0.1
"""Standard deviation of brightness's logarithm below which correlations say little."""


def _find_light(
    apart: Array, weight: Array, variance: Array, settings: DifferenceSettings
) -> FloatArray | None:
    """Find the light (H, W, 3) that brings one photo to another: it explains most of the face.

    What is before a face may be more of it than what is left. So the fit begins from the whole face and from
    each part of it, and light that is strong is less likely.
    """
    found: list[tuple[float, FloatArray]] = []
    for part in _parts():
        there = part & (weight > 0.5)
        if there.sum() < _FEWEST:
            continue
        start = np.median(apart[there], axis=0)
        found.append(_fit_light(apart, weight, variance, start, settings))
    return max(found, key=lambda each: each[0])[1] if found else None


_FEWEST = 150
"""Pixels of a part of the face that are needed to begin a fit with."""


def _fit_light(
    apart: Array, weight: Array, variance: Array, start: Array, settings: DifferenceSettings
) -> tuple[float, FloatArray]:
    """Fit light robustly (Geman and McClure), from a start (3,): how well it explains, and itself."""
    basis, there = _basis(), weight > 0.3
    rows, values, weights, spread = basis[there], apart[there], weight[there], variance[there]
    brightness, tint = np.zeros(basis.shape[-1]), start[1:]
    brightness[0] = start[0]
    stiff = np.diag([1e-3, *(basis.shape[-1] - 1) * (_STIFFNESS,)])
    explained = np.zeros(len(rows))
    for _ in range(_ROUNDS):
        left = values[:, 0] - rows @ brightness
        squares = left**2 / spread[:, 0] + ((values[:, 1:] - tint) ** 2 / spread[:, 1:]).sum(axis=1)
        explained = 1 / (1 + squares / 2)
        trusted = weights * explained**2
        weighted = rows * trusted[:, None]
        brightness = np.linalg.solve(weighted.T @ rows + stiff, weighted.T @ values[:, 0])
        tint = (trusted[:, None] * values[:, 1:]).sum(axis=0) / max(float(trusted.sum()), 1e-6)
    unlikely = (brightness[0] / settings.usual_brightness) ** 2 + (tint**2).sum() / settings.usual_tint**2
    likely = np.exp(-unlikely / 2 - _SLOPE_COST * (brightness[1:] ** 2).sum())
    light = np.concatenate([(basis @ brightness)[..., None], np.broadcast_to(tint, (*weight.shape, 2))], -1)
    return float(np.average(explained, weights=weights) * likely), np.asarray(light, np.float32)


_STIFFNESS = 120.0
"""Pixels for which the slopes and bends of the light count: without them little of a face would do."""

_SLOPE_COST = 1.0
"""How much less likely light is that falls from the side."""


def _basis() -> FloatArray:
    """Light that changes slowly: (H, W, 6), polynomials of second order on the chart."""
    y, x = np.mgrid[-1 : 1 : CHART_HEIGHT * 1j, -1 : 1 : CHART_WIDTH * 1j]
    return np.stack([np.ones_like(x), x, y, x * y, x * x, y * y], axis=-1).astype(np.float32)


def _parts() -> list[BoolArray]:
    """Parts (H, W) of the chart from which light is looked for."""
    row, column = np.mgrid[0:CHART_HEIGHT, 0:CHART_WIDTH]
    upper, lower, middle = 0.4 * CHART_HEIGHT, 0.6 * CHART_HEIGHT, CHART_WIDTH // 2
    everything = np.ones(row.shape, bool)
    return [
        everything,
        row < upper,
        (row >= upper) & (row < lower),
        row >= lower,
        column < middle,
        column > middle,
    ]


def smooth(values: Array, weight: Array, sigma: float) -> FloatArray:
    """Average values (H, W) over neighbours that count, (H, W)."""
    blurred = cv2.GaussianBlur(np.asarray(values * weight, np.float32), (0, 0), sigma)
    return np.asarray(
        blurred / np.maximum(cv2.GaussianBlur(np.asarray(weight, np.float32), (0, 0), sigma), 1e-3)
    )
