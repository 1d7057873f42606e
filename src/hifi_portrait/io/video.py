"""Videos: their frames one by one, by PyAV (FFmpeg); `hifi_portrait.io.video_writer` writes them.

Only so many frames are in memory as the codec itself needs. Times are seconds from the start of the video, as
the file has them: the frame rate may vary. The extra ``video`` brings PyAV. Its wheel's FFmpeg is under the
LGPL, but x264 and x265, which come with it, are under the GPL; reading does not use them.
"""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from hifi_portrait.errors import VideoError, needs_extra
from hifi_portrait.io.names import printable
from hifi_portrait.io.provenance import record_of_text

if TYPE_CHECKING:
    from av import VideoFrame as AvFrame
    from av import VideoStream
    from av.container import InputContainer
    from av.filter import Graph

VIDEO_SUFFIXES = frozenset(
    {".3gp", ".avi", ".flv", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts", ".ogv", ".ts"}
    | {".webm", ".wmv"}
)
"""Endings of the names of videos."""

_CONTAINERS = (
    "3g2,3gp,aac,asf,avi,flac,flv,gif,h264,hevc,m4a,matroska,mj2,mov,mp3,mp4,mpeg,mpegts,mpegvideo,ogg,wav"
    ",webm"
)
"""Containers that are opened. Others of FFmpeg's are playlists, which name other files and addresses, and
text files and pictures, which it shows as videos."""

_SAME_TIME = 1e-4
"""Seconds that two times of one frame differ at most."""

_NEAR = 3.0
"""Seconds ahead up to which it is as quick to decode as to seek."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class VideoInfo:
    """What a file says of its video."""

    width: int
    """In pixels, upright."""
    height: int
    """In pixels, upright."""
    frame_rate: float | None
    """Frames a second in the mean; None where it is not known."""
    duration: float | None
    """Seconds; None where the file does not say."""
    has_audio: bool
    """Whether there is sound."""
    record: dict[str, Any] | None
    """How this package made it, where it did."""


@dataclass(frozen=True, eq=False, kw_only=True)
class VideoFrame:
    """A frame, which is converted to pixels when they are asked for."""

    time: float
    """Seconds from the start of the video."""
    change: float | None
    """How much it differs from the frame before, more than that did from its own: the score in [0, 100] of
    FFmpeg's filter ``scdet``, which is large after a cut. None where it was not asked for."""
    decoded: AvFrame
    """The decoder's own frame."""
    aspect: float = 1.0
    """Width of a pixel over its height."""

    def pixels(self) -> npt.NDArray[np.uint8]:
        """Give it as (H, W, 3) RGB, upright and with square pixels."""
        frame = self.decoded
        width = round(frame.width * self.aspect)
        picture = frame.to_ndarray(format="rgb24", width=width, height=frame.height)
        return np.ascontiguousarray(np.rot90(picture, round(frame.rotation / 90)))


def read_info(path: str | Path) -> VideoInfo:
    """Tell what a video is.

    Raises
    ------
    VideoError
        The file is missing, empty, damaged, or has no pictures.
    MissingExtraError
        PyAV is not installed.
    """
    with _opened(path, threads=1) as (container, stream):
        first = next(_decode(container, stream, path), None)
        if first is None:
            raise VideoError(f"{printable(path)}: no frame of the video can be decoded")
        height, width = _frame(first, stream).pixels().shape[:2]
        duration: float | None = None
        if stream.duration is not None and stream.time_base is not None:
            duration = float(stream.duration * stream.time_base)
        elif container.duration is not None:
            duration = container.duration / 1e6
        comments = [text for name, text in container.metadata.items() if name.lower() == "comment"]
        return VideoInfo(
            width=width,
            height=height,
            frame_rate=float(stream.average_rate) if stream.average_rate else None,
            duration=duration,
            has_audio=bool(container.streams.audio),
            record=record_of_text(comments[0]) if comments else None,
        )


def read_frames(
    path: str | Path, *, measure_change: bool = False, threads: int = 1
) -> Generator[VideoFrame, None, None]:
    """Yield the frames of a video in the order in which they are shown.

    What is damaged in the midst is left out, with a warning in the log.

    Parameters
    ----------
    path
        The file.
    measure_change
        Whether each frame says how much it differs from the one before; a millisecond a frame of 640 pixels.
    threads
        Threads that decode; 0 for as many as there are cores.

    Raises
    ------
    VideoError
        The file is missing, empty or damaged, has no pictures, or none that can be decoded.
    MissingExtraError
        PyAV is not installed.
    """
    with _opened(path, threads=threads) as (container, stream):
        is_empty = True
        frames = _decode(container, stream, path)
        for frame in _measured(frames) if measure_change else frames:
            is_empty = False
            yield _frame(frame, stream)
        if is_empty:
            raise VideoError(f"{printable(path)}: no frame of the video can be decoded")


def read_frames_at(path: str | Path, times: Sequence[float]) -> Iterator[VideoFrame | None]:
    """Yield the frames of some times; None in the place of one at which no frame begins.

    Parameters
    ----------
    path
        The file.
    times
        Times of frames as `read_frames` gives them, rising.

    Raises
    ------
    VideoError, MissingExtraError
        As `read_frames`.
    """
    with _opened(path, threads=1) as (container, stream):
        assert stream.time_base is not None
        frames = _decode(container, stream, path)
        now = -1.0
        held: AvFrame | None = None
        for wanted in times:
            if wanted > now + _NEAR:
                offset = int((wanted - _SAME_TIME) / stream.time_base) + (stream.start_time or 0)
                container.seek(offset, stream=stream)
                frames, held = _decode(container, stream, path), None
            while held is None or _time(held, stream) < wanted - _SAME_TIME:
                held = next(frames, None)
                if held is None:
                    break
                now = _time(held, stream)
            if held is not None and abs(_time(held, stream) - wanted) <= _SAME_TIME:
                yield _frame(held, stream)
            else:
                yield None


@contextmanager
def opened_container(path: str | Path) -> Iterator[InputContainer]:
    """Open a file with FFmpeg, which gets no name, so that it opens nothing else.

    Raises
    ------
    VideoError
        It is none that FFmpeg can read.
    MissingExtraError
        PyAV is not installed.
    """
    with needs_extra("video"):
        import av
        from av.error import FFmpegError
    if not Path(path).is_file():  # a pipe might never end
        what = "is no file" if Path(path).exists() else "does not exist"
        raise VideoError(f"{printable(path)} {what}: give a video")
    try:
        with (
            open(path, "rb") as file,
            av.open(file, "r", options={"format_whitelist": _CONTAINERS}) as container,
        ):
            yield container
    except (FFmpegError, OSError) as error:
        raise VideoError(
            f"{printable(path)} is no video that can be read, or it is damaged: {error.strerror or error}"
        ) from error


@contextmanager
def _opened(path: str | Path, threads: int) -> Iterator[tuple[InputContainer, VideoStream]]:
    """Open a file and its pictures."""
    with opened_container(path) as container:
        from av.stream import Disposition

        streams = [
            each
            for each in container.streams.video
            if not each.disposition & Disposition.attached_pic  # the cover of a piece of music
        ]
        if not streams:
            what = "no pictures, only sound" if container.streams.audio else "no pictures"
            raise VideoError(f"{printable(path)} has {what}: give a video")
        streams[0].codec_context.thread_count = threads
        yield container, streams[0]


def _decode(container: InputContainer, stream: VideoStream, path: str | Path) -> Iterator[AvFrame]:
    from av.error import EOFError as NoMoreError
    from av.error import FFmpegError

    damaged = 0
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets)
        except (StopIteration, NoMoreError):
            break
        except FFmpegError:
            damaged += 1
            break
        try:
            frames = packet.decode()
        except FFmpegError:
            damaged += 1
            continue
        for frame in frames:
            if frame.is_corrupt or frame.pts is None:
                damaged += 1
            else:
                yield frame
    if damaged:
        _log.warning("%s: %d parts are damaged and were left out", printable(path), damaged)


def _measured(frames: Iterator[AvFrame]) -> Iterator[AvFrame]:
    """Let the frames pass FFmpeg's ``scdet``, which writes into each how much it differs from the last."""
    graph: Graph | None = None
    shape: tuple[object, ...] = ()
    for frame in frames:
        now = (frame.width, frame.height, frame.format.name)
        if graph is None or now != shape:
            graph, shape = _graph(frame), now
        graph.push(frame)
        yield graph.pull()  # type: ignore[misc]  # a picture was pushed


def _graph(frame: AvFrame) -> Graph:
    from av.filter import Graph

    graph = Graph()
    start = graph.add_buffer(
        width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base
    )
    graph.link_nodes(start, graph.add("scdet"), graph.add("buffersink")).configure()
    return graph


def _frame(frame: AvFrame, stream: VideoStream) -> VideoFrame:
    score = frame.metadata.get("lavfi.scd.score")
    return VideoFrame(
        time=_time(frame, stream),
        change=None if score is None else float(score),
        decoded=frame,
        aspect=float(stream.sample_aspect_ratio or 1),
    )


def _time(frame: AvFrame, stream: VideoStream) -> float:
    assert frame.pts is not None and stream.time_base is not None
    return float((frame.pts - (stream.start_time or 0)) * stream.time_base)
