"""The photos and saved identities that a command names, and the person that they become."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from hifi_portrait.errors import IdentityError, ImageError, ModelError
from hifi_portrait.io.names import printable

if TYPE_CHECKING:
    from hifi_portrait.person.identity import Identity

IDENTITY_SUFFIX = ".safetensors"
"""Of the file that a saved identity is."""


@dataclass(frozen=True, kw_only=True)
class References:
    """What a command names of its person, and how it is analysed; made by `find`, which checks it."""

    named: tuple[Path, ...]
    """Photos, folders of photos and saved identities, as they were named."""
    files: tuple[Path, ...]
    """The photos and saved identities themselves."""
    recogniser: Path | None = None
    """An ArcFace network's ONNX file, in place of the default recogniser."""
    face: int | None = None
    """Which face of the first photo that shows so many is the person, counted from the largest (0)."""
    matting: Path | None = None
    """A matting network's ONNX file, in place of the default one."""

    @classmethod
    def find(
        cls,
        named: Sequence[Path],
        *,
        recogniser: Path | None = None,
        face: int | None = None,
        matting: Path | None = None,
    ) -> Self:
        """Find the files, and check the options, before anything is loaded.

        Raises
        ------
        ImageError, IdentityError, ModelError
            As `reference_files` and `check_analysis`.
        """
        files = tuple(reference_files(named))
        check_analysis(named, recogniser, face, matting)
        return cls(named=tuple(named), files=files, recogniser=recogniser, face=face, matting=matting)

    @property
    def read(self) -> tuple[Path, ...]:
        """All that is read, and must not be written over."""
        return (*self.named, *self.files)

    def load(self) -> Identity:
        """Analyse the photos, or read the saved identity; raises what `load_identity` does."""
        return load_identity(self.named, self.recogniser, self.face, self.matting)


def reference_files(paths: Sequence[Path]) -> list[Path]:
    """Find the files that an identity is read from: photos, and saved identities.

    A folder stands for the photos directly in it.

    Raises
    ------
    ImageError, IdentityError
        If a path does not exist, a folder holds no photo, or nothing was given.
    """
    from hifi_portrait.faces.folder import list_photos

    if not paths:
        raise ImageError("no photo given: name photos, a folder of photos, or a saved identity")
    saved = [path for path in paths if _is_saved_identity(path)]
    for path in saved:
        if not path.exists():
            raise ImageError(
                f"{printable(path)} does not exist: save an identity there with `hifi-portrait identity`"
            )
    photos = [path for path in paths if not _is_saved_identity(path)]
    found, _ = list_photos(photos, beside_others=bool(saved)) if photos else ([], None)
    return [*saved, *found]


def find_photos(paths: Sequence[Path]) -> list[Path]:
    """Find the photos among `paths`, as `reference_files`.

    Raises
    ------
    ImageError, IdentityError
        As there; or if one is a saved identity.
    """
    for path in paths:
        if _is_saved_identity(path):
            raise ImageError(f"{printable(path)} is a saved identity: give the photos themselves")
    return reference_files(paths)


def _is_saved_identity(path: Path) -> bool:
    return path.suffix.lower() == IDENTITY_SUFFIX and not path.is_dir()


def check_analysis(
    paths: Sequence[Path],
    recogniser: Path | None = None,
    face: int | None = None,
    matting: Path | None = None,
) -> None:
    """Check options of the photos' analysis, as `load_identity` takes them, before anything is loaded.

    Raises
    ------
    IdentityError
        If one is given with saved identities alone.
    ModelError
        If there is no such file.
    """
    saved = all(_is_saved_identity(path) for path in paths)
    for option, network in (("recogniser", recogniser), ("matting", matting)):
        if network is None:
            continue
        if saved:
            raise IdentityError(
                f"--{option} is for photos: {printable(paths[0])} was made with such a network already. "
                f"Make it again with `hifi-portrait identity PHOTO... --{option} FILE`"
            )
        if not network.is_file():
            raise ModelError(f"--{option} {printable(network)}: there is no such file: give an ONNX network")
    if saved and face is not None:
        raise IdentityError(f"--face is for photos: {printable(paths[0])} is one person already")


def load_identity(
    paths: Sequence[Path],
    recogniser: Path | None = None,
    face: int | None = None,
    matting: Path | None = None,
) -> Identity:
    """Load an identity from photos, folders of photos, and saved identities.

    Parameters
    ----------
    recogniser
        An ArcFace network's ONNX file, in place of the default recogniser; for photos only.
    face
        Which face of the first photo that shows so many is the person, counted from the largest (0).
    matting
        A matting network's ONNX file, in place of the default one; for photos only.

    Raises
    ------
    ImageError
        If a photo or a saved identity does not exist.
    IdentityError
        If `recogniser`, `matting` or `face` is given with saved identities alone.
    ModelError
        If `recogniser` or `matting` is no such network.
    """
    check_analysis(paths, recogniser, face, matting)
    from hifi_portrait.faces import ArcFaceRecogniser, FaceAnalyser, OnnxMatting, RefinedMatting
    from hifi_portrait.person.identity import Identity

    if len(paths) == 1 and _is_saved_identity(paths[0]):
        return Identity.load(paths[0])
    parts: dict[str, Any] = {}
    if recogniser is not None:
        parts["recogniser"] = ArcFaceRecogniser(recogniser)
    if matting is not None:
        parts["matting"] = RefinedMatting(OnnxMatting(matting))
    analyser = FaceAnalyser(**parts) if parts else None
    return Identity.from_photos(list(paths), analyser=analyser, face=face)
