"""The sound of a clip, for the video that is made of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from hifi_portrait.io.video import opened_container

_COPIED = {"mp4": {"aac", "mp3", "ac3", "eac3"}, "webm": {"opus", "vorbis"}}
"""Container -> the codecs of sound that it can hold."""

_ENCODER = {"mp4": "aac", "webm": "libopus"}

_SAMPLES = 48000
"""A second, of sound that is encoded anew."""


class Sound:
    """Hands the sound of a clip to a video, as far as its pictures have come."""

    def __init__(self, path: str | Path, start: float) -> None:
        """Open a clip, whose sound begins at second ``start``.

        Raises
        ------
        VideoError
            It cannot be read.
        """
        self._start = start
        self._stack = ExitStack()
        self._input = self._stack.enter_context(opened_container(path))
        self._source: Any = self._input.streams.audio[0] if self._input.streams.audio else None
        self._packets: Iterator[Any] = iter(())
        self._output: Any = None
        self._stream: Any = None
        self._next: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(None, None, None)

    def join(self, output: Any, container: str) -> None:
        """Give a video that has no frame yet a track for it."""
        if self._source is None:
            return
        self._output = output
        if self._start:
            self._input.seek(int(self._start * 1e6))
        if self._source.codec_context.name in _COPIED[container]:
            self._stream = output.add_stream_from_template(self._source)
            self._packets = self._copied()
        else:
            self._stream = output.add_stream(_ENCODER[container], rate=_SAMPLES)
            self._packets = self._encoded()
        self._next = next(self._packets, None)

    def write(self, until: float) -> None:
        """Write what is heard before a time, in seconds of the video."""
        while self._next is not None and self._next.pts * self._next.time_base < until:
            self._output.mux(self._next)
            self._next = next(self._packets, None)

    def _copied(self) -> Iterator[Any]:
        for packet in self._input.demux(self._source):
            if packet.pts is None:
                continue
            shift = int(self._start / packet.time_base)
            if packet.pts >= shift:
                packet.pts -= shift
                packet.dts = packet.pts
                packet.stream = self._stream
                yield packet

    def _encoded(self) -> Iterator[Any]:
        from av import AudioResampler

        resampler = AudioResampler(format="fltp", layout="stereo", rate=_SAMPLES)
        frames: Iterator[Any] = self._input.decode(self._source)
        for frame in frames:
            part: Any
            for part in resampler.resample(frame):
                shift = int(self._start / part.time_base)
                if part.pts >= shift:
                    part.pts -= shift
                    yield from self._stream.encode(part)
        yield from self._stream.encode()
