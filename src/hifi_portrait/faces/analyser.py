"""A photo -> its faces: the parts put together."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import islice
from typing import Any, TypeVar

import cv2
import numpy as np

from hifi_portrait.errors import ImageError, NoFaceError, SeveralFacesError
from hifi_portrait.faces.confirm import confirmed_faces, is_profile
from hifi_portrait.faces.detector import MediaPipeFaceDetector
from hifi_portrait.faces.face import Face, MeasuredFace
from hifi_portrait.faces.geometry import (
    crop_size,
    crop_square,
    cut_out,
    shows_more,
    square_transform,
    transform_points,
    upright_turn,
    wide_margin,
)
from hifi_portrait.faces.image import ImageLike, load_image, source_name
from hifi_portrait.faces.landmarker import MediaPipeLandmarker
from hifi_portrait.faces.parsing import default_parsing
from hifi_portrait.faces.protocols import Detection, FaceDetector, Landmarker, Matting, Parsing, Recogniser
from hifi_portrait.faces.quality import face_quality, face_view
from hifi_portrait.faces.recogniser import DlibRecogniser, align_chip
from hifi_portrait.faces.refined_matting import RefinedMatting
from hifi_portrait.fitting.keypoints import KEYPOINTS
from hifi_portrait.head.arrays import ByteArray, FloatArray
from hifi_portrait.head.numerics import as_whole

logger = logging.getLogger(__name__)

_Found = TypeVar("_Found", Face, MeasuredFace)

_MOST_FACES = 1_000_000
"""More than any photo shows, and few enough to count."""

MIN_CROP_SIDE = 64.0
"""Faces whose portrait crop has fewer photo pixels a side than this are not used."""

_MIN_SECOND_FACE = 0.25
"""Faces smaller than this fraction of the largest do not count as a second person."""

_JOINED_MATTES = 0.03
"""Length, in crops, over which the matte of a wide crop changes over to that of the portrait crop."""

_KEYPOINT_LANDMARKS = list(KEYPOINTS.values())


@dataclass(frozen=True)
class FaceAnalyser:
    """The parts that analyse a face, each exchangeable for anything that fits its protocol."""

    detector: FaceDetector = field(default_factory=MediaPipeFaceDetector)
    landmarker: Landmarker = field(default_factory=MediaPipeLandmarker)
    matting: Matting = field(default_factory=RefinedMatting)
    recogniser: Recogniser = field(default_factory=DlibRecogniser)
    parsing: Parsing = field(default_factory=default_parsing)
    """Run for the photos of an identity only, once each."""
    wide: bool = False
    """Whether faces keep what their photos show about the portrait crop, for a head that turns to show.

    `matte_wide` gives those that are used its matte."""

    def analyse(self, photo: ImageLike, *, index: int | None = None, single: bool = False) -> Face:
        """Analyse one face of a photo.

        Parameters
        ----------
        photo
            A path, a PIL image or an array; see ``load_image``.
        index
            Which face, counted from the largest (0). The largest if not given, and a warning in the log where
            there are several.
        single
            Whether the photo must show one person only. Faces smaller than a quarter of the largest are
            taken for bystanders and do not count.

        Raises
        ------
        ImageError
            The photo cannot be used.
        NoFaceError
            There is no face, no face of that index, or it is too small.
        SeveralFacesError
            There are several, and ``single`` was asked for.
        """
        name = source_name(photo)
        image = load_image(photo)
        wanted = 0 if index is None else read_face_number(index, name)
        found = list(islice(self.find_faces(image), None if single or index is None else wanted + 1))
        people = _count_people([detection for detection, _ in found])
        if single and people > 1:
            raise SeveralFacesError(
                f"{name} shows {people} faces where one was asked for;"
                " crop it to one person, or choose a face by index (0 is the largest)"
            )
        if index is None and people > 1:
            logger.warning(
                "%s shows %d faces: the largest is taken; others have numbers from 1", name, people
            )
        if wanted >= len(found):
            raise NoFaceError(
                _missing_face_message(name, len(found), index)
                if found
                else self._describe_missing(image, name)
            )
        face = self._cut(image, self._measure(image, *found[wanted], name), name)
        return self._with_embeddings([face])[0]

    def analyse_all(self, photo: ImageLike) -> list[Face]:
        """Analyse every face of a photo, largest first; faces that are too small are left out.

        Raises
        ------
        ImageError
            The photo cannot be used.
        """
        return self.analyse_many([photo])[0]

    def analyse_many(
        self, photos: Iterable[ImageLike], *, on_error: Callable[[int, ImageError], None] | None = None
    ) -> list[list[Face]]:
        """Analyse every face of each photo, with the recogniser run once over all of them.

        Parameters
        ----------
        photos
            Paths, PIL images or arrays; see ``load_image``.
        on_error
            Called with the place of each photo that cannot be used, and why; it then has no faces. Without it
            the first one's error is raised.

        Raises
        ------
        ImageError
            A photo cannot be used, and there is no ``on_error``.
        """
        found = self._each_photo(photos, self._cut_all, on_error)
        faces = iter(self._with_embeddings([face for group in found for face in group]))
        return [[next(faces) for _ in group] for group in found]

    def measure_many(
        self, photos: Iterable[ImageLike], *, on_error: Callable[[int, ImageError], None] | None = None
    ) -> list[list[MeasuredFace]]:
        """Find and measure every face of each photo: what `analyse_many` does, without what is costly.

        Arguments and errors are those of `analyse_many`.
        """
        return self._each_photo(photos, self._measure_all, on_error)

    def _each_photo(
        self,
        photos: Iterable[ImageLike],
        describe: Callable[[ByteArray, str], list[_Found]],
        on_error: Callable[[int, ImageError], None] | None,
    ) -> list[list[_Found]]:
        found: list[list[_Found]] = []
        for number, photo in enumerate(photos):
            try:
                found.append(describe(load_image(photo), source_name(photo)))
            except ImageError as error:
                if on_error is None:
                    raise
                on_error(number, error)
                found.append([])
        return found

    def _measure_all(self, image: ByteArray, name: str) -> list[MeasuredFace]:
        faces = []
        for detection, landmarks in self.find_faces(image):
            try:
                faces.append(self._measure(image, detection, landmarks, name))
            except NoFaceError:
                continue
        return faces

    def _cut_all(self, image: ByteArray, name: str) -> list[Face]:
        return [self._cut(image, face, name) for face in self._measure_all(image, name)]

    def find_faces(self, image: ByteArray) -> Iterator[tuple[Detection, FloatArray]]:
        """Find the faces of a uint8 RGB picture (H, W, 3) that landmarks confirm, one at each place.

        The largest comes first. Landmarks (478, 3) are in pixels; see `confirmed_faces`.
        """
        return confirmed_faces(image, self.detector(image), self.landmarker)

    def _describe_missing(self, image: ByteArray, name: str) -> str:
        """Say why no face of a photo can be used: there is none, or it looks too far aside."""
        if any(is_profile(detection) for detection in self.detector(image)):
            return (
                f"{name}: the face is seen from the side, turned too far for its landmarks to be found; use a"
                " photo in which both eyes are seen"
            )
        return f"{name}: no face was found; use a photo in which the face is visible and not tiny"

    def _measure(
        self, image: ByteArray, detection: Detection, landmarks: FloatArray, name: str
    ) -> MeasuredFace:
        upright = upright_turn(landmarks)
        centre, side = crop_square(transform_points(landmarks, upright))
        if side < MIN_CROP_SIDE:
            raise NoFaceError(
                f"{name}: the face is too small: head and shoulders take {side:.0f} pixels,"
                f" at least {MIN_CROP_SIDE:.0f} are needed"
            )
        size = crop_size(side)
        chip = align_chip(image, landmarks)
        is_chip = isinstance(self.recogniser, DlibRecogniser)
        return MeasuredFace(
            box=detection.box.astype(np.float32),
            landmarks=landmarks,
            crop_transform=square_transform(centre, side, size) @ upright,
            crop_size=size,
            aligned=chip if is_chip else self.recogniser.align(image, landmarks),
            measures=face_quality(chip, landmarks, side, detection.score, face_view(image, detection.box)),
        )

    def _cut(self, image: ByteArray, face: MeasuredFace, name: str) -> Face:
        """Add all but the embedding, which is cheaper for many faces at once."""
        crop = cut_out(image, face.crop_transform, face.crop_size)
        matte = self.matting(crop)
        return Face(
            source=name,
            box=face.box,
            keypoints=face.landmarks[_KEYPOINT_LANDMARKS, :2],
            landmarks=face.landmarks,
            crop=crop,
            crop_landmarks=transform_points(face.landmarks, face.crop_transform),
            crop_transform=face.crop_transform,
            matte=matte,
            aligned=face.aligned,
            embedding=np.zeros(0, np.float32),
            quality=face.measures.score,
            measures=face.measures,
            wide_crop=_cut_wide(image, face) if self.wide else None,
        )

    def matte_wide(self, face: Face) -> Face:
        """Give a face with a matte of its wide crop, if it has one: in the middle the crop's own matte."""
        if face.wide_crop is None or face.wide_matte is not None:
            return face
        margin = wide_margin(len(face.crop))
        around = self.matting(face.wide_crop)
        inside = np.zeros(around.shape, np.uint8)
        inside[margin:-margin, margin:-margin] = 1
        joined = _JOINED_MATTES * len(face.crop)
        fade = np.clip(cv2.distanceTransform(inside, cv2.DIST_L2, 5) / joined, 0, 1)
        own = np.pad(face.matte, margin, mode="edge")
        return replace(face, wide_matte=np.asarray(around + fade * (own - around), np.float32))

    def _with_embeddings(self, faces: Sequence[Face]) -> list[Face]:
        if not faces:
            return []
        embeddings = self.recogniser(np.stack([face.aligned for face in faces]))
        return [replace(face, embedding=row.copy()) for face, row in zip(faces, embeddings, strict=True)]


@cache
def default_analyser() -> FaceAnalyser:
    """Give the analyser that is used where none is given; its models are loaded once per process."""
    return FaceAnalyser()


def analyse(
    photo: ImageLike, *, index: int | None = None, single: bool = False, analyser: FaceAnalyser | None = None
) -> Face:
    """Analyse the largest face of a photo, or the one of an index; see ``FaceAnalyser.analyse``."""
    return (analyser or default_analyser()).analyse(photo, index=index, single=single)


def analyse_all(photo: ImageLike, *, analyser: FaceAnalyser | None = None) -> list[Face]:
    """Analyse every face of a photo, largest first; see ``FaceAnalyser.analyse_all``."""
    return (analyser or default_analyser()).analyse_all(photo)


def read_face_number(number: Any, source: str = "") -> int:
    """Read which face is meant, counted from the largest (0).

    Parameters
    ----------
    number
        A whole number of Python, NumPy or torch.
    source
        Name of the photo, for the message.

    Raises
    ------
    NoFaceError
        It is no whole number of 0 or more.
    """
    whole = as_whole(number)
    if whole is None or whole < 0:
        where = f"{source}: " if source else ""
        raise NoFaceError(f"{where}faces are counted from 0 (the largest); there is no face {number!r}")
    return min(whole, _MOST_FACES)


def _cut_wide(image: ByteArray, face: MeasuredFace) -> ByteArray | None:
    """Cut out a crop with a margin; None where the photo shows nothing there."""
    size, margin = face.crop_size, wide_margin(face.crop_size)
    if not shows_more(image.shape, face.crop_transform, size):
        return None
    moved = np.array([[1.0, 0, margin], [0, 1, margin], [0, 0, 1]])
    return cut_out(image, moved @ face.crop_transform, size + 2 * margin)


def _count_people(found: Sequence[Detection]) -> int:
    """Count faces; those smaller than a quarter of the largest are bystanders' and do not count."""
    return sum(detection.size >= _MIN_SECOND_FACE * found[0].size for detection in found)


def _missing_face_message(name: str, count: int, index: int | None) -> str:
    return f"{name} has {count} face{'s'[: count > 1]}, counted from 0; there is no face {index}"
