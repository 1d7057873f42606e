"""The light of a place or a studio on a person: by which factors each pixel becomes lighter or darker.

The photos' own light is taken to be soft and from the front, and what it shows of the person's form stays.
Directions of the surface are those of the fitted head; hair and body beside it take them from the head
nearby and from the person's outline, towards which a body turns away.
"""

from __future__ import annotations

import cv2
import numpy as np

from hifi_portrait.faces.pull_push import inpaint
from hifi_portrait.head.arrays import Array, FloatArray
from hifi_portrait.head.model import HeadModel
from hifi_portrait.landmarks.generator import LandmarkImage
from hifi_portrait.person.background import Background
from hifi_portrait.scenery.irradiance import irradiance
from hifi_portrait.scenery.studio import LightOnPerson, StudioLight, named_lights
from hifi_portrait.scenery.tone import LUMINANCE

_SIDE = 192
"""Pixels of the small picture in which directions and light are computed: light has no fine detail."""
_OWN_AMBIENT = 0.75
"""Fraction of the photos' own light that comes from all around; the rest is from the front."""
_STRENGTH = 0.75
"""Power of the change of brightness, below 1 because the photos' own shading stays."""
_TINT = 0.8
"""Power of the change of hue."""
_TINT_BEHIND = 0.6
"""The same on the photo's own background."""
_BOUNDS = (0.25, 2.2)
"""Factors on brightness between which the change is held, before `_STRENGTH`."""
_OUTLINE_WIDTH = 0.03
"""Standard deviation, as a fraction of the side, of the blur by which the outline's direction is found."""
_JOINING = 0.02
"""The same of the blur over which directions of the head go over into those beside it."""
_SMOOTHING = 0.012
"""The same of the last blur."""


def choose_light(
    background: Background, name: str, head: LandmarkImage, alpha: FloatArray
) -> LightOnPerson | None:
    """Compute what a named light does to a drawn person, or, for "photo", that of the place behind them.

    None where the photo's own light stays. Arguments are those of `light_person`; the name is one of
    `LIGHT_NAMES`, or "photo".
    """
    light = background.light if name == "photo" else named_lights()[name]
    return None if light is None else light_person(head, alpha, light)


def light_person(head: LandmarkImage, alpha: FloatArray, light: StudioLight) -> LightOnPerson:
    """Compute by which factors a light changes a drawn person.

    Parameters
    ----------
    head
        The drawn head.
    alpha
        (H, W) in [0, 1], how much of each pixel is the person.
    light
        What falls on them.

    Returns
    -------
    LightOnPerson
        Its factors are about the light's exposure in the mean over the head.
    """
    height, width = alpha.shape
    scale = min(1.0, _SIDE / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    normals, on_head = _find_normals(head, alpha, size)
    own = _OWN_AMBIENT + (1 - _OWN_AMBIENT) * np.maximum(-normals[..., 1:2], 0)
    ratio = irradiance(light.lights, normals) / own
    weight = (on_head * cv2.resize(alpha, size, interpolation=cv2.INTER_AREA))[..., None]
    mean = (ratio * weight).sum((0, 1)) / max(float(weight.sum()), 1e-6)
    ratio = ratio / max(float(mean @ LUMINANCE), 1e-6)
    brightness = ratio @ LUMINANCE
    hue = ratio / np.maximum(brightness, 1e-6)[..., None]
    factors = (np.clip(brightness, *_BOUNDS) ** _STRENGTH)[..., None] * hue**_TINT
    of_all = (factors * weight).sum((0, 1)) / max(float(weight.sum()), 1e-6)
    hue_of_all = (of_all / max(float(of_all @ LUMINANCE), 1e-6)) ** _TINT_BEHIND
    large = cv2.resize(
        np.asarray(light.exposure * factors, np.float32), (width, height), interpolation=cv2.INTER_LINEAR
    )
    return LightOnPerson(np.asarray(large, np.float32), np.asarray(light.behind * hue_of_all, np.float32))


def _find_normals(head: LandmarkImage, alpha: FloatArray, size: tuple[int, int]) -> tuple[Array, FloatArray]:
    """Find directions (h, w, 3) of a person's surface, and where (h, w) the head is, in a small picture."""
    model, side = HeadModel.load(), max(size)
    whole = head.raster.interpolate(model.normals(head.vertices), model.triangles)
    mask = head.raster.mask.astype(np.float32)
    on_head = cv2.resize(mask, size, interpolation=cv2.INTER_AREA)
    known = cv2.resize(whole * mask[..., None], size, interpolation=cv2.INTER_AREA)
    known = known / np.maximum(on_head, 1e-3)[..., None]
    person = cv2.GaussianBlur(
        cv2.resize(alpha, size, interpolation=cv2.INTER_AREA), (0, 0), _OUTLINE_WIDTH * side
    )
    down, right = np.gradient(person)
    slope = np.hypot(right, down)
    aside = np.clip(1.6 * slope / max(float(slope.max()), 1e-6), 0, 1)
    away = np.maximum(slope, 1e-6)
    outline = np.stack([-right / away * aside, -np.sqrt(1 - aside**2), down / away * aside], -1)
    beside = 0.5 * inpaint(np.asarray(known, np.float32), on_head) + 0.5 * outline
    joined = (on_head * cv2.GaussianBlur(on_head, (0, 0), _JOINING * side))[..., None]
    normals = cv2.GaussianBlur(
        np.asarray(joined * known + (1 - joined) * beside, np.float32), (0, 0), _SMOOTHING * side
    )
    unit = normals / np.maximum(np.linalg.norm(normals, axis=-1, keepdims=True), 1e-6)
    return unit, np.asarray(on_head, np.float32)
