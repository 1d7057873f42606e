"""What N photos of one person become: analysed once, saved as one file, used for every portrait."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from PIL import Image
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from hifi_portrait.errors import IdentityError
from hifi_portrait.faces import IMAGE_SUFFIXES, Face, FaceAnalyser, ImageLike, default_analyser, source_name
from hifi_portrait.faces.same_person import mean_similarity, select_person
from hifi_portrait.fitting import fit
from hifi_portrait.head import IDENTITY_COMPONENTS, HeadGeometry
from hifi_portrait.head.arrays import FloatArray
from hifi_portrait.io.atomic import atomic_write
from hifi_portrait.person.references import References

if TYPE_CHECKING:
    from hifi_portrait.person.target import Target

logger = logging.getLogger(__name__)

FORMAT = "hifi-portrait.identity"
FORMAT_VERSION = 1


@dataclass(frozen=True)
class DroppedPhoto:
    """A photo that was handed in and is not used.

    Attributes
    ----------
    source
        Its path or description.
    reason
        Why it is not used.
    similarity
        Its best face's cosine to the person, in [-1, 1]; None where no face was found.
    """

    source: str
    reason: str
    similarity: float | None = None


@dataclass(frozen=True, eq=False)
class Identity(References):
    """One person, as seen in N photos: their `References`, and what goes beyond them.

    S, the side of the crops, is the largest of 256, 512 and 1024 pixels that any of the photos fills; at 1024
    each takes 7 MB of memory with its matte.
    """

    sources: tuple[str, ...]
    """Where each of the N photos came from: its path, or a description."""
    residuals: FloatArray
    """(N,) landmark error of the fit as a fraction of the distance between the eyes."""
    identity: FloatArray
    """(80,) shape of the head."""
    embedding: FloatArray
    """(E,) of unit length: the mean, weighted by quality."""
    dropped: tuple[DroppedPhoto, ...] = ()
    """Photos that were handed in and are not used."""

    @classmethod
    def from_photos(
        cls,
        photos: ImageLike | Sequence[ImageLike],
        *,
        analyser: FaceAnalyser | None = None,
        keep_all: bool = False,
    ) -> Identity:
        """Analyse photos of one person and fit one head to all of them.

        Photos without a usable face and photos of somebody else are left out, logged, and listed in
        ``dropped``. Where a photo shows several people, the face that agrees with the other photos is taken.

        Parameters
        ----------
        photos
            Photos, one photo, or a folder of photos.
        analyser
            The parts that analyse a face; the default ones if not given.
        keep_all
            Whether to use the largest face of every photo, even where the recogniser sees somebody else.

        Raises
        ------
        ImageError
            A photo cannot be read.
        NoFaceError
            No photo has a usable face.
        IdentityError
            There is no photo, or the photos show different people and none of them in more photos than the
            others.
        """
        analyser = analyser or default_analyser()
        listed = _list_photos(photos)
        analysed = analyser.analyse_many(listed)
        faceless = [source_name(photo) for photo, group in zip(listed, analysed, strict=True) if not group]
        found = [group for group in analysed if group]
        if not found:
            found = [[analyser.analyse(listed[0])]]  # raises, saying what is wrong with it
        faces, strangers = [group[0] for group in found], list[DroppedPhoto]()
        if not keep_all:
            faces, strangers = _one_person(found, analyser.recogniser.same_person)
        dropped = [DroppedPhoto(name, "no usable face was found in it") for name in faceless] + strangers
        for photo in dropped:
            logger.warning("%s is not used: %s", photo.source, photo.reason)
        return cls._from_faces(faces, tuple(dropped))

    @classmethod
    def from_faces(cls, faces: Sequence[Face]) -> Identity:
        """Fit one head to analysed faces of one person, without asking whether they are the same person.

        Raises
        ------
        IdentityError
            There is no face.
        """
        if not faces:
            raise IdentityError("an identity needs at least one face")
        return cls._from_faces(faces, ())

    @classmethod
    def _from_faces(cls, faces: Sequence[Face], dropped: tuple[DroppedPhoto, ...]) -> Identity:
        size = max(face.crop.shape[0] for face in faces)
        views = [_at_size(face, size) for face in faces]
        quality = np.array([face.quality for face in faces], np.float32)
        embeddings = np.stack([face.embedding for face in faces]).astype(np.float32)
        landmarks = np.stack([view[2] for view in views])
        fitted = fit(
            list(landmarks), [(size, size)] * len(faces), weights=[float(value) for value in quality]
        )
        return cls(
            sources=tuple(face.source for face in faces),
            crops=np.stack([view[0] for view in views]),
            mattes=np.stack([view[1] for view in views]),
            landmarks=landmarks,
            embeddings=embeddings,
            quality=quality,
            geometries=tuple(fitted.geometries),
            residuals=np.array(fitted.residuals, np.float32),
            identity=np.array(fitted.identity, np.float32),
            embedding=_unit(quality @ np.stack([face.direction for face in faces])),
            dropped=dropped,
        )

    def warp(self, target: Target, size: int = 256) -> np.ndarray:
        """The person re-posed to the target with nothing learnt, as uint8 RGB (size, size, 3).

        The photos' own pixels, carried over the fitted head, and the glasses and the colours of hair and
        clothes that the target names; what no photo shows is filled in smoothly.
        """
        from hifi_portrait.landmarks import LandmarkGenerator
        from hifi_portrait.warp.draw import warp_picture

        drawing = LandmarkGenerator()(self.identity, target, size)
        picture, _ = warp_picture(self, drawing)
        return picture

    def save(self, path: str | PathLike[str]) -> None:
        """Write everything to one safetensors file; the file is complete or not there.

        Raises
        ------
        IdentityError
            The file cannot be written.
        """
        path = Path(path)
        geometry = [geometry.to_dict() for geometry in self.geometries]
        tensors = {
            "crops": self.crops,
            "mattes": np.rint(self.mattes * 255).astype(np.uint8),
            "landmarks": self.landmarks,
            "embeddings": self.embeddings,
            "quality": self.quality,
            "residuals": self.residuals,
            "identity": self.identity,
            "embedding": self.embedding,
            **{f"geometries.{name}": np.stack([each[name] for each in geometry]) for name in geometry[0]},
        }
        metadata = {
            "format": FORMAT,
            "version": str(FORMAT_VERSION),
            "sources": json.dumps(self.sources),
            "dropped": json.dumps([asdict(photo) for photo in self.dropped]),
        }
        contiguous = {name: np.ascontiguousarray(value) for name, value in tensors.items()}
        try:
            with atomic_write(path) as partial:
                save_file(contiguous, partial, metadata)
        except (OSError, SafetensorError) as error:
            raise IdentityError(f"{path}: the identity cannot be written: {error}") from error

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Identity:
        """Read what ``save`` wrote.

        Raises
        ------
        IdentityError
            The file is missing, damaged, not an identity, or of a newer release's format.
        """
        tensors, metadata = _read(Path(path))
        try:
            return cls._from_tensors(tensors, metadata)
        except (KeyError, ValueError, TypeError, IndexError) as error:
            raise IdentityError(
                f"{path} is a damaged identity: {error!r}; make it again from photos"
            ) from error

    @classmethod
    def _from_tensors(cls, tensors: Mapping[str, np.ndarray], metadata: Mapping[str, str]) -> Identity:
        sources = tuple(str(source) for source in json.loads(metadata["sources"]))
        _check_shapes(tensors, len(sources))
        prefix = "geometries."
        stacked = {
            name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)
        }
        return cls(
            sources=sources,
            crops=tensors["crops"],
            mattes=tensors["mattes"].astype(np.float32) / np.float32(255),
            landmarks=tensors["landmarks"],
            embeddings=tensors["embeddings"],
            quality=tensors["quality"],
            geometries=tuple(
                HeadGeometry.from_dict({name: value[index] for name, value in stacked.items()})
                for index in range(len(sources))
            ),
            residuals=tensors["residuals"],
            identity=tensors["identity"],
            embedding=tensors["embedding"],
            dropped=tuple(DroppedPhoto(**photo) for photo in json.loads(metadata["dropped"])),
        )


def _list_photos(photos: ImageLike | Sequence[ImageLike]) -> list[ImageLike]:
    if isinstance(photos, str | PathLike):
        path = Path(photos)
        if not path.is_dir():
            return [path]
        files = sorted(file for file in path.iterdir() if file.suffix.lower() in IMAGE_SUFFIXES)
        if not files:
            raise IdentityError(f"{path} holds no photo ({', '.join(sorted(IMAGE_SUFFIXES))})")
        return list(files)
    if isinstance(photos, np.ndarray | Image.Image):
        return [photos]
    if not photos:
        raise IdentityError("an identity needs at least one photo")
    return list(photos)


def _one_person(found: Sequence[Sequence[Face]], same_person: float) -> tuple[list[Face], list[DroppedPhoto]]:
    """Of each photo the face of the person whom most photos show; the rest of the photos as dropped."""
    selection = select_person(found, same_person)
    used, rivals = selection.faces, selection.rivals
    if rivals:
        raise IdentityError(
            f"the photos show different people: {_names(used)} and {_names(rivals)} (similarity"
            f" {used[0].similarity(rivals[0]):.3f}; photos of one person have at least {same_person})."
            " Give photos of one person, or more photos of the one who is meant"
        )
    agreement = float(np.mean([mean_similarity(face, used) for face in used]))
    dropped = []
    for face in selection.strangers:
        similarity = mean_similarity(face, used)
        reason = f"it shows somebody else: similarity {similarity:.3f}, the others agree to {agreement:.3f}"
        dropped.append(DroppedPhoto(face.source, reason, similarity))
    return list(used), dropped


def _names(faces: Sequence[Face]) -> str:
    return ", ".join(face.source for face in faces)


def _at_size(face: Face, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Crop, matte (in steps of 1/255, as they are saved) and landmarks at a common size."""
    scale = size / face.crop.shape[0]
    crop, matte = face.crop, face.matte
    if scale != 1:
        crop = cv2.resize(crop, (size, size), interpolation=cv2.INTER_CUBIC)
        matte = cv2.resize(matte, (size, size), interpolation=cv2.INTER_LINEAR)
    matte = np.rint(matte * 255).astype(np.uint8).astype(np.float32) / 255
    return crop, matte, (face.crop_landmarks * scale).astype(np.float32)


def _unit(vector: np.ndarray) -> np.ndarray:
    return (vector / np.linalg.norm(vector)).astype(np.float32)


def _read(path: Path) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    if not path.is_file():
        raise IdentityError(f"{path} does not exist or is not a file; give an identity saved as .safetensors")
    try:
        with safe_open(str(path), framework="numpy") as file:
            metadata = dict(file.metadata() or {})
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as error:
        raise IdentityError(f"{path} is damaged or not a safetensors file: {error}") from error
    if metadata.get("format") != FORMAT:
        raise IdentityError(f"{path} is a safetensors file, but not a saved identity")
    version = metadata.get("version", "")
    if not version.isdigit() or int(version) > FORMAT_VERSION:
        raise IdentityError(
            f"{path} was written by a newer release (format {version or '?'}; this one reads"
            f" {FORMAT_VERSION}): update hifi-portrait, or make the identity again from photos"
        )
    return tensors, metadata


def _check_shapes(tensors: Mapping[str, Any], count: int) -> None:
    """Raise ValueError where the tensors do not fit together."""
    size, width = tensors["crops"].shape[1], tensors["embedding"].shape[0]
    expected = {
        "crops": (count, size, size, 3),
        "mattes": (count, size, size),
        "landmarks": (count, 478, 3),
        "embeddings": (count, width),
        "quality": (count,),
        "residuals": (count,),
        "identity": (IDENTITY_COMPONENTS,),
        "geometries.rotation": (count, 3, 3),
    }
    for name, shape in expected.items():
        if count == 0 or tensors[name].shape != shape:
            raise ValueError(f"{name} has shape {tensors[name].shape}, expected {shape}")
