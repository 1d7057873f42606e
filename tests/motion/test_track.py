"""A face followed through frames and videos: found, lost, one of several, and what cannot be followed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hifi_portrait import Identity
from hifi_portrait.errors import MotionError, NoFaceError, VideoError
from hifi_portrait.io.video_writer import VideoWriter
from hifi_portrait.motion import TrackOptions, track_video
from hifi_portrait.motion.track import track_frames

PICTURES = Path(__file__).parents[1] / "pictures"
SIZE = 256
RATE = 25.0


def picture(name):
    with Image.open(PICTURES / name) as image:
        return np.asarray(image.convert("RGB").resize((SIZE, SIZE)))


@pytest.fixture(scope="module")
def anna():
    return picture("person_a_1.jpg")


@pytest.fixture(scope="module")
def ben():
    return picture("person_b_1.jpg")


def timed(frames, rate=RATE):
    return [(number / rate, frame) for number, frame in enumerate(frames)]


def shifted(frame, pixels):
    return np.roll(frame, pixels, axis=1)


def test_a_face_that_only_moves_aside_keeps_pose_and_expression(anna):
    motion = track_frames(timed([shifted(anna, 2 * number) for number in range(6)]))
    assert len(motion) == 6
    assert motion.notices == ()
    assert np.ptp(motion.pose, axis=0).max() < 2
    assert np.ptp(motion.expression, axis=0).max() < 0.15


def test_times_are_the_frames_own(anna):
    motion = track_frames([(1.0, anna), (1.1, anna), (1.1, anna), (1.4, anna)])
    assert motion.times == pytest.approx([0, 0.1, 0.4])  # from the first; a time given twice counts once


def test_one_frame_is_a_motion(anna):
    assert len(track_frames([(0.0, anna)])) == 1


def test_frames_without_the_face_are_bridged_and_long_gaps_told(anna):
    nothing = np.full_like(anna, 90)
    frames = [anna, nothing, anna, *[nothing] * 4, anna]
    motion = track_frames(timed(frames, 5.0))
    assert len(motion) == 8
    assert motion.notices == ("the face is not seen from 0.40 to 1.40 s: the motion there is a guess",)
    short = track_frames(timed(frames, 25.0))
    assert short.notices == ()


def test_the_largest_of_several_faces_is_followed_or_the_one_that_is_asked_for(anna, ben):
    small = np.asarray(Image.fromarray(ben).resize((160, 160)))
    both = np.full((SIZE, SIZE + 160, 3), 128, np.uint8)
    both[:, :SIZE], both[:160, SIZE:] = anna, small
    alone, other = track_frames([(0.0, anna)]), track_frames([(0.0, ben)])
    largest = track_frames([(0.0, both)])
    assert "shows 2 faces" in largest.notices[0]
    second = track_frames([(0.0, both)], face=1)
    person = track_frames([(0.0, both)], identity=Identity.from_photos(PICTURES / "person_b_1.jpg"))
    assert (
        np.abs(largest.expression - alone.expression).mean()
        < np.abs(largest.expression - other.expression).mean()
    )
    for found in (second, person):
        assert found.notices == ()
        assert (
            np.abs(found.expression - other.expression).mean()
            < np.abs(found.expression - alone.expression).mean()
        )


def test_after_a_cut_to_somebody_else_the_face_is_not_theirs(anna, ben):
    motion = track_frames(timed([anna] * 3 + [ben] * 5, 5.0))
    assert motion.notices == ("the face is not seen from 0.40 to 1.40 s: the motion there is a guess",)
    assert np.array_equal(motion.expression[2], motion.expression[-1])  # it rests as it was last seen


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (
            {"face": 1},
            r"clip: no frame has a face 1: they are counted from 0 \(the largest\), and there are 1",
        ),
        ({"identity": "person_b_1.jpg"}, "clip: none of its faces is the person's"),
        ({"options": TrackOptions(longest=0.01)}, "clip is longer than 0 s: cut out"),
    ],
)
def test_what_cannot_be_followed_is_told(anna, arguments, told):
    if "identity" in arguments:
        arguments = {"identity": Identity.from_photos(PICTURES / arguments["identity"])}
    with pytest.raises(MotionError, match=told):
        track_frames(timed([anna] * 2), name="clip", **arguments)


@pytest.mark.parametrize("face", [-1, 1.5, "x", float("nan"), True])
def test_a_face_that_there_cannot_be_is_refused_before_anything_is_read(face):
    with pytest.raises(NoFaceError, match=f"clip: faces are counted from 0.*no face {face!r}"):
        track_frames(iter(()), name="clip", face=face)


def test_a_clip_without_a_face_is_refused():
    with pytest.raises(MotionError, match="the video: no face was found in any frame"):
        track_frames(timed([np.full((SIZE, SIZE, 3), 128, np.uint8)] * 2))


def test_a_video_of_odd_sides_is_followed(anna, tmp_path):
    with VideoWriter(tmp_path / "clip.mp4", frame_rate=RATE) as video:
        for number in range(4):
            video.write(np.ascontiguousarray(shifted(anna, number)[:-1, :-3]))
    seen = []
    motion = track_video(tmp_path / "clip.mp4", on_frame=seen.append)
    assert motion.times == pytest.approx([0, 0.04, 0.08, 0.12], abs=1e-3)
    assert seen == pytest.approx([0, 0.04, 0.08, 0.12], abs=1e-3)
    with pytest.raises(MotionError, match=r"clip\.mp4 is 0 s long, and at most 0 s are tracked"):
        track_video(tmp_path / "clip.mp4", options=TrackOptions(longest=0.05))


def test_what_is_no_video_is_refused_by_name(tmp_path):
    (tmp_path / "clip.mp4").write_bytes(b"nothing of the kind" * 50)
    with pytest.raises(VideoError, match=r"clip\.mp4"):
        track_video(tmp_path / "clip.mp4")
    with pytest.raises(VideoError, match=r"gone\.mp4"):
        track_video(tmp_path / "gone.mp4")
