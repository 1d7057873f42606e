"""A given picture in which one face is redrawn as somebody else's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from hifi_portrait.errors import TargetError
from hifi_portrait.faces import FaceAnalyser, ImageLike, analyse, load_image, source_name
from hifi_portrait.faces.geometry import cut_out, pixel_affine, transform_points
from hifi_portrait.fitting import fit
from hifi_portrait.fitting.keypoints import project_landmarks
from hifi_portrait.head import HeadModel
from hifi_portrait.head.glasses import FRAMES
from hifi_portrait.landmarks import LandmarkImage
from hifi_portrait.landmarks.contours import FACE_OVAL
from hifi_portrait.person.target import Target
from hifi_portrait.warp.glasses.draw import draw_glasses
from hifi_portrait.warp.image.morphology import disc

Picture = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.float32]

_SHADE = 0.35  # of the face's height: over which its light is taken from the picture
_SOFT = 0.06  # of the face's height: over which the face gives way to the picture
_GROWN = 0.04  # of the face's height: how much farther than the face is redrawn
_LEAST_LIT = 1e-3  # share of a face nearby below which its mean shade counts
_MOST_RELIT = 6.0  # times that a colour is made lighter or darker at most


@dataclass(frozen=True, eq=False)
class Scene:
    """A picture, and the face in it that is to be redrawn.

    Attributes
    ----------
    picture
        uint8 RGB (H, W, 3).
    landmarks
        (478, 3) of the face, in pixels of the picture.
    to_crop
        (3, 3) from these to a portrait crop of side 1.
    target
        What the face shows in that crop: expression, pose, gaze and framing.
    """

    picture: Picture
    landmarks: npt.NDArray[Any]
    to_crop: npt.NDArray[Any]
    target: Target

    @classmethod
    def from_photo(cls, photo: ImageLike, *, face: int = 0, analyser: FaceAnalyser | None = None) -> Scene:
        """The scene of a photo, of the face of that number, counted from the largest.

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
        try:
            target = Target.from_geometry(geometry)
        except TargetError as error:
            raise TargetError(f"{source_name(photo)}: the face cannot be followed: {error}") from error
        to_crop = np.diag([1 / size, 1 / size, 1]) @ found.crop_transform
        return cls(load_image(photo), found.landmarks, to_crop, target)

    def crop(self, size: int) -> Picture:
        """The portrait crop about the face, (size, size, 3)."""
        return cut_out(self.picture, self._transform(size), size)

    def received(
        self, warp: npt.NDArray[Any], coverage: npt.NDArray[Any], drawn: LandmarkImage
    ) -> tuple[npt.NDArray[np.float32], Mask]:
        """This scene's crop with a person's face in it, in the scene's light.

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
        face = self._face(drawn)
        shown = _soft(_filled(face, size), _SOFT * _height(face))
        crop = self.crop(size).astype(np.float32)
        lit = _soft(_filled(self._old_face(size), size), _SOFT * _height(face))
        relit = _in_light_of((crop, lit), (warp.astype(np.float32), shown), _SHADE * _height(face))
        worn, frame = _with_glasses(crop + shown[..., None] * (relit - crop), drawn)
        return worn, np.maximum(1 + shown * (coverage - 1), frame).astype(np.float32)

    def mask(self, drawn: LandmarkImage) -> Mask:
        """How much of each pixel of the crop is redrawn (size, size), in [0, 1]: the old face and the new."""
        size = drawn.image.shape[0]
        new, old = self._face(drawn), self._old_face(size)
        _, frame = _with_glasses(np.zeros((size, size, 3), np.float32), drawn)
        both = np.maximum(np.maximum(_filled(new, size), _filled(old, size)), (frame > 0).astype(np.float32))
        grown = _grown(both, _GROWN * _height(new))
        return _soft(grown, _SOFT * _height(new))

    def paste(self, portrait: Picture, mask: Mask) -> Picture:
        """The whole picture with a crop (S, S, 3), as a pipeline draws it, in its place.

        Parameters
        ----------
        portrait
            uint8 RGB (S, S, 3).
        mask
            (S, S), what of it was redrawn; see `mask`.
        """
        height, width = self.picture.shape[:2]
        joined: npt.NDArray[Any] = np.dstack([portrait.astype(np.float32), 255 * mask])
        scale = np.sqrt(abs(np.linalg.det(self.to_crop[:2, :2])))  # of a crop of side 1
        if portrait.shape[0] * scale > 1:  # drawn larger than its place: reductions are averaged
            joined = cv2.resize(joined, [max(1, round(1 / scale))] * 2, interpolation=cv2.INTER_AREA)
        affine = pixel_affine(np.linalg.inv(self._transform(joined.shape[0])))
        moved = cv2.warpAffine(joined, affine, (width, height), flags=cv2.INTER_CUBIC)
        share = (moved[..., 3:] / 255).clip(0, 1)
        pasted = self.picture + share * (moved[..., :3] - self.picture)
        return np.asarray(pasted.round().clip(0, 255), np.uint8)

    def _transform(self, size: int) -> npt.NDArray[Any]:
        transform: npt.NDArray[Any] = np.diag([size, size, 1]) @ self.to_crop
        return transform

    def _old_face(self, size: int) -> npt.NDArray[Any]:
        """Outline (36, 3) of the picture's own face in the crop, in pixels."""
        return transform_points(self.landmarks, self._transform(size))[list(FACE_OVAL)]

    @staticmethod
    def _face(drawn: LandmarkImage) -> npt.NDArray[Any]:
        """Outline (36, 2) of a drawn head's face, in pixels."""
        return project_landmarks(HeadModel.load(), drawn.vertices, drawn.geometry.camera, FACE_OVAL)


def _with_glasses(picture: npt.NDArray[np.float32], drawn: LandmarkImage) -> tuple[Mask, Mask]:
    """A picture (S, S, 3) in [0, 255] of a drawn head with the glasses that it is to wear; their share."""
    if drawn.glasses not in FRAMES:
        return picture, np.zeros(picture.shape[:2], np.float32)
    loose = np.zeros(picture.shape[:2], np.float32)
    return draw_glasses(picture, drawn.glasses, drawn.raster, loose, drawn.geometry, HeadModel.load())


def _height(outline: npt.NDArray[Any]) -> float:
    return float(np.ptp(outline[:, 1]))


def _filled(outline: npt.NDArray[Any], size: int) -> Mask:
    """The hull of an outline (K, 2 or more) as a mask."""
    mask = np.zeros((size, size), np.float32)
    hull = cv2.convexHull(np.asarray(outline[:, :2], np.float32).round().astype(np.int32))
    cv2.fillConvexPoly(mask, hull, 1.0)
    return mask


def _grown(mask: Mask, pixels: float) -> Mask:
    return np.asarray(cv2.dilate(mask, disc(2 * max(1, round(pixels)) + 1)), np.float32)


def _soft(mask: Mask, pixels: float) -> Mask:
    """A mask that fades out inwards over so many pixels."""
    distance = cv2.distanceTransform((mask > 0.5).astype(np.uint8), cv2.DIST_L2, 5)
    share = np.clip(distance / max(pixels, 1), 0, 1)
    return np.asarray(share * share * (3 - 2 * share), np.float32)


def _in_light_of(
    light: tuple[npt.NDArray[np.float32], Mask], face: tuple[npt.NDArray[np.float32], Mask], reach: float
) -> npt.NDArray[np.float32]:
    """A face (H, W, 3) with the wide shades that another has, each within the own mask (H, W).

    Far from the other its mean shade counts; where there is none, the face stays as it is.
    """
    if light[1].sum() < 1:
        return face[0]

    def wide(picture: npt.NDArray[np.float32], mask: Mask) -> npt.NDArray[np.float32]:
        total = cv2.GaussianBlur(picture * mask[..., None], (0, 0), reach)
        share = cv2.GaussianBlur(mask, (0, 0), reach)[..., None]
        mean = (picture * mask[..., None]).sum(axis=(0, 1)) / max(float(mask.sum()), 1e-4)
        return np.asarray((total + _LEAST_LIT * mean) / (share + _LEAST_LIT), np.float32)

    ratio = np.clip((wide(*light) + 4) / (wide(*face) + 4), 1 / _MOST_RELIT, _MOST_RELIT)
    return np.asarray(np.clip(face[0] * ratio, 0, 255), np.float32)
