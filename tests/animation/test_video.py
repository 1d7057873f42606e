"""Videos of a person: complete, interrupted and gone on with, by each way to draw."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from hifi_portrait import Target
from hifi_portrait.animation import QUALITIES, animate, make_drawer
from hifi_portrait.animation.drawing import choose_look
from hifi_portrait.errors import OutputError
from hifi_portrait.io.video import read_frames, read_info

TARGETS = [Target(yaw=yaw, look=0) for yaw in (-6, -3, 0, 3, 6)]
SIZE = 128  # of other sizes, such as 64 and 272, x264 with AVX-512 does not always write the same bytes


@pytest.fixture(scope="module")
def draw(identity):
    return make_drawer("warp", identity, SIZE)


def stopping(draw, after, error):
    """Draw so many pictures, then end as a user's or the machine's interruption does."""
    drawn = []

    def interrupted(target):
        if len(drawn) == after:
            raise error
        drawn.append(target)
        return draw(target)

    return interrupted


def make(identity, out, draw, **changes):
    return animate(
        identity, TARGETS, out, **{"draw": draw, "drawn_by": {"size": SIZE}, "rate": 25.0} | changes
    )


def test_a_video_has_a_frame_for_each_target(identity, draw, tmp_path):
    result = make(identity, tmp_path / "a.mp4", draw, record={"synthetic": True})
    assert (result.frames, result.wanted, result.reused, result.is_complete) == (5, 5, 0, True)
    info = read_info(tmp_path / "a.mp4")
    assert (info.width, info.height, info.frame_rate) == (SIZE, SIZE, 25)
    assert info.duration == pytest.approx(0.2)
    assert info.record == {"synthetic": True}
    frames = [frame.pixels() for frame in read_frames(tmp_path / "a.mp4")]
    for frame, target in zip(frames, TARGETS, strict=True):
        assert np.abs(frame.astype(int) - draw(target)).mean() < 4
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]


@pytest.mark.parametrize("after", [1, 4])
def test_a_video_that_was_cut_off_is_gone_on_with(identity, draw, tmp_path, after):
    make(identity, tmp_path / "whole.mp4", draw)
    with pytest.raises(MemoryError):
        make(identity, tmp_path / "a.mp4", stopping(draw, after, MemoryError()))
    assert not (tmp_path / "a.mp4").exists()
    result = make(identity, tmp_path / "a.mp4", stopping(draw, 5 - after, MemoryError()))
    assert result.reused == after
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "whole.mp4").read_bytes()


def test_a_stopped_video_can_be_played_and_gone_on_with(identity, draw, tmp_path):
    make(identity, tmp_path / "whole.mp4", draw)
    stopped = make(identity, tmp_path / "a.mp4", stopping(draw, 3, KeyboardInterrupt()))
    assert (stopped.frames, stopped.is_complete) == (3, False)
    assert len(list(read_frames(tmp_path / "a.mp4"))) == 3
    assert make(identity, tmp_path / "a.mp4", draw).reused == 3
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "whole.mp4").read_bytes()


def test_frames_of_other_settings_are_not_used(identity, draw, tmp_path):
    with pytest.raises(MemoryError):
        make(identity, tmp_path / "a.mp4", stopping(draw, 3, MemoryError()))
    assert make(identity, tmp_path / "a.mp4", draw, drawn_by={"size": SIZE, "quality": "head"}).reused == 0


def test_an_interruption_before_the_first_frame_leaves_nothing(identity, draw, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        make(identity, tmp_path / "a.mp4", stopping(draw, 0, KeyboardInterrupt()))
    assert list(tmp_path.iterdir()) == []


def test_a_video_of_nothing_is_refused(identity, draw, tmp_path):
    with pytest.raises(OutputError, match="one frame at least"):
        animate(identity, [], tmp_path / "a.mp4", draw=draw, drawn_by={})


@pytest.mark.parametrize("quality", QUALITIES)
def test_each_way_draws_the_person_before_the_background(identity, pipe, quality):
    draw = make_drawer(
        quality,
        identity,
        SIZE,
        background="#20c040",
        pipe=pipe,
        settings={"num_inference_steps": 2, "warp_strength": 0.5},
    )
    picture = draw(Target(look=0))
    assert picture.shape == (SIZE, SIZE, 3)
    assert np.abs(picture[:2].astype(int) - (32, 192, 64)).mean() < 3
    assert np.abs(picture[56:72, 56:72].astype(int) - (32, 192, 64)).mean() > 30
    assert np.array_equal(picture, draw(Target(look=0)))


def test_ways_to_draw_that_there_are_not_are_refused(identity):
    with pytest.raises(ValueError, match="`quality` must be one of head, warp, model, but is 'fast'"):
        make_drawer("fast", identity, SIZE)
    with pytest.raises(ValueError, match="needs `pipe`"):
        make_drawer("model", identity, SIZE)


@pytest.mark.parametrize("size", [float("nan"), "x", None, 2.5, 10**9, 8])
def test_a_drawer_of_no_size_is_refused(identity, size):
    with pytest.raises(ValueError, match="`size` must be a whole number"):
        make_drawer("head", identity, size)


def test_a_transparent_picture_makes_no_frame(identity, tmp_path):
    with pytest.raises(OutputError, match="videos have no alpha"):
        make(identity, tmp_path / "a.webp", lambda _: np.zeros((SIZE, SIZE, 4), np.uint8))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("settings", [{"size": SIZE}, {"size": SIZE, "seed": 1}])
def test_a_second_call_for_one_video_is_refused_and_the_first_is_as_if_alone(identity, tmp_path, settings):
    out, refused = tmp_path / "a.gif", []

    def draw(target):
        with pytest.raises(OutputError, match=r"a\.gif is being written by another call"):
            make(identity, out, draw, drawn_by=settings)
        refused.append(target)
        return np.full((SIZE, SIZE, 3), len(refused), np.uint8)

    assert make(identity, out, draw).frames == len(refused) == len(TARGETS)
    assert [path.name for path in tmp_path.iterdir()] == ["a.gif"]


def test_threads_write_videos_into_one_folder(identity, tmp_path):
    def write(number):
        return make(
            identity, tmp_path / f"{number}.gif", lambda _: np.zeros((SIZE, SIZE, 3), np.uint8)
        ).frames

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(write, range(4))) == [len(TARGETS)] * 4


def test_a_sequence_gets_one_look_unless_it_names_one(identity):
    looks = [
        target.look for target in choose_look(identity, [Target(yaw=-20), Target(yaw=-22), Target(yaw=5)])
    ]
    assert looks == [0, 0, 0]
    assert [target.look for target in choose_look(identity, [Target(look=1), Target()])] == [1, None]
