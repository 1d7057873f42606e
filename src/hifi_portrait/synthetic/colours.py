"""Named colours: hair, skin, irises, cloth and walls, as linear RGB reflectances in [0, 1]."""

import numpy as np
from numpy.typing import NDArray

from hifi_portrait.head.arrays import RGB

HAIR: dict[str, RGB] = {
    "black": (0.012, 0.010, 0.009),
    "dark brown": (0.035, 0.020, 0.012),
    "brown": (0.085, 0.045, 0.022),
    "auburn": (0.130, 0.042, 0.018),
    "blond": (0.340, 0.205, 0.085),
    "light blond": (0.500, 0.360, 0.190),
    "red": (0.260, 0.075, 0.022),
    "grey": (0.270, 0.260, 0.250),
    "white": (0.550, 0.540, 0.520),
}

SKIN: NDArray[np.float64] = np.array(
    [
        (0.760, 0.520, 0.410),
        (0.690, 0.445, 0.325),
        (0.590, 0.360, 0.245),
        (0.460, 0.265, 0.165),
        (0.310, 0.165, 0.098),
        (0.185, 0.095, 0.057),
        (0.105, 0.054, 0.034),
    ]
)
SKIN_NAMES = ("very fair", "fair", "light", "tan", "brown", "dark", "very dark")

EYE: dict[str, RGB] = {
    "brown": (0.090, 0.038, 0.014),
    "dark brown": (0.035, 0.016, 0.008),
    "hazel": (0.150, 0.092, 0.030),
    "green": (0.075, 0.120, 0.045),
    "blue": (0.060, 0.140, 0.280),
    "grey": (0.120, 0.150, 0.175),
}

CLOTH: dict[str, RGB] = {
    "white": (0.780, 0.780, 0.770),
    "black": (0.018, 0.018, 0.020),
    "grey": (0.220, 0.220, 0.225),
    "red": (0.480, 0.035, 0.035),
    "burgundy": (0.150, 0.014, 0.030),
    "orange": (0.640, 0.190, 0.025),
    "yellow": (0.700, 0.480, 0.050),
    "green": (0.045, 0.230, 0.070),
    "olive": (0.130, 0.140, 0.045),
    "teal": (0.020, 0.210, 0.220),
    "light blue": (0.270, 0.480, 0.700),
    "blue": (0.030, 0.105, 0.420),
    "navy": (0.012, 0.022, 0.075),
    "purple": (0.140, 0.040, 0.280),
    "pink": (0.700, 0.250, 0.330),
    "beige": (0.560, 0.440, 0.310),
    "brown": (0.140, 0.065, 0.030),
}

WALL: dict[str, RGB] = {
    "white": (0.800, 0.800, 0.790),
    "grey": (0.300, 0.300, 0.300),
    "dark grey": (0.050, 0.050, 0.053),
    "black": (0.010, 0.010, 0.011),
    "beige": (0.560, 0.460, 0.340),
    "brown": (0.150, 0.080, 0.045),
    "blue": (0.070, 0.190, 0.480),
    "light blue": (0.380, 0.580, 0.760),
    "green": (0.110, 0.290, 0.130),
    "teal": (0.040, 0.240, 0.250),
    "yellow": (0.760, 0.560, 0.130),
    "orange": (0.680, 0.270, 0.070),
    "red": (0.400, 0.040, 0.040),
    "pink": (0.720, 0.400, 0.440),
    "purple": (0.210, 0.110, 0.360),
}


def linear(colour: RGB, rng: np.random.Generator, spread: float = 0.15) -> RGB:
    """Vary a named colour a little in brightness and hue."""
    value = np.array(colour) * np.exp(rng.normal(0, spread)) * np.exp(rng.normal(0, spread * 0.25, 3))
    r, g, b = np.clip(value, 0.004, 0.9)
    return float(r), float(g), float(b)


def skin_colour(melanin: float) -> RGB:
    """Reflectance of skin; ``melanin`` runs from 0 (very fair) to 6 (very dark)."""
    low = int(np.clip(melanin, 0, len(SKIN) - 1.001))
    r, g, b = SKIN[low] + (SKIN[low + 1] - SKIN[low]) * (melanin - low)
    return float(r), float(g), float(b)


def skin_name(melanin: float) -> str:
    """Give the word that a caption uses for a skin tone."""
    return SKIN_NAMES[int(np.clip(round(melanin), 0, len(SKIN_NAMES) - 1))]
