"""How exact mattes of dark hair are, on photos taken before a plain, bright backdrop.

    python benchmarks/hair_mattes.py --photos DIR

There, brightness tells the truth: the alpha of a pixel is how far it is from the backdrop's brightness to the
hair's. It counts in a ring about the head, above the chin and off skin. Printed for the network alone and for
the refined matte: the mean absolute error in the ring, and how much of the alpha of loose strands is kept.
Photos whose backdrop is patterned or whose hair is not dark are left out; folders are searched for `*.jpg`.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import typer

from hifi_portrait.errors import HiFiPortraitError
from hifi_portrait.faces import Face, MediaPipeMatting, RefinedMatting, analyse
from hifi_portrait.head.arrays import Array, BoolArray, FloatArray

RING = 0.11
"""Width of the ring about the head, as a fraction of the crop's side."""
DARK = 105.0
"""Brightness, of 255, up to which hair is dark."""
PATTERNED = 3.0
"""Standard deviation of a backdrop from a smooth gradient from which on it is patterned."""
FEWEST_STRANDS = 0.0005
"""Mean alpha of strands in the ring below which a photo does not tell how strands fare."""
FOREHEAD, CHIN = 10, 152
"""Landmarks of the highest and the lowest place of the face."""


@dataclass(frozen=True)
class Truth:
    """What brightness tells of one photo."""

    alpha: FloatArray
    """(S, S) in [0, 1]."""
    ring: BoolArray
    """(S, S), where it counts."""
    strands: BoolArray
    """(S, S), the places in the ring that show strands."""


def main(
    photos: Annotated[Path, typer.Option(help="folder of photos before a plain, bright backdrop")],
) -> None:
    """Print each dark-haired person's figures, and their means."""
    network, refined = MediaPipeMatting(), RefinedMatting()
    rows = []
    print(f"{'photo':28} {'network':>16} {'refined':>16}")
    print(f"{'':28} {'error':>8} {'kept':>7} {'error':>8} {'kept':>7}")
    for path in sorted(photos.rglob("*.jpg")):
        try:
            face = analyse(path)
        except HiFiPortraitError:
            continue
        coarse = network(face.crop)
        truth = brightness_truth(face, coarse)
        if truth is None:
            continue
        rows.append([*compare(coarse, truth), *compare(refined(face.crop), truth)])
        print(_row(str(path.relative_to(photos)), rows[-1]))
    print(_row(f"mean of {len(rows)}", np.nanmean(rows, axis=0)) if rows else "no photo of dark hair there")


def brightness_truth(face: Face, matte: FloatArray) -> Truth | None:
    """Compute the truth of a photo; None if its hair is not dark or its backdrop not plain."""
    crop, side = face.crop.astype(np.float32), len(face.crop)
    bright = crop.mean(axis=2)
    backdrop, deviation = _fit_backdrop(bright, matte)
    top, chin = (int(face.crop_landmarks[each, 1]) for each in (FOREHEAD, CHIN))
    sure = cv2.erode(matte, _square(0.02 * side)) > 0.95
    sure[max(0, top - int(0.02 * side)) :] = False
    if deviation > PATTERNED or sure.mean() < 0.003:
        return None
    dark = float(np.percentile(bright[sure], 80))
    if dark > DARK:
        return None
    alpha = np.clip((backdrop - bright) / (backdrop - dark), 0, 1)
    alpha[alpha < 4 * deviation / float((backdrop - dark).mean())] = 0
    thick = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, _square(0.008 * side).shape)
    core = cv2.morphologyEx(alpha, cv2.MORPH_OPEN, thick)
    head = _largest_piece(core > 0.5)
    alpha = np.where(cv2.erode(head.astype(np.uint8), np.ones((5, 5))) > 0, 1, alpha).astype(np.float32)
    outside = cv2.distanceTransform((~head).astype(np.uint8), cv2.DIST_L2, 5)
    depth = cv2.distanceTransform(head.astype(np.uint8), cv2.DIST_L2, 5)
    ring = (outside <= RING * side) & (depth <= side / 64) & ~_skin(crop, matte)
    ring[chin:] = False
    strands = ring & ~head & (alpha - core > 0.05)
    return Truth(alpha, ring, strands)


def compare(matte: FloatArray, truth: Truth) -> tuple[float, float]:
    """Mean absolute error in the ring, and the fraction of strands' alpha kept (NaN where there are few)."""
    error = float(np.abs(matte - truth.alpha)[truth.ring].mean())
    alpha = np.where(truth.strands, truth.alpha, 0)[truth.ring]
    if alpha.mean() < FEWEST_STRANDS:
        return error, float("nan")
    return error, float(np.minimum(matte[truth.ring], alpha).sum() / alpha.sum())


def _fit_backdrop(bright: FloatArray, matte: FloatArray) -> tuple[FloatArray, float]:
    """Fit a quadratic to the backdrop's brightness (S, S); its standard deviation from it is the second."""
    side = len(bright)
    y, x = np.mgrid[:side, :side] / side
    terms = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=-1)
    far = cv2.dilate(matte, _square(0.06 * side)) < 0.02
    used = far.copy()
    backdrop = bright
    for _ in range(3):
        if used.sum() < terms.shape[-1]:
            return backdrop, float("inf")
        factors, *_ = np.linalg.lstsq(terms[used], bright[used])
        backdrop = (terms @ factors).astype(np.float32)
        residual = np.abs(backdrop - bright)
        used = far & (residual < 3 * np.median(residual[far]) + 1)
    return backdrop, float(np.std((bright - backdrop)[used])) if used.mean() > 0.5 * far.mean() else float(
        "inf"
    )


def _skin(crop: Array, matte: FloatArray) -> BoolArray:
    """Where a crop (S, S, 3) shows skin, or is next to it: brightness tells nothing there."""
    reddish = (crop[..., 0] - crop[..., 2] > 22) & (crop.mean(axis=2) > 60) & (matte > 0.3)
    wide = cv2.morphologyEx(reddish.astype(np.uint8), cv2.MORPH_OPEN, np.ones((9, 9), np.uint8))
    return np.asarray(cv2.dilate(wide, _square(0.015 * len(crop))) > 0)


def _largest_piece(mask: BoolArray) -> BoolArray:
    """The largest connected piece of a mask, its holes filled."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    piece = labels == 1 + stats[1:, cv2.CC_STAT_AREA].argmax()
    around = np.pad(1 - piece.astype(np.uint8), 1, constant_values=1)
    cv2.floodFill(around, np.zeros((around.shape[0] + 2, around.shape[1] + 2), np.uint8), (0, 0), 2)
    return np.asarray(around[1:-1, 1:-1] != 2)


def _square(radius: float) -> Array:
    return np.ones((2 * max(1, round(radius)) + 1,) * 2, np.uint8)


def _row(name: str, figures: Array | list[float]) -> str:
    return f"{name:28} {figures[0]:8.4f} {figures[1]:7.3f} {figures[2]:8.4f} {figures[3]:7.3f}"


if __name__ == "__main__":
    typer.run(main)
