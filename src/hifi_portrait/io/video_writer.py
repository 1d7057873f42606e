"""Writing videos: frames and sound into a file that is complete under its name, or not there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from PIL import Image

from hifi_portrait.errors import OutputError, needs_extra
from hifi_portrait.io.atomic import atomic_write
from hifi_portrait.io.names import is_utf8, printable
from hifi_portrait.io.provenance import DESCRIPTION, text_of_record
from hifi_portrait.io.sound import Sound

Frame = npt.NDArray[np.uint8]

CODECS: Mapping[str, tuple[str, ...]] = {
    ".mp4": ("h264", "vp9"),
    ".webm": ("vp9",),
    ".gif": ("gif",),
    ".webp": ("webp",),
}
"""Ending of a video's name -> the codecs that it can have, the usual one first."""

_OPTIONS = {
    "h264": {"crf": "18", "preset": "medium"},
    "vp9": {"crf": "24", "b": "0", "deadline": "good", "cpu-used": "4", "row-mt": "1"},
}
"""Constant quality at which 512-pixel portraits show no difference from their frames."""

_BT709 = 1
"""Number of HD video's colour standard, which is used and named in the file: players guess otherwise."""

_MOST_GIF_FRAMES = 50
"""A second: browsers slow down what is quicker."""


_WEBP_QUALITY = 90
"""Of 100."""


class VideoWriter:
    """Writes frames into a video.

    MP4 and WebM are written as frames come; GIF and WebP keep them in memory until the end. H.264, which
    every player and site takes, is encoded by x264, which comes in PyAV's wheel and is under the GPL. That
    does not touch the videos; but who ships a product with that wheel in it ships x264. ``codec="vp9"`` does
    without it; newer players show it in an MP4.

    Examples
    --------
    >>> with VideoWriter("turn.mp4", frame_rate=25) as video:
    ...     for picture in pictures:
    ...         video.write(picture)
    """

    def __init__(
        self,
        path: str | Path,
        *,
        frame_rate: float | Fraction,
        codec: str | None = None,
        sound_of: str | Path | None = None,
        sound_start: float = 0.0,
        record: Mapping[str, Any] | None = None,
    ) -> None:
        """Begin a video; the file comes to be when the writer is closed.

        Parameters
        ----------
        path
            A name that ends in ``.mp4``, ``.webm``, ``.gif`` or ``.webp``; its folder is made if needed.
        frame_rate
            Frames a second, in (0, 240]; of a GIF 50 at most.
        codec
            One of `CODECS` for the ending; None for the first.
        sound_of
            A video or piece of music whose sound goes along, for as long as the frames last. Where the file
            can hold it, it is copied, and otherwise encoded as AAC or Opus. A clip without sound gives none.
        sound_start
            Second of that clip at which the first frame is.
        record
            How the video was made, in anything that JSON can hold; `read_info` reads it back.

        Raises
        ------
        OutputError
            The ending is none of these, or the file cannot be written.
        VideoError
            ``sound_of`` cannot be read.
        ValueError
            A number is out of its range, or the ending does not have the codec or sound.
        MissingExtraError
            PyAV is not installed.
        """
        self.path = Path(path)
        suffix = self.path.suffix.lower()
        if suffix not in CODECS:
            raise OutputError(f"{printable(path)}: videos are written as {', '.join(CODECS)}")
        codec = codec or CODECS[suffix][0]
        if codec not in CODECS[suffix]:
            raise ValueError(f"codec {codec!r}: a {suffix} has {' or '.join(CODECS[suffix])}")
        most = _MOST_GIF_FRAMES if suffix == ".gif" else 240
        try:
            number = float(frame_rate)
        except (TypeError, ValueError, OverflowError):
            number = 0.0
        if not 0 < number <= most:
            raise ValueError(f"frame_rate {frame_rate!r}: must be above 0 and at most {most} for a {suffix}")
        if not is_utf8(self.path):
            raise OutputError(f"{printable(path)}: the name of a video must be UTF-8")
        is_animation = codec in ("gif", "webp")
        if is_animation and sound_of is not None:
            raise ValueError(f"sound_of: a {suffix} has no sound; write an .mp4 or .webm")
        self._size: tuple[int, int] | None = None
        rate = Fraction(frame_rate if isinstance(frame_rate, Fraction) else number).limit_denominator(1001)
        text = "" if record is None else text_of_record(record)
        with ExitStack() as stack:
            sound = None if sound_of is None else stack.enter_context(Sound(sound_of, sound_start))
            with _errors_name(self.path):
                self.path.parent.mkdir(parents=True, exist_ok=True)
                partial = stack.enter_context(atomic_write(self.path, many_writers=True))
            self._file: _Encoded | _Animation = (
                _Animation(partial, codec, rate, text)
                if is_animation
                else _Encoded(partial, suffix[1:], codec, rate, text, sound)
            )
            self._stack = stack.pop_all()

    def write(self, frame: Frame) -> None:
        """Add a frame, (H, W, 3) RGB; all have one size. Odd sides grow by one pixel, the edge's own.

        Raises
        ------
        ValueError
            It is no such picture, or has another size than the first.
        OutputError
            The file cannot be written.
        """
        frame = np.asarray(frame)
        if frame.ndim != 3 or frame.shape[2] != 3 or frame.dtype != np.uint8 or 0 in frame.shape:
            raise ValueError(f"frame of shape {frame.shape} and {frame.dtype}: must be uint8 (H, W, 3)")
        size = frame.shape[1], frame.shape[0]
        self._size = self._size or size
        if size != self._size:
            width, height = self._size
            raise ValueError(f"frame of {size[0]}x{size[1]} pixels: those before have {width}x{height}")
        with _errors_name(self.path):
            self._file.add(frame)

    def close(self) -> None:
        """Finish the file and give it its name.

        Raises
        ------
        ValueError
            No frame was written.
        OutputError
            The file cannot be written.
        """
        with self._stack, _errors_name(self.path):
            if self._size is None:
                raise ValueError(f"{printable(self.path)}: a video needs one frame at least")
            self._file.finish()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.close()
        else:
            self._file.abandon()
            self._stack.__exit__(kind, error, trace)


@contextmanager
def _errors_name(path: Path) -> Iterator[None]:
    """Turn errors of writing into one that names the file."""
    with needs_extra("video"):
        from av.error import FFmpegError
    try:
        yield
    except (FFmpegError, OSError) as error:
        raise OutputError(f"{printable(path)} cannot be written: {error.strerror or error}") from error


class _Encoded:
    """An MP4 or WebM, written as its frames come."""

    def __init__(
        self, partial: Path, container: str, codec: str, rate: Fraction, text: str, sound: Sound | None
    ) -> None:
        self._partial, self._container, self._codec = partial, container, codec
        self._rate, self._text, self._sound = rate, text, sound
        self._count = 0
        self._output: Any = None
        self._stream: Any = None

    def add(self, frame: Frame) -> None:
        import av

        height, width = frame.shape[:2]
        if width % 2 or height % 2:
            frame = np.pad(frame, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
        if self._output is None:
            self._open(frame.shape[1], frame.shape[0])
        picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24").reformat(
            format="yuv420p", dst_colorspace=_BT709
        )
        picture.pts, picture.time_base = self._count, 1 / self._rate
        self._output.mux(self._stream.encode(picture))
        self._count += 1
        if self._sound is not None:
            self._sound.write(float(self._count / self._rate))

    def _open(self, width: int, height: int) -> None:
        import av

        options = {"movflags": "+faststart"} if self._container == "mp4" else {}
        self._output = av.open(str(self._partial), "w", format=self._container, options=options)
        if self._text:
            self._output.metadata["comment"] = self._text
        self._stream = self._output.add_stream(
            {"vp9": "libvpx-vp9"}.get(self._codec, self._codec),
            rate=self._rate,
            options=_OPTIONS[self._codec],
        )
        self._stream.width, self._stream.height, self._stream.pix_fmt = width, height, "yuv420p"
        for name in ("colorspace", "color_primaries", "color_trc", "color_range"):
            setattr(self._stream, name, _BT709)
        if self._sound is not None:
            self._sound.join(self._output, self._container)

    def finish(self) -> None:
        self._output.mux(self._stream.encode())
        self._output.close()

    def abandon(self) -> None:
        if self._output is not None:
            self._output.close()


class _Animation:
    """A GIF or WebP that plays for ever, written by Pillow at the end."""

    def __init__(self, partial: Path, codec: str, rate: Fraction, text: str) -> None:
        self._partial, self._codec, self._rate, self._text = partial, codec, rate, text
        self._frames: list[Image.Image] = []

    def add(self, frame: Frame) -> None:
        picture = Image.fromarray(frame)
        self._frames.append(picture.quantize(256) if self._codec == "gif" else picture)

    def finish(self) -> None:
        unit = 10 if self._codec == "gif" else 1  # milliseconds
        ends = [round(1000 * n / self._rate / unit) * unit for n in range(len(self._frames) + 1)]
        options: dict[str, Any] = {"duration": np.diff(ends).tolist(), "loop": 0}
        if self._codec == "gif":
            options |= {"comment": self._text.encode()} if self._text else {}
        else:
            options |= {"quality": _WEBP_QUALITY}
            if self._text:
                exif = Image.Exif()
                exif[DESCRIPTION] = self._text
                options["exif"] = exif
        first, *others = self._frames
        first.save(self._partial, self._codec.upper(), save_all=True, append_images=others, **options)

    def abandon(self) -> None:
        self._frames.clear()
