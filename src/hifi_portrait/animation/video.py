"""A video of one person, frame by frame; what is drawn is kept until the video is finished."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from hifi_portrait.animation.drawing import Draw
from hifi_portrait.errors import OutputError
from hifi_portrait.head.arrays import ByteArray
from hifi_portrait.io.atomic import atomic_write
from hifi_portrait.io.names import printable
from hifi_portrait.io.video_writer import VideoWriter
from hifi_portrait.person.identity import Identity
from hifi_portrait.person.target import Target

try:
    import fcntl
except ImportError:  # on Windows, where nothing keeps two calls from one video
    fcntl = None  # type: ignore[assignment]

logger = logging.getLogger(__name__)

_PNG_LEVEL = 1
"""Of zlib's compression of the frames that are kept: speed counts, for they are deleted soon."""


@dataclass(frozen=True)
class AnimationResult:
    """What became of a video."""

    path: Path
    """The file."""
    frames: int
    """How many frames it has."""
    wanted: int
    """How many it should have; more than it has, if drawing was interrupted."""
    reused: int
    """How many of them an earlier, interrupted call had drawn."""

    @property
    def is_complete(self) -> bool:
        """Whether no frame is missing."""
        return self.frames == self.wanted


def animate(
    identity: Identity,
    targets: Sequence[Target],
    out: str | PathLike[str],
    *,
    draw: Draw,
    drawn_by: Mapping[str, Any],
    rate: float = 25.0,
    sound_of: str | Path | None = None,
    record: Mapping[str, Any] | None = None,
    on_frame: Callable[[int], None] | None = None,
) -> AnimationResult:
    """Write a video of a person, one frame a target.

    Finished frames lie in a folder beside the video until it is complete: after a kill, the same call draws
    only what is missing, and the file is the same as without. After Ctrl-C (`KeyboardInterrupt`), the video
    of the frames so far is written.

    Parameters
    ----------
    identity
        The person.
    targets
        What each frame shows; usually with one look, see `choose_look`.
    out
        The video: ``.mp4``, ``.webm``, ``.gif`` or ``.webp``.
    draw
        Draws a target; see `make_drawer`.
    drawn_by
        What the frames depend on beside identity and targets, such as the quality and the size, in values
        that JSON can hold: frames of an interrupted call with other values are not used.
    rate
        Frames a second.
    sound_of
        A video or piece of music whose sound goes along.
    record
        How the video was made, to be written into it.
    on_frame
        Called with the number of frames that are finished, after each.

    Raises
    ------
    OutputError
        The video cannot be written, or there is no target.
    """
    out = Path(out)
    if not targets:
        raise OutputError(f"{printable(out)}: a video needs one frame at least")
    with FrameFolder.beside(out, _describe(identity, targets, drawn_by)) as frames:
        reused = done = frames.count(len(targets))
        try:
            for number in range(done, len(targets)):
                frames.write(number, draw(targets[number]))
                done = number + 1
                if on_frame is not None:
                    on_frame(done)
        except BaseException as error:
            if done == 0:
                frames.delete()
            if done == 0 or not isinstance(error, KeyboardInterrupt):
                raise
            logger.warning(
                "stopped after %d of %d frames: the same call goes on from there", done, len(targets)
            )
        with VideoWriter(out, frame_rate=rate, sound_of=sound_of, record=record) as video:
            for number in range(done):
                video.write(frames.read(number))
        if done == len(targets):
            frames.delete()
    return AnimationResult(out, done, len(targets), reused)


class FrameFolder:
    """Frames of a video that is not finished, each written as a whole or not at all."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @classmethod
    @contextmanager
    def beside(cls, out: Path, description: str) -> Iterator[FrameFolder]:
        """Open the folder beside a video, for one writer at a time; frames of another description go.

        Raises
        ------
        OutputError
            The folder cannot be written, or another thread or process makes the same video.
        """
        folder = out.with_name(f".{out.name}.frames")
        mark = folder / "description.txt"
        with ExitStack() as stack:
            try:
                folder.mkdir(parents=True, exist_ok=True)
                stack.enter_context(_only_writer(folder, out))
                if not mark.is_file() or mark.read_text() != description:
                    for old in folder.iterdir():
                        old.unlink()
                    with atomic_write(mark) as partial:
                        partial.write_text(description)
            except OSError as error:
                raise OutputError(
                    f"{printable(folder)} cannot be written: {error.strerror or error}"
                ) from error
            yield cls(folder)

    def count(self, most: int) -> int:
        """Count the frames that are there, from the first on, at most so many."""
        return next((number for number in range(most) if not self._place(number).exists()), most)

    def write(self, number: int, frame: ByteArray) -> None:
        """Keep a frame."""
        if frame.shape[2:] != (3,):
            raise OutputError("videos have no alpha: draw before a background that is not transparent")
        partial = self._folder / f"{number:06d}.partial"
        try:
            data = cv2.imencode(".png", frame[..., ::-1], (cv2.IMWRITE_PNG_COMPRESSION, _PNG_LEVEL))[1]
            partial.write_bytes(data.tobytes())
            os.replace(partial, self._place(number))
        except OSError as error:
            raise OutputError(
                f"{printable(self._folder)} cannot be written: {error.strerror or error}"
            ) from error

    def read(self, number: int) -> ByteArray:
        """Read a frame that was kept."""
        data = np.frombuffer(self._place(number).read_bytes(), np.uint8)
        frame = cv2.imdecode(data, cv2.IMREAD_COLOR)
        if frame is None:
            raise OutputError(f"{printable(self._folder)} holds a damaged frame: delete the folder")
        return np.ascontiguousarray(frame[..., ::-1])

    def delete(self) -> None:
        """Delete all frames."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _place(self, number: int) -> Path:
        return self._folder / f"{number:06d}.png"


@contextmanager
def _only_writer(folder: Path, out: Path) -> Iterator[None]:
    """Lock a folder until the context ends, or the process does."""
    if fcntl is None:
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise OutputError(
                f"{printable(out)} is being written by another call: name another file"
            ) from None
        yield
    finally:
        os.close(handle)


def _describe(identity: Identity, targets: Sequence[Target], drawn_by: Mapping[str, Any]) -> str:
    """Give a digest of all that the frames depend on."""
    digest = hashlib.sha256()
    for array in (identity.crops, identity.embeddings, identity.identity):
        digest.update(np.ascontiguousarray(array).tobytes())
    for target in targets:
        digest.update(json.dumps(target.to_dict(), sort_keys=True).encode())
    digest.update(json.dumps(drawn_by, sort_keys=True).encode())
    return digest.hexdigest()
