"""Videos that are written and read back."""

from __future__ import annotations

import logging
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from hifi_portrait.errors import OutputError, VideoError
from hifi_portrait.io.provenance import find_record
from hifi_portrait.io.video import read_frames, read_frames_at, read_info
from hifi_portrait.io.video_writer import VideoWriter

COLOURS = [(200, 40, 40), (40, 180, 60), (50, 60, 200), (230, 230, 220)]


def frames(number: int, width: int = 64, height: int = 48) -> list[np.ndarray]:
    """Pictures of one colour each, darker at the right."""
    shade = np.linspace(1, 0.5, width)[None, :, None]
    return [
        np.broadcast_to(np.array(COLOURS[n % 4]) * shade, (height, width, 3)).astype(np.uint8)
        for n in range(number)
    ]


def write(path: Path, number: int = 8, width: int = 64, height: int = 48, **more: object) -> Path:
    with VideoWriter(path, frame_rate=10, **more) as video:
        for frame in frames(number, width, height):
            video.write(frame)
    return path


def write_times(path: Path, times: list[int], *, rotate: float = 0) -> Path:
    """A video whose frames begin at given milliseconds."""
    with av.open(str(path), "w") as output:
        stream = output.add_stream("mpeg4", rate=1000)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.time_base = stream.codec_context.time_base = Fraction(1, 1000)
        if rotate:
            stream.set_display_rotation(rotate)
        for frame, time in zip(frames(len(times)), times, strict=True):
            picture = av.VideoFrame.from_ndarray(frame, format="rgb24")
            picture.pts, picture.time_base = time, Fraction(1, 1000)
            output.mux(stream.encode(picture))
        output.mux(stream.encode())
    return path


def write_sound(path: Path, codec: str, seconds: float = 2.0) -> Path:
    with av.open(str(path), "w") as output:
        stream = output.add_stream(codec, rate=8000 if codec == "pcm_s16le" else 48000)
        rate = stream.rate
        wave = (8000 * np.sin(np.arange(int(seconds * rate)) / 20)).astype(np.int16)
        sound = av.AudioFrame.from_ndarray(wave[None], format="s16", layout="mono")
        sound.rate, sound.pts, sound.time_base = rate, 0, Fraction(1, rate)
        output.mux(stream.encode(sound))
        output.mux(stream.encode())
    return path


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("clip") / "clip.mp4")


@pytest.mark.parametrize(
    ("name", "codec", "most"),
    [("a.mp4", None, 6), ("b.mp4", "vp9", 6), ("c.webm", None, 6), ("d.gif", None, 16)],
)
def test_frames_come_back_in_their_colours_and_at_their_times(tmp_path, name, codec, most):
    found = list(read_frames(write(tmp_path / name, codec=codec)))
    assert [frame.time for frame in found] == pytest.approx([n / 10 for n in range(8)], abs=1e-3)
    for frame, true in zip(found, frames(8), strict=True):
        assert np.abs(frame.pixels().astype(int) - true).mean() < most


def test_an_animated_webp_has_all_frames_and_its_record(tmp_path):
    with Image.open(write(tmp_path / "a.webp", 3, record={"seed": 1})) as picture:
        assert (picture.n_frames, picture.info["loop"]) == (3, 0)
        assert find_record(picture) == {"seed": 1}


def test_what_a_video_is_can_be_told(clip):
    info = read_info(clip)
    assert (info.width, info.height, info.frame_rate, info.has_audio, info.record) == (
        64,
        48,
        10,
        False,
        None,
    )
    assert info.duration == pytest.approx(0.8, abs=0.01)


@pytest.mark.parametrize("name", ["a.mp4", "a.webm"])
def test_the_record_is_read_back_as_it_was(tmp_path, name):
    record = {"prompt": "a café", "seed": 1}
    assert read_info(write(tmp_path / name, 1, record=record)).record == record


def test_times_are_the_files_own_where_the_frame_rate_varies(tmp_path):
    times = [0, 40, 500, 510, 2000]
    found = [frame.time for frame in read_frames(write_times(tmp_path / "a.mp4", times))]
    assert found == pytest.approx([time / 1000 for time in times])


def test_a_turned_video_comes_upright(tmp_path):
    """Telephones write what the sensor saw, and say how to turn it."""
    file = write_times(tmp_path / "a.mp4", [0, 100], rotate=90)
    picture = next(read_frames(file)).pixels()
    assert picture.shape == (64, 48, 3)
    turned = np.rot90(frames(1)[0]).astype(int)
    assert np.abs(picture - turned).mean() < 8
    assert (read_info(file).width, read_info(file).height) == (48, 64)


def test_single_frames_are_found_by_their_times(clip):
    every = list(read_frames(clip))
    found = list(read_frames_at(clip, [0.1, 0.35, 0.7, 9.0]))
    assert [frame and round(frame.time, 3) for frame in found] == [0.1, None, 0.7, None]
    np.testing.assert_array_equal(found[2].pixels(), every[7].pixels())


def test_frames_far_ahead_are_sought_and_the_same(tmp_path):
    file = write_times(tmp_path / "a.mp4", list(range(0, 20_000, 250)))
    every = {round(frame.time, 3): frame.pixels() for frame in read_frames(file)}
    for time, frame in zip([5.25, 19.5], read_frames_at(file, [5.25, 19.5]), strict=True):
        np.testing.assert_array_equal(frame.pixels(), every[time])


def test_a_frame_after_a_cut_has_changed(tmp_path):
    with VideoWriter(tmp_path / "a.mp4", frame_rate=10) as video:
        for frame in [frames(1)[0]] * 4 + [frames(4)[3]] * 4:
            video.write(frame)
    changes = [frame.change for frame in read_frames(tmp_path / "a.mp4", measure_change=True)]
    assert changes.index(max(changes)) == 4
    assert changes[4] > 10 > 1 > max(changes[:4] + changes[5:])


def test_odd_sizes_grow_by_a_pixel(tmp_path):
    info = read_info(write(tmp_path / "a.mp4", 2, width=63, height=47))
    assert (info.width, info.height) == (64, 48)


def test_frames_of_another_size_are_refused(tmp_path):
    with (
        pytest.raises(ValueError, match="32x32 pixels: those before have 64x48"),
        VideoWriter(tmp_path / "a.mp4", frame_rate=10) as video,
    ):
        video.write(frames(1)[0])
        video.write(np.zeros((32, 32, 3), np.uint8))
    assert not list(tmp_path.iterdir())


def test_a_name_that_is_no_videos_is_refused(tmp_path):
    with pytest.raises(OutputError, match=r"a\.png: videos are written as \.mp4"):
        VideoWriter(tmp_path / "a.png", frame_rate=10)


@pytest.mark.parametrize("rate", [0, -1, float("nan"), float("inf"), "x", None, 10**30])
def test_a_rate_that_is_none_is_refused_by_name(tmp_path, rate):
    with pytest.raises(ValueError, match="frame_rate"):
        VideoWriter(tmp_path / "a.mp4", frame_rate=rate)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("rate", [np.float32(12.5), np.int64(10), Fraction(30000, 1001)])
def test_rates_of_every_type_are_taken(tmp_path, rate):
    with VideoWriter(tmp_path / "a.webm", frame_rate=rate) as video:
        video.write(frames(1)[0])
    assert read_info(tmp_path / "a.webm").frame_rate == pytest.approx(float(rate))


def test_a_video_without_frames_is_refused_and_leaves_nothing(tmp_path):
    with pytest.raises(ValueError, match="one frame at least"):
        VideoWriter(tmp_path / "a.mp4", frame_rate=10).close()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("codec", "sound", "name", "kept"),
    [
        ("aac", "s.m4a", "a.mp4", "aac"),
        ("pcm_s16le", "s.wav", "a.mp4", "aac"),
        ("aac", "s.m4a", "a.webm", "opus"),
    ],
)
def test_the_sound_of_a_clip_goes_along_as_long_as_the_frames(tmp_path, codec, sound, name, kept):
    source = write_sound(tmp_path / sound, codec)
    file = write(tmp_path / name, sound_of=source, sound_start=0.5)
    assert read_info(file).has_audio
    with av.open(str(file)) as container:
        assert container.streams.audio[0].codec_context.name == kept
        heard = [frame.time + frame.samples / frame.sample_rate for frame in container.decode(audio=0)]
    assert heard[-1] == pytest.approx(0.8, abs=0.06)


def test_a_clip_without_sound_gives_none(tmp_path, clip):
    assert not read_info(write(tmp_path / "a.mp4", sound_of=clip)).has_audio


def test_music_is_no_video(tmp_path):
    with pytest.raises(VideoError, match=r"s\.m4a has no pictures, only sound"):
        list(read_frames(write_sound(tmp_path / "s.m4a", "aac")))


@pytest.mark.parametrize("content", [b"", b"no video", b"#EXTM3U\n#EXTINF:1,\n/etc/passwd\n", None])
def test_what_is_no_video_is_refused_by_name(tmp_path, content):
    file = write_times(tmp_path / "x.mp4", list(range(0, 1000, 100)))
    file.write_bytes(file.read_bytes()[:-900] if content is None else content)
    with pytest.raises(VideoError, match=r"x\.mp4 (is no video that can be read|has no pictures)"):
        list(read_frames(file))
    with pytest.raises(VideoError, match=r"gone\.mp4"):
        read_info(tmp_path / "gone.mp4")


def test_a_video_whose_pictures_are_cut_off_is_refused_by_name(tmp_path, clip):
    (tmp_path / "x.mp4").write_bytes(clip.read_bytes()[:1200])
    with pytest.raises(VideoError, match=r"x\.mp4"):
        list(read_frames(tmp_path / "x.mp4"))


def test_what_is_damaged_in_the_midst_is_left_out_with_a_warning(tmp_path, caplog):
    file = write_times(tmp_path / "a.mp4", list(range(0, 3000, 100)))
    with av.open(str(file)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
    data = bytearray(file.read_bytes())
    for packet in packets[8:10]:
        data[packet.pos : packet.pos + packet.size] = bytes(packet.size)
    file.write_bytes(data)
    with caplog.at_level(logging.WARNING):
        found = [round(frame.time, 3) for frame in read_frames(file)]
    assert 20 <= len(found) < 30 and found == sorted(found)
    assert "a.mp4" in caplog.text and "damaged" in caplog.text
