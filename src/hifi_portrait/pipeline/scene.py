"""A given picture in which one face is redrawn as somebody else's."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import cv2
import numpy as np

from hifi_portrait.errors import TargetError
from hifi_portrait.faces import FaceAnalyser, ImageLike, analyse, source_name
from hifi_portrait.faces.geometry import cut_out, pixel_affine, transform_points
from hifi_portrait.faces.image import load_with_alpha
from hifi_portrait.fitting import fit
from hifi_portrait.fitting.keypoints import project_landmarks
from hifi_portrait.head import HeadModel
from hifi_portrait.head.arrays import Array, ByteArray, FloatArray
from hifi_portrait.head.glasses import FRAMES
from hifi_portrait.head.numerics import smoothstep
from hifi_portrait.landmarks import LandmarkImage
from hifi_portrait.landmarks.contours import FACE_OVAL
from hifi_portrait.person.covered_faces import describe_odd_places
from hifi_portrait.person.target import Target
from hifi_portrait.pipeline.relight import relight
from hifi_portrait.warp.glasses.draw import draw_glasses
from hifi_portrait.warp.image.morphology import disc
from hifi_portrait.warp.settings import GlassesDrawingSettings

logger = logging.getLogger(__name__)

# Lengths are fractions of the face's height in the crop.
_FADING_WIDTH = 0.06
"""Width over which the face gives way to the picture."""
_REDRAWN_MARGIN = 0.04
"""How much farther than the face the picture is redrawn."""
_GROUND = 128
"""Grey on which the networks see what is transparent."""


@dataclass(frozen=True, eq=False)
class Scene:
    """A picture, and the face in it that is to be redrawn."""

    picture: ByteArray
    """(H, W, 3), RGB."""
    landmarks: Array
    """(478, 3) of the face, in pixels of the picture."""
    to_crop: Array
    """(3, 3) transform from these to a portrait crop of side 1."""
    target: Target
    """What the face shows in that crop: expression, pose, gaze and framing."""
    alpha: ByteArray | None = None
    """(H, W), 255 where the picture is opaque; None if all of it is. It stays as it is."""

    @classmethod
    def from_photo(
        cls, photo: ImageLike, *, face: int | None = None, analyser: FaceAnalyser | None = None
    ) -> Scene:
        """Make the scene of a photo, with the face of that number, counted from the largest (0).

        Without a number it is the largest. A warning in the log says that there are several, or that
        something may be before the face, which is drawn over.

        Raises
        ------
        ImageError, NoFaceError
            The photo cannot be used, or has no such face.
        TargetError
            The head is turned further than a target may be.
        """
        found = analyse(photo, index=face, analyser=analyser)
        size = found.crop.shape[0]
        geometry = fit([found.crop_landmarks], [(size, size)]).geometries[0]
        odd = describe_odd_places(found, geometry)
        if odd is not None:
            logger.warning("%s: something may cover %s: it is drawn over", source_name(photo), odd)
        try:
            target = Target.from_geometry(geometry)
        except TargetError as error:
            raise TargetError(f"{source_name(photo)}: the face cannot be followed: {error}") from error
        to_crop = np.diag([1 / size, 1 / size, 1]) @ found.crop_transform
        picture, alpha = load_with_alpha(photo)
        return cls(picture, found.landmarks, to_crop, target, alpha)

    def crop(self, size: int) -> ByteArray:
        """Cut the portrait crop about the face out of the picture, (size, size, 3)."""
        picture: Array = self.picture
        if self.alpha is not None:
            opaque = self.alpha[..., None] / np.float32(255)
            picture = (picture * opaque + _GROUND * (1 - opaque)).round().astype(np.uint8)
        return cut_out(picture, self._transform(size), size)

    def receive_warp(
        self, warp: Array, coverage: Array, drawn: LandmarkImage
    ) -> tuple[FloatArray, FloatArray]:
        """Put a person's face into the scene's crop, in the scene's light.

        Parameters
        ----------
        warp, coverage
            (S, S, 3) in [0, 255] and (S, S) in [0, 1]: the person's plain warp.
        drawn
            The person's head with this scene's target, (S, S).

        Returns
        -------
        picture, coverage
            (S, S, 3) in [0, 255] and (S, S) in [0, 1], as those of a warp; the scene's own pixels are sure.
        """
        size = drawn.image.shape[0]
        face = self._outline(drawn)
        shown = _fade_edge(_fill_hull(face, size), _FADING_WIDTH * _height_of(face))
        crop = self.crop(size).astype(np.float32)
        lit = _fade_edge(_fill_hull(self._old_outline(size), size), _FADING_WIDTH * _height_of(face))
        relit = relight(crop, warp.astype(np.float32), lit, shown, _height_of(face))
        worn, frame = _put_on_glasses(crop + shown[..., None] * (relit - crop), drawn)
        return worn, np.maximum(1 + shown * (coverage - 1), frame).astype(np.float32)

    def mask(self, drawn: LandmarkImage) -> FloatArray:
        """Mask what of the crop (S, S) is redrawn, in [0, 1]: the old face and the new one."""
        size = drawn.image.shape[0]
        new, old = self._outline(drawn), self._old_outline(size)
        _, frame = _put_on_glasses(np.zeros((size, size, 3), np.float32), drawn)
        both = np.maximum(
            np.maximum(_fill_hull(new, size), _fill_hull(old, size)), (frame > 0).astype(np.float32)
        )
        grown = _dilate(both, _REDRAWN_MARGIN * _height_of(new))
        return _fade_edge(grown, _FADING_WIDTH * _height_of(new))

    def paste(self, portrait: ByteArray, mask: FloatArray) -> ByteArray:
        """Paste a portrait, which a pipeline drew of the crop, into the whole picture.

        Parameters
        ----------
        portrait
            (S, S, 3), RGB.
        mask
            (S, S) in [0, 1], what of it was redrawn; see `mask`.

        Returns
        -------
        ByteArray
            (H, W, 3), the picture; (H, W, 4) if it is transparent in part.
        """
        height, width = self.picture.shape[:2]
        joined: Array = np.dstack([portrait.astype(np.float32), 255 * mask])
        scale = np.sqrt(abs(np.linalg.det(self.to_crop[:2, :2])))  # of a crop of side 1
        if portrait.shape[0] * scale > 1:  # drawn larger than its place: reductions are averaged
            joined = cv2.resize(joined, [max(1, round(1 / scale))] * 2, interpolation=cv2.INTER_AREA)
        affine = pixel_affine(np.linalg.inv(self._transform(joined.shape[0])))
        moved = cv2.warpAffine(joined, affine, (width, height), flags=cv2.INTER_CUBIC)
        fraction = (moved[..., 3:] / 255).clip(0, 1)
        pasted = self.picture + fraction * (moved[..., :3] - self.picture)
        whole = np.asarray(pasted.round().clip(0, 255), np.uint8)
        return whole if self.alpha is None else np.dstack([whole, self.alpha])

    def _transform(self, size: int) -> Array:
        transform: Array = np.diag([size, size, 1]) @ self.to_crop
        return transform

    def _old_outline(self, size: int) -> Array:
        """Outline (36, 3) of the picture's own face in the crop, in pixels."""
        return transform_points(self.landmarks, self._transform(size))[list(FACE_OVAL)]

    @staticmethod
    def _outline(drawn: LandmarkImage) -> Array:
        """Outline (36, 2) of a drawn head's face, in pixels."""
        return project_landmarks(HeadModel.load(), drawn.vertices, drawn.geometry.camera, FACE_OVAL)


def _put_on_glasses(picture: FloatArray, drawn: LandmarkImage) -> tuple[FloatArray, FloatArray]:
    """Put the requested glasses on a drawn head in a picture (S, S, 3); also their fraction of each pixel."""
    if drawn.glasses not in FRAMES:
        return picture, np.zeros(picture.shape[:2], np.float32)
    loose = np.zeros(picture.shape[:2], np.float32)
    settings = GlassesDrawingSettings()
    head = drawn.raster, loose, drawn.geometry, HeadModel.load()
    return draw_glasses(picture, drawn.glasses, *head, settings)


def _height_of(outline: Array) -> float:
    return float(np.ptp(outline[:, 1]))


def _fill_hull(outline: Array, size: int) -> FloatArray:
    """Fill the hull of an outline (K, 2 or more) as a mask."""
    mask = np.zeros((size, size), np.float32)
    hull = cv2.convexHull(np.asarray(outline[:, :2], np.float32).round().astype(np.int32))
    cv2.fillConvexPoly(mask, hull, 1.0)
    return mask


def _dilate(mask: FloatArray, pixels: float) -> FloatArray:
    return np.asarray(cv2.dilate(mask, disc(2 * max(1, round(pixels)) + 1)), np.float32)


def _fade_edge(mask: FloatArray, pixels: float) -> FloatArray:
    """Fade a mask out inwards over so many pixels."""
    distance = cv2.distanceTransform((mask > 0.5).astype(np.uint8), cv2.DIST_L2, 5)
    return np.asarray(smoothstep(distance / max(pixels, 1)), np.float32)
