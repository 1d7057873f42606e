"""Where a command writes: named as a person means it, never over an input, checked before the work."""

from __future__ import annotations

import mimetypes
import os
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import typer

from hifi_portrait.errors import OutputError
from hifi_portrait.io.names import PICTURE_FORMATS, is_address, is_utf8, printable

_OTHER_KINDS = frozenset(
    {".safetensors", ".heic", ".heif", ".avif", ".jfif", ".jxl", ".apng", ".mkv", ".m4v", ".avi", ".flv"}
    | {".pdf", ".json", ".txt", ".md", ".zip", ".npy", ".csv", ".glb", ".mp3", ".m4a", ".wav"}
)

_ENDINGS = _OTHER_KINDS | set(PICTURE_FORMATS) | {".mp4", ".webm", ".gif"}

PICTURE_BYTES = 4_000_000
"""Room that a picture of a megapixel may take, which is asked for before it is drawn."""


def picture_path(out: str, name: str = "portrait.png") -> Path:
    """Find the picture that ``--out`` names.

    Parameters
    ----------
    out
        A file; without an ending of `PICTURE_FORMATS` it gets ``.png`` behind its name, dots and all. Or a
        folder: one that exists, or any name with a slash at its end.
    name
        Of the picture in a folder.

    Raises
    ------
    OutputError
        The name is empty, or its ending is that of another kind of file.
    """
    return _with_ending(out, name, tuple(PICTURE_FORMATS), "pictures are written as")


VIDEO_ENDINGS = (".mp4", ".webm", ".gif", ".webp")
"""Endings of videos that can be written, as `hifi_portrait.io.video_writer` does."""

MOST_RATES = {".gif": 50.0}
"""Ending -> frames a second that a video has at most, where that is less than what can be asked for."""


def video_path(out: str, name: str = "animation.mp4") -> Path:
    """Find the video that ``--out`` names, which gets ``.mp4`` behind its name if it has no ending.

    Parameters
    ----------
    out
        A file, or a folder as of `picture_path`.
    name
        Of the video in a folder.

    Raises
    ------
    OutputError
        The name is empty or no UTF-8, or its ending is that of another kind of file.
    """
    path = _with_ending(out, name, VIDEO_ENDINGS, "videos are written as")
    if not is_utf8(path):
        raise OutputError(f"--out {printable(out)}: the name of a video must be UTF-8")
    return path


def saved_path(out: str, what: str, name: str) -> Path:
    """Find the file that ``--out`` names, which gets the ending of a usual name if it has none.

    Parameters
    ----------
    out
        A file, or a folder as of `picture_path`.
    what
        What is written, for messages, such as "an identity".
    name
        Of the file in a folder, such as ``person.safetensors``; no other ending is taken.

    Raises
    ------
    OutputError
        The name is empty, or its ending is that of another kind of file.
    """
    return _with_ending(out, name, (Path(name).suffix,), f"{what} is saved as")


def motion_path(out: str, name: str = "motion.json") -> Path:
    """Find the file that ``--save-motion`` names, which gets ``.json`` behind its name if it has no ending.

    Parameters
    ----------
    out
        A file, or a folder as of `picture_path`.
    name
        Of the motion in a folder.

    Raises
    ------
    OutputError
        The name is empty, or its ending is that of another kind of file.
    """
    return _with_ending(out, name, (".json",), "a motion is saved as", "--save-motion")


def _with_ending(out: str, name: str, endings: Sequence[str], told: str, option: str = "--out") -> Path:
    """Read an option as a file with one of these endings; a name without any gets the first."""
    path = _file_path(out, name, option)
    if path.suffix.lower() in endings:
        return path
    if path.suffix.lower() in VIDEO_ENDINGS or _is_another_kind(path):
        raise OutputError(f"{option} {printable(out)}: {told} {', '.join(endings)}")
    return path.with_name(f"{path.name.rstrip('.')}{endings[0]}")


def parse_path(text: str) -> Path:
    """Read a path that an option or an argument names.

    Raises
    ------
    typer.BadParameter
        It is empty, as of a variable that is not set, or an address.
    """
    if not text.strip():
        raise typer.BadParameter("an empty name is no file or folder; give its path, or . for this folder")
    if is_address(text):
        raise typer.BadParameter(f"{text!r} is an address: load the file from there first, and give its path")
    return Path(text)


def _file_path(out: str, name: str, option: str = "--out") -> Path:
    """Read an option as a file, or as a folder to put a file of that name into."""
    path = Path(out)
    if not out.strip() or "\0" in out:
        raise OutputError(f"{option} {out!r} is no name of a file")
    if is_address(out):
        raise OutputError(f"{option} {printable(out)} is an address: results are written to files")
    if out.endswith(("/", os.sep)) or path.is_dir():
        return path / name
    if path.exists() and not path.is_file():
        raise OutputError(f"{option} {printable(out)} is a device or the like: name a file or a folder")
    if out == "-":
        raise OutputError(f"{option} -: name a file: results are not written to the standard output")
    if path.name.lower() in _ENDINGS or not path.name.strip(" ."):
        raise OutputError(f"{option} {printable(out)}: the name before the ending is missing")
    return path


def _is_another_kind(path: Path) -> bool:
    """Tell whether a name says that its file is no picture, or one of a format that is not written."""
    kind = mimetypes.guess_type(path.name, strict=False)[0] or ""
    return kind.startswith(("image/", "video/", "audio/")) or path.suffix.lower() in _OTHER_KINDS


def numbered(path: Path, count: int) -> list[Path]:
    """Name so many pictures: the path itself, or numbered names beside it."""
    return [path] if count == 1 else [beside(path, str(number)) for number in range(1, count + 1)]


def beside(path: Path, word: str) -> Path:
    """Name a file beside another: ``a.jpg`` and "sheet" give ``a-sheet.jpg``."""
    return path.with_name(f"{path.stem}-{word}{path.suffix}")


def check_files(
    outputs: Sequence[Path], inputs: Iterable[Path], size: int = PICTURE_BYTES, option: str = "--out"
) -> None:
    """Check that files can be written, before anything is computed: all that is written goes back at once.

    Parameters
    ----------
    outputs
        The files to write.
    inputs
        Files that must stay.
    size
        Bytes that each may take.
    option
        What named them, for messages.

    Raises
    ------
    OutputError
        One is an input, or is no plain file; its folder cannot be made or written to; or there is no room.
    """
    given = [path for path in inputs if path.exists()]
    for path in outputs:
        _check_not_input(path, given, option)
        if path.exists() and not path.is_file():
            raise OutputError(f"{option} {printable(path)} is no plain file: name another")
        if path.exists() and not os.access(path, os.W_OK):
            raise OutputError(f"{option} {printable(path)} is write-protected: name another file")
    for path in outputs[:1]:
        real = Path(os.path.realpath(path))
        _check_room(real.parent, size * len(outputs), path, option)
        _check_name(real, option)


def check_folder(out: Path, inputs: Iterable[Path], option: str = "--out") -> None:
    """Check that a folder can be made or written into, before anything is computed.

    Parameters
    ----------
    out
        The folder.
    inputs
        Files and folders that must stay.
    option
        What named it, for messages.

    Raises
    ------
    OutputError
        It is an input or a file, or it cannot be made or written to.
    """
    _check_not_input(out, [path for path in inputs if path.exists()], option)
    if not is_utf8(out):
        raise OutputError(f"{option} {printable(out)}: the name of this folder must be UTF-8")
    if out.exists() and not out.is_dir():
        raise OutputError(f"{option} {printable(out)} is a file: name a folder")
    _check_room(out, PICTURE_BYTES, out, option)
    _check_name(out, option)


def check_text_file(path: Path, option: str) -> None:
    """Check that a file to which something is added is a text, if there is one already.

    Raises
    ------
    OutputError
        It is none; the message names the option that named it.
    """
    try:
        if path.is_file():
            path.read_text("utf-8")
    except UnicodeDecodeError:
        raise OutputError(f"{option} {printable(path)} is no text: name another file") from None


def _check_not_input(out: Path, inputs: Iterable[Path], option: str = "--out") -> None:
    for path in inputs:
        if (out.exists() and os.path.samefile(out, path)) or out.resolve() == path.resolve():
            raise OutputError(
                f"{option} {printable(out)} would replace {printable(path)}, which was given:"
                " name another place"
            )


def _check_room(folder: Path, size: int, out: Path, option: str = "--out") -> None:
    """Write so many bytes into a folder, or into the nearest one above it that exists, and take them back."""
    while not os.path.lexists(folder) and folder != folder.parent:
        folder = folder.parent
    if not folder.is_dir():
        raise OutputError(f"{option} {printable(out)}: {printable(folder)} is no folder")
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(file.fileno(), 0, size)
            else:
                file.write(bytes(size))
    except OSError as error:
        raise OutputError(
            f"{option} {printable(out)}: {printable(folder)} cannot be written to: {error.strerror or error}"
        ) from error


def _check_name(path: Path, option: str = "--out") -> None:
    """Check that the file system takes a name, with what atomic writing puts behind it."""
    longest = 255 - len(".partial") - 48
    if len(os.fsencode(path.name)) > longest:
        raise OutputError(
            f"{option} {printable(path)[:60]}...: the name is too long, at most {longest} bytes"
        )
