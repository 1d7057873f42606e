"""What N photos of one person become: analysed once, saved as one file, used for every portrait."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from os import PathLike
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from hifi_portrait.errors import IdentityError
from hifi_portrait.faces import Face, FaceAnalyser, ImageLike, default_analyser
from hifi_portrait.faces.geometry import wide_margin
from hifi_portrait.faces.protocols import Parsing
from hifi_portrait.fitting import fit
from hifi_portrait.head import HeadGeometry
from hifi_portrait.head.arrays import Array, ByteArray, FloatArray
from hifi_portrait.head.numerics import as_whole
from hifi_portrait.io.names import printable
from hifi_portrait.person.background import Background, BackgroundLike
from hifi_portrait.person.choose_person import DroppedPhoto, choose_person, name_alone
from hifi_portrait.person.covered_faces import find_covered_faces
from hifi_portrait.person.identity_file import check_shapes, check_values, read_tensors, write_tensors
from hifi_portrait.person.references import References
from hifi_portrait.person.shown_area import SHOULDERS, find_shown_bottom, frame_what_is_shown
from hifi_portrait.person.sources import analyse_sources, list_sources
from hifi_portrait.person.target import Framing, Target
from hifi_portrait.scenery.studio import check_light

logger = logging.getLogger(__name__)

_LARGEST_PICTURE = 8192
"""Side in pixels above which a warp is refused: it would take more memory than most machines have."""

_NO_SHOULDERS = (
    "no photo shows the shoulders: a closer framing leaves them out, target.replace(framing="
    "identity.framing()); on the command line it is the default, and --framing portrait draws likely ones"
)

_GEOMETRIES = "geometries."
"""Prefix of the names of those tensors of a saved identity that its heads are made of."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Identity(References):
    """One person, as seen in N photos: their `References`, and what goes beyond them.

    S, the side of the crops, is the largest of 256, 512 and 1024 pixels that any of the photos fills; at 1024
    each takes 7 MB of memory with its matte.
    """

    sources: tuple[str, ...]
    """Where each of the N photos came from: its path, or a description."""
    identity: FloatArray
    """(80,) shape of the head."""
    dropped: tuple[DroppedPhoto, ...] = ()
    """Files that were handed in, or lay in a folder that was, and are not used."""
    notices: tuple[str, ...] = ()
    """What else was found out about the photos and should be known, a sentence each."""

    def __repr__(self) -> str:
        return f"Identity({len(self)} photos, crops of {self.crops.shape[1]} pixels)"

    def __str__(self) -> str:
        yaw = [geometry.pose.yaw for geometry in self.geometries]
        dropped = [f"{name_alone(photo.source)} ({photo.reason})" for photo in self.dropped]
        return (
            f"Identity of {len(self)} photo{'s'[: len(self) > 1]}:"
            f" {', '.join(name_alone(source) for source in self.sources)}\n"
            f"quality {self.quality.min():.2f} to {self.quality.max():.2f}, head turned {min(yaw):.0f} to"
            f" {max(yaw):.0f} degrees, crops of {self.crops.shape[1]} pixels\n"
            f"not used: {', '.join(dropped) or 'none'}"
        )

    @classmethod
    def from_photos(
        cls,
        photos: ImageLike | Identity | Sequence[ImageLike | Identity],
        *,
        face: int | None = None,
        analyser: FaceAnalyser | None = None,
        keep_all: bool = False,
    ) -> Identity:
        """Analyse photos of one person and fit one head to all of them.

        Photos that cannot be read, photos without a usable face and photos of somebody else are left out,
        logged, and listed in ``dropped``; so are the files of a folder that are no photos. Where photos show
        several people, the one who is in most photos is taken, and `notices` says so.

        Parameters
        ----------
        photos
            Photos, folders of photos, saved identities' files and identities, or one of these.
        face
            Whose identity it is, where photos show several people: the person who is this face of the first
            photo with so many, counted from the largest (0).
        analyser
            The parts that analyse a face; the default ones if not given.
        keep_all
            Whether to use the largest face of every photo, even where the recogniser sees somebody else.

        Raises
        ------
        ImageError
            A photo does not exist, or none can be read.
        NoFaceError
            No photo has a usable face, or none has that many.
        IdentityError
            There is no photo, or the photos show different people and none of them in more photos than the
            others.
        """
        analyser = replace(analyser or default_analyser(), wide=True)
        listed = list_sources(photos)
        analysed = analyse_sources(listed.sources, analyser)
        dropped = [DroppedPhoto(printable(file.path), file.reason) for file in listed.unused]
        dropped += [DroppedPhoto(name, reason) for name, reason in analysed.unusable]
        faces, notices = [group[0] for group in analysed.found], list[str]()
        if not keep_all:
            same_person = analyser.recogniser.same_person
            faces, strangers, notices = choose_person(analysed.found, same_person, face)
            dropped += strangers
        for photo in dropped:
            logger.warning("%s is not used: %s", photo.source, photo.reason)
        for notice in notices:
            logger.warning("%s", notice)
        faces = [analyser.matte_wide(face) for face in faces]
        return cls._from_faces(faces, analyser.parsing, tuple(dropped), tuple(notices))

    @classmethod
    def from_faces(cls, faces: Sequence[Face], *, analyser: FaceAnalyser | None = None) -> Identity:
        """Fit one head to analysed faces, which are taken to be of one person without a check.

        Parameters
        ----------
        faces
            The faces.
        analyser
            What analysed them; the default one if not given.

        Raises
        ------
        IdentityError
            There is no face.
        """
        if not faces:
            raise IdentityError("an identity needs at least one face")
        analyser = analyser or default_analyser()
        return cls._from_faces([analyser.matte_wide(face) for face in faces], analyser.parsing, (), ())

    @classmethod
    def _from_faces(
        cls,
        faces: Sequence[Face],
        parsing: Parsing,
        dropped: tuple[DroppedPhoto, ...],
        notices: tuple[str, ...],
    ) -> Identity:
        size = max(face.crop.shape[0] for face in faces)
        views = [_resize_face(face, size) for face in faces]
        quality = np.array([face.quality for face in faces], np.float32)
        embeddings = np.stack([face.embedding for face in faces]).astype(np.float32)
        landmarks = np.stack([view[2] for view in views])
        crops = np.stack([view[0] for view in views])
        if find_shown_bottom(crops) < SHOULDERS:
            notices = (*notices, _NO_SHOULDERS)
            logger.warning("%s", _NO_SHOULDERS)
        sizes = [(size, size)] * len(faces)
        fitted = fit(list(landmarks), sizes, weights=quality.tolist())
        label_maps = np.stack([parsing(*view) for view in views])
        covered = find_covered_faces(crops, fitted.geometries, [face.source for face in faces], label_maps)
        for notice in covered.notices:
            logger.warning("%s", notice)
        quality = quality * covered.quality
        if covered.vertices is not None:  # landmarks on a mask say little about the face behind it
            fitted = fit(list(landmarks), sizes, weights=quality.tolist())
        return cls(
            sources=tuple(face.source for face in faces),
            crops=crops,
            mattes=np.stack([view[1] for view in views]),
            landmarks=landmarks,
            embeddings=embeddings,
            quality=quality,
            geometries=tuple(fitted.geometries),
            label_maps=label_maps,
            identity=np.array(fitted.identity, np.float32),
            covered=covered.vertices,
            **_stack_wide(faces, size),
            dropped=dropped,
            notices=(*notices, *covered.notices),
        )

    def framing(self) -> Framing:
        """Give the usual framing; or, where no photo shows the shoulders, a closer one without them."""
        return frame_what_is_shown(find_shown_bottom(self.crops))

    def warp(
        self, target: Target, size: int = 256, *, background: BackgroundLike = "photo", light: str = "photo"
    ) -> ByteArray:
        """Draw the person as a target asks with the photos' own pixels, without any network.

        The pixels are carried over the fitted head; glasses and the colours of hair and clothes that the
        target names are drawn, and what no photo shows is filled in smoothly.

        Parameters
        ----------
        target
            What the picture is to show.
        size
            Side of the square picture, in pixels; from 16 to 8192.
        background
            What is behind the person: "photo", "blur", "transparent", a colour, a place or wall, or a
            picture; see `Background.of`.
        light
            "photo", for that of the photos, or of a place that is the background; or another, one of
            `scenery.studio.LIGHT_NAMES` ("low-key light", "evening light", ...).

        Raises
        ------
        TypeError, ValueError
            The target is none, the size is no such whole number, or the light is unknown.
        TargetError, ImageError
            There is no such background, or no such photo as the target's `look`.

        Returns
        -------
        picture
            (size, size, 3) RGB; (size, size, 4) if the background is transparent.
        """
        from hifi_portrait.landmarks import LandmarkGenerator
        from hifi_portrait.person.own_expressions import use_own_expressions
        from hifi_portrait.warp.draw import draw_warp
        from hifi_portrait.warp.new_light import choose_light

        if not isinstance(target, Target):
            raise TypeError(f"`target` must be a Target, but is {target!r:.80}")
        side = as_whole(size)
        if side is None or not 16 <= side <= _LARGEST_PICTURE:
            raise ValueError(
                f"`size` must be a whole number of pixels in [16, {_LARGEST_PICTURE}], but is {size!r}"
            )
        check_light(light)
        behind = Background.of(background)
        own = use_own_expressions(target, self.geometries)
        drawing = LandmarkGenerator.load()(self.identity, own, side, contours=False)
        warp = draw_warp(self, drawing)
        lit = choose_light(behind, light, drawing, warp.alpha)
        return behind.replace_in(warp.picture, warp.alpha, warp.behind, lit)

    def best_look(self, targets: Sequence[Target]) -> int:
        """Find the photo that suits several targets best, for `Target.look`.

        One photo then decides hair, clothes, light and background of a whole sequence, so that nothing
        jumps where another photo would be nearer.

        Parameters
        ----------
        targets
            What the pictures of the sequence are to show.

        Raises
        ------
        ValueError, TypeError
            There is no target, or something else among them.
        """
        from hifi_portrait.landmarks import LandmarkGenerator
        from hifi_portrait.warp.draw import best_look

        if not targets:
            raise ValueError("`targets` is empty: give at least one Target")
        for target in targets:
            if not isinstance(target, Target):
                raise TypeError(f"`targets` must be a list of Target, but has {target!r:.80}")
        heads = [LandmarkGenerator.load().geometry(self.identity, target, 256) for target in targets]
        return best_look(self, heads)

    def save(self, path: str | PathLike[str]) -> None:
        """Write everything to one safetensors file; the file is complete or not there.

        It holds the names of the photos, but not the folders in which they were.

        Raises
        ------
        IdentityError
            The file cannot be written, or its name is that of another kind of file.
        """
        geometry = [geometry.to_dict() for geometry in self.geometries]
        tensors: dict[str, Array] = {
            "crops": self.crops,
            "mattes": np.rint(self.mattes * 255).astype(np.uint8),
            "landmarks": self.landmarks,
            "embeddings": self.embeddings,
            "quality": self.quality,
            **({} if self.label_maps is None else {"label_maps": self.label_maps}),
            "identity": self.identity,
            **{_GEOMETRIES + name: np.stack([each[name] for each in geometry]) for name in geometry[0]},
        }
        if self.wide_crops is not None and self.wide_mattes is not None:
            tensors["wide_crops"] = self.wide_crops
            tensors["wide_mattes"] = np.rint(self.wide_mattes * 255).astype(np.uint8)
        if self.covered is not None:
            tensors["covered"] = np.rint(self.covered * 255).astype(np.uint8)
        metadata = {
            "sources": json.dumps([name_alone(source) for source in self.sources]),
            "dropped": json.dumps(
                [asdict(photo) | {"source": name_alone(photo.source)} for photo in self.dropped]
            ),
            "notices": json.dumps(self.notices),
        }
        write_tensors(Path(path), tensors, metadata)

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Identity:
        """Read what ``save`` wrote.

        Raises
        ------
        IdentityError
            The file is missing, damaged, not an identity, or of a newer release's format.
        """
        tensors, metadata = read_tensors(Path(path))
        try:
            return cls._from_tensors(tensors, metadata)
        except (KeyError, ValueError, TypeError, IndexError) as error:
            raise IdentityError(
                f"{path} is a damaged identity: {error!r}; make it again from photos"
            ) from error

    @classmethod
    def _from_tensors(cls, tensors: Mapping[str, Array], metadata: Mapping[str, str]) -> Identity:
        sources = tuple(str(source) for source in json.loads(metadata["sources"]))
        check_shapes(tensors, len(sources))
        check_values(tensors)
        stacked = {
            name.removeprefix(_GEOMETRIES): value
            for name, value in tensors.items()
            if name.startswith(_GEOMETRIES)
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
            label_maps=tensors.get("label_maps"),  # absent from files that earlier releases wrote
            identity=tensors["identity"],
            covered=_read_fraction(tensors, "covered"),
            wide_crops=tensors.get("wide_crops"),
            wide_mattes=_read_fraction(tensors, "wide_mattes"),
            dropped=tuple(DroppedPhoto(**photo) for photo in json.loads(metadata["dropped"])),
            notices=tuple(str(notice) for notice in json.loads(metadata.get("notices", "[]"))),
        )


def _read_fraction(tensors: Mapping[str, Array], name: str) -> FloatArray | None:
    """Give what is kept in steps of 1/255; None where a file lacks it, as those of earlier releases do."""
    kept = tensors.get(name)
    return None if kept is None else kept.astype(np.float32) / np.float32(255)


def _stack_wide(faces: Sequence[Face], size: int) -> dict[str, Any]:
    """Give the wide crops and mattes of N faces at a common size, if any has some: a crop alone is padded."""
    if all(face.wide_crop is None for face in faces):
        return {}
    margin = wide_margin(size)
    crops, mattes = [], []
    for face in faces:
        if face.wide_crop is None or face.wide_matte is None:
            crop, matte, _ = _resize_face(face, size)
            crop = np.pad(crop, ((margin, margin), (margin, margin), (0, 0)), mode="edge")
            matte = np.pad(matte, margin, mode="edge")
        else:
            crop, matte = _resize(face.wide_crop, face.wide_matte, size + 2 * margin)
        crops.append(crop)
        mattes.append(matte)
    return {"wide_crops": np.stack(crops), "wide_mattes": np.stack(mattes)}


def _resize_face(face: Face, size: int) -> tuple[ByteArray, FloatArray, FloatArray]:
    """Give crop, matte (in steps of 1/255, as files keep it) and landmarks at a common size."""
    scale = size / face.crop.shape[0]
    return *_resize(face.crop, face.matte, size), (face.crop_landmarks * scale).astype(np.float32)


def _resize(crop: Array, matte: Array, size: int) -> tuple[ByteArray, FloatArray]:
    """Resize a crop and its matte, which is then kept in steps of 1/255."""
    if size != len(crop):
        crop = cv2.resize(crop, (size, size), interpolation=cv2.INTER_CUBIC)
        matte = cv2.resize(matte, (size, size), interpolation=cv2.INTER_LINEAR)
    return crop, np.rint(matte * 255).astype(np.uint8).astype(np.float32) / np.float32(255)
