"""Copies of a photo: the best of each set stays.

Exact copies have the same bytes or the same pixels. Near ones have nearly the same perceptual hash (PDQ) of
the picture, or of the aligned face or its mirror image with the landmarks in the same places, which finds
cropped and mirrored copies. A second photo of one sitting has other landmarks, and is none.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hifi_portrait.dataset.curate.faces import Faces, compared_landmarks
from hifi_portrait.dataset.curate.neighbours import nearest
from hifi_portrait.dataset.curate.reasons import Rejection
from hifi_portrait.head.arrays import FloatArray

_EXACT_SIDE, _MOST_GROWTH = 200.0, 2.2
"""Pixels of a face's side below which its landmarks are found less exactly, and how much that may count."""

_CHIP_MIDDLE = 74.3
"""Pixels from the left of the aligned face at which `align_chip` puts the middle of a face."""


@dataclass(frozen=True, kw_only=True)
class DuplicateOptions:
    """How near a copy is. Measured by ``benchmarks/dataset_pipeline duplicates``."""

    picture_bits: int = 31
    """Bits of 256 in which the hashes of two copies differ at most."""
    face_bits: int = 60
    """The same of aligned faces, whose landmarks are then compared."""
    sure_bits: int = 16
    """Bits of aligned faces up to which it is the same picture, wherever landmarks were found in it."""
    landmark_distance: float = 0.5
    """Pixels of the aligned face, of 150 a side, that landmarks of two copies are apart at most, in the mean.

    Crops of 8 % moved them by .28 to .42 in faces of 250 pixels; of two photos of one sitting the nearest
    were .60 apart. Of smaller faces landmarks are found less exactly, and the distance grows with that."""
    mirrored_distance: float = 1.5
    """The same of a mirrored copy, whose landmarks are found less alike: .7 to 1.1 were measured."""
    same_face: float = 0.9
    """Cosine below which two faces are no copies of each other, whatever the hashes say."""


def find_duplicates(
    faces: Faces, options: DuplicateOptions, gone: Mapping[int, Rejection] | None = None
) -> dict[int, Rejection]:
    """Find faces of copies, of which a better one, or an earlier one of the same bytes, stays.

    Parameters
    ----------
    faces
        All faces.
    options
        How near a copy is.
    gone
        Faces that are left out already: they are among what is returned, and nothing is a copy of them.

    Returns
    -------
    dict of int to Rejection
        Index of each face that goes, and why.
    """
    rejected = dict(gone or {})
    first: dict[tuple[str, int], int] = {}
    for index in range(len(faces)):
        if index in rejected:
            continue
        for key in (faces.sha256[index], faces.pixels[index]):
            earlier = first.setdefault((key, int(faces.face[index])), index)
            if faces.picture[earlier] != faces.picture[index]:
                rejected[index] = Rejection(reason="exact_duplicate", detail=faces.name(earlier))
                break
    left = np.array([index for index in range(len(faces)) if index not in rejected], np.int64)
    copies: dict[int, dict[int, float]] = {}
    for one, other, bits in _near_pairs(faces, left, options):
        copies.setdefault(one, {})[other] = bits
        copies.setdefault(other, {})[one] = bits
    faces_in = np.bincount(faces.picture)
    by_merit = sorted(
        copies, key=lambda index: (-_merit(faces, index), faces_in[faces.picture[index]], index)
    )
    stays: set[int] = set()
    for index in by_merit:
        better = sorted(stays & copies[index].keys(), key=lambda each: copies[index][each])
        if better:
            rejected[index] = Rejection(
                reason="near_duplicate", value=copies[index][better[0]], detail=faces.name(better[0])
            )
        else:
            stays.add(index)
    return rejected


def _merit(faces: Faces, index: int) -> int:
    """Tell how good a copy is, in steps, by pixels and quality of the face, and by whether it has a name.

    Among equals the picture with fewer faces is better, and then the first.
    """
    steps = round(5 * float(np.log(max(faces.area[index] * faces.quality[index] ** 2, 1e-6))))
    return steps + (_NAMED if faces.group[index] else 0)


_NAMED = 3
"""Steps that a copy whose folder says who it is is better by: as much as 1.8 times as many pixels."""


def _near_pairs(
    faces: Faces, left: npt.NDArray[np.int64], options: DuplicateOptions
) -> Iterator[tuple[int, int, float]]:
    """Yield pairs of faces that are copies, and by how many bits they differ.

    Copies show the same face, so that only faces alike are compared.
    """
    neighbours, similarities = nearest(faces.vectors[left])
    mirror = compared_landmarks()[1]
    for place, (others, cosines) in enumerate(zip(neighbours, similarities, strict=True)):
        one = int(left[place])
        for other in left[others[cosines >= options.same_face]]:
            if faces.picture[one] == faces.picture[other] or _in_one_video(faces, one, int(other)):
                continue
            bits = _distance(faces.pdq[one], faces.pdq[other])
            if bits <= options.picture_bits:
                yield one, int(other), float(bits)
                continue
            shape = faces.shapes[other]
            growth = landmark_error(float(min(faces.area[one], faces.area[other])))
            for hashes, shown, most in (
                (faces.chip_pdq, shape, options.landmark_distance * growth),
                (faces.mirrored_pdq, _mirrored(shape, mirror), options.mirrored_distance),
            ):
                bits = _distance(faces.chip_pdq[one], hashes[other])
                apart = float(np.linalg.norm(faces.shapes[one] - shown, axis=1).mean())
                if bits <= options.sure_bits or (bits <= options.face_bits and apart <= most):
                    yield one, int(other), float(bits)
                    break


def landmark_error(area: float) -> float:
    """Tell how much less exactly landmarks are found in a face of so many pixels than in a large one."""
    return min(max(_EXACT_SIDE / max(math.sqrt(area), 1.0), 1.0), _MOST_GROWTH)


def _in_one_video(faces: Faces, one: int, other: int) -> bool:
    """Tell whether faces are of one video, of which `find_repeats` decides what is too much alike."""
    return (
        faces.frame[one] is not None
        and faces.original[one] == faces.original[other]
        and faces.source[one] == faces.source[other]
    )


def _distance(one: npt.NDArray[np.uint8], other: npt.NDArray[np.uint8]) -> int:
    return int(np.bitwise_count(one ^ other).sum())


def _mirrored(shape: FloatArray, mirror: npt.NDArray[np.int64]) -> FloatArray:
    """Give the places (L, 2) that the landmarks have in the mirror image of the aligned face."""
    return np.asarray(np.array([2 * _CHIP_MIDDLE, 0]) + shape[mirror] * np.array([-1, 1]), np.float32)
