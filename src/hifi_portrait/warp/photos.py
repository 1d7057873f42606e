"""References' pictures as the warp reads them: of its size, and of the person alone."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from hifi_portrait.head.arrays import Array, ByteArray, FloatArray
from hifi_portrait.head.model import HeadModel
from hifi_portrait.person.references import References
from hifi_portrait.warp.holes import mend_matte, solid_head
from hifi_portrait.warp.image.inpaint import inpaint
from hifi_portrait.warp.image.morphology import square
from hifi_portrait.warp.image.photo_frame import in_photo
from hifi_portrait.warp.settings import PhotoSettings, WarpSettings


@dataclass(frozen=True, eq=False)
class CleanPhotos:
    """N photos of the person alone.

    Attributes
    ----------
    crops
        (N, S, S, 3) uint8.
    mattes
        (N, S, S) in [0, 1].
    shown
        (N, S, S) in [0, 1], where crops show their photos, from `in_photo`.
    solid
        (N, S, S) in [0, 1], the mattes without the person's edge.
    """

    crops: ByteArray
    mattes: FloatArray
    shown: FloatArray
    solid: FloatArray


def clean_photos(references: References, size: int, model: HeadModel, settings: WarpSettings) -> CleanPhotos:
    """Clean the photos of references for a picture ``size`` pixels high.

    Photos that are much larger than the picture, and would alias, are shrunk to its size.
    """
    crops = np.ascontiguousarray(references.crops)
    mattes = np.ascontiguousarray(references.mattes, np.float32)
    shown = np.stack([in_photo(crop) for crop in crops])
    if crops.shape[1] > settings.photos.shrink_from * size:
        crops, mattes, shown = (_shrink(pictures, size) for pictures in (crops, mattes, shown))
    if references.label_maps is not None:
        solid = [solid_head(head, model, settings.holes) for head in references.geometries]
        photos = zip(crops, mattes, references.label_maps, solid, strict=True)
        mattes = np.stack([mend_matte(*photo, settings.holes) for photo in photos])
    return CleanPhotos(crops, mattes, shown, _erode_mattes(mattes, settings.photos) * shown)


def _shrink(pictures: Array, size: int) -> Array:
    """Shrink N square pictures to a side of ``size``."""
    return np.stack([cv2.resize(one, (size, size), interpolation=cv2.INTER_AREA) for one in pictures])


def own_colours(crop: ByteArray, matte: FloatArray, settings: PhotoSettings) -> ByteArray:
    """Continue a person's colours (S, S, 3) beyond where a matte (S, S) is theirs alone.

    At the person's edge a photo shows them mixed with the background's.
    """
    pure = cv2.erode(matte, np.ones((3, 3), np.uint8)) > settings.pure_matte
    own = inpaint(crop.astype(np.float32), pure.astype(np.float32))
    return np.where(pure[..., None], crop, np.clip(own + 0.5, 0, 255)).astype(np.uint8)


def _erode_mattes(mattes: Array, settings: PhotoSettings) -> FloatArray:
    """Mattes (N, S, S) without the person's edge, where too large a head would show background."""
    kernel = square(mattes.shape[1] * settings.matte_margin)
    sigma = settings.matte_softness * mattes.shape[1]
    return np.stack([cv2.GaussianBlur(cv2.erode(matte, kernel), (0, 0), sigma) for matte in mattes])
