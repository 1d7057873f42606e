"""What of the files that somebody hands in, or has in a folder, is a photo; and why the rest is none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hifi_portrait.errors import IdentityError, ImageError
from hifi_portrait.faces.image import IMAGE_SUFFIXES, is_picture, open_picture
from hifi_portrait.io.names import printable
from hifi_portrait.io.provenance import find_record

_NAMED = 8
"""At most so many files are named in a message."""


@dataclass(frozen=True)
class UnusedFile:
    """A file that was handed in, or lies in a folder that was, and is not used."""

    path: Path
    reason: str
    """Why, in a few words."""


def list_photos(paths: Sequence[Path], *, beside_others: bool = False) -> tuple[list[Path], list[UnusedFile]]:
    """List the photos among paths; a folder stands for the photos directly in it, sorted by name.

    Of a folder everything is a photo that has a picture's name or is a picture by its contents. Left out are
    hidden files, folders in it, links to nothing, and pictures that this package made, by their records. The
    last are left out among single files, too, unless nothing else is given.

    Parameters
    ----------
    paths
        Files and folders.
    beside_others
        Whether something else is given beside these.

    Raises
    ------
    ImageError
        A path does not exist, a folder cannot be read, or nothing was given.
    IdentityError
        A folder holds no photo.
    """
    if not paths:
        raise ImageError("no photo given: name photos, a folder of photos, or a saved identity")
    photos: list[Path] = []
    unused: list[UnusedFile] = []
    made_here: list[Path] = []
    for path in paths:
        if path.is_dir():
            found, others = _list_folder(path)
            if not found:
                raise IdentityError(_describe_empty(path, others))
            photos += found
            unused += others
        elif str(path).startswith(("http:/", "https:/")):
            raise ImageError(f"{printable(path)} is an address: download the photo, and give the file")
        elif not path.exists():
            what = "is a link to nothing" if path.is_symlink() else "does not exist"
            raise ImageError(
                f"{printable(path)} {what}: give photos, a folder of photos, or a saved identity"
            )
        elif (len(paths) > 1 or beside_others) and _is_made_here(path):
            made_here.append(path)
        else:
            photos.append(path)
    if not photos and not beside_others:
        return made_here, unused
    return photos, [*unused, *(UnusedFile(path, _MADE_HERE) for path in made_here)]


_MADE_HERE = "it was made by hifi-portrait"


def _list_folder(folder: Path) -> tuple[list[Path], list[UnusedFile]]:
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        raise ImageError(f"{printable(folder)} cannot be read: {error.strerror}") from error
    photos, unused = [], []
    for path in entries:
        reason = _why_unused(path)
        if reason is None:
            photos.append(path)
        else:
            unused.append(UnusedFile(path, reason))
    return photos, unused


def _why_unused(path: Path) -> str | None:
    """Say why a file in a folder is no photo; None if it is one, readable or not."""
    if path.name.startswith("."):
        return "it is hidden"
    if path.is_dir():
        return "it is a folder: name it, too, if its photos are meant"
    if not path.exists():
        return "it is a link to nothing"
    if not path.is_file():
        return "it is no plain file"
    if path.suffix.lower() not in IMAGE_SUFFIXES and not is_picture(path):
        return "it is no picture"
    return _MADE_HERE if _is_made_here(path) else None


def _is_made_here(path: Path) -> bool:
    try:
        with open_picture(path) as image:
            return find_record(image) is not None
    except ImageError:
        return False


def _describe_empty(folder: Path, unused: Sequence[UnusedFile]) -> str:
    if not unused:
        return f"{printable(folder)} holds no photo: it is empty"
    named = [f"{printable(file.path.name)} ({file.reason})" for file in unused[:_NAMED]]
    more = f" and {len(unused) - _NAMED} more" if len(unused) > _NAMED else ""
    return f"{printable(folder)} holds no photo, only {', '.join(named)}{more}"
