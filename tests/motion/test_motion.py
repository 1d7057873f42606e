"""Motions: resampled, smoothed, made into targets, saved; from key frames and made up."""

from __future__ import annotations

import json

import numpy as np
import pytest

from hifi_portrait import Target
from hifi_portrait.errors import MotionError, OutputError
from hifi_portrait.head.geometry import EXPRESSION_NAMES
from hifi_portrait.motion import Motion, idle, key_frames
from hifi_portrait.motion.smoothing import OneEuroFilter

SMILE, JAW, BROW, BLINK = (
    EXPRESSION_NAMES.index(name) for name in ("mouthSmileLeft", "jawOpen", "browInnerUp", "eyeBlinkLeft")
)


def a_motion(count=11, seconds=1.0):
    """The head turns by 20 degrees and the jaw opens."""
    times = np.linspace(0, seconds, count)
    share = times / seconds
    expression = np.zeros((count, 52))
    expression[:, JAW] = share
    return Motion(times, expression, np.outer(share, (20, 0, 0)), np.outer(share, (0, 10)))


def test_a_motion_is_read_between_its_moments_and_rests_outside():
    motion = a_motion().at([0.25, 5.0])
    assert motion.pose[:, 0] == pytest.approx([5, 20])
    assert motion.expression[:, JAW] == pytest.approx([0.25, 1])
    assert len(a_motion(seconds=2.0).at_rate(25)) == 51


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"times": np.zeros(0)}, "at least one moment"),
        ({"times": np.array([0.0, 0.0])}, "must ascend"),
        ({"times": np.array([-1.0, 0.0])}, "begin at 0"),
        ({"pose": np.zeros((2, 2))}, r"pose of a motion must have shape \(2, 3\)"),
        ({"gaze": np.array([[0, 0], [np.nan, 0]])}, "gaze of a motion holds a number that is not finite"),
    ],
)
def test_what_is_no_motion_is_refused_by_name(changes, message):
    parts = {"times": np.array([0.0, 1.0]), "expression": np.zeros((2, 52)), "pose": np.zeros((2, 3))}
    with pytest.raises(MotionError, match=message):
        Motion(**{**parts, "gaze": np.zeros((2, 2)), **changes})


def test_targets_take_only_the_parts_that_are_asked_for():
    base = Target(expression="smile", yaw=-5)
    still, moved = a_motion().targets(base, parts=["mouth"])[0], a_motion().targets(base, parts=["mouth"])[-1]
    assert moved.pose == base.pose
    assert moved.gaze == base.gaze
    assert (still.expression[JAW], moved.expression[JAW]) == (0, 1)
    assert moved.expression[BLINK] == base.expression[BLINK]
    assert a_motion().targets(base, parts=["pose"])[-1].pose.yaw == pytest.approx(20)
    assert a_motion().targets(base, parts=["eyes"])[-1].gaze[1] == pytest.approx(10)


def test_a_relative_motion_is_added_to_the_target():
    motion = a_motion()
    turned = Motion(motion.times, motion.expression + 0.1, motion.pose + 7, motion.gaze)
    base = Target(expression="smile", yaw=-5, clothes="navy")
    drawn = turned.targets(base, relative=True)
    assert drawn[0].expression == pytest.approx(base.expression)
    assert drawn[0].pose.yaw == pytest.approx(-5)
    assert drawn[-1].pose.yaw == pytest.approx(15)
    assert drawn[-1].expression[SMILE] == pytest.approx(base.expression[SMILE])
    assert {target.clothes for target in drawn} == {"navy"}


def test_targets_stay_within_their_limits():
    motion = Motion(np.zeros(1), np.full((1, 52), 5.0), np.array([[90.0, -90, 90]]), np.array([[90.0, -90]]))
    (target,) = motion.targets()
    assert (target.pose.yaw, target.pose.pitch, target.pose.roll) == (60, -40, 40)
    assert target.gaze == (40, -30)
    assert max(target.expression) == 2
    with pytest.raises(MotionError, match="parts of a motion are pose, eyes, mouth, face, but not hands"):
        motion.targets(parts=["hands"])


def test_smoothing_takes_jitter_and_keeps_the_motion(rng):
    times = np.arange(100) / 25
    truth = 20 * np.sin(2 * np.pi * 0.3 * times)
    pose = np.zeros((100, 3))
    pose[:, 0] = truth + rng.normal(0, 0.5, 100)
    motion = Motion(times, np.zeros((100, 52)), pose, np.zeros((100, 2)))
    smoothed = motion.smoothed()

    def jitter(each):
        return np.abs(np.diff(each.pose[:, 0], n=2)).mean()

    assert jitter(smoothed) < jitter(motion) / 3
    assert np.abs(smoothed.pose[:, 0] - truth)[5:-5].max() < 3
    assert np.array_equal(motion.smoothed(0).pose, motion.pose)
    with pytest.raises(MotionError, match="strength of smoothing"):
        motion.smoothed(-1)


def test_the_one_euro_filter_rests_where_its_signal_rests():
    smoother = OneEuroFilter(1.0, 0.1)
    assert [float(smoother(time / 30, np.array([3.0]))[0]) for time in range(4)] == [3, 3, 3, 3]
    assert 3 < float(smoother(5 / 30, np.array([4.0]))[0]) < 4


def test_a_saved_motion_is_loaded_as_it_was(tmp_path):
    motion = Motion.of([0, 0.5], [Target(), Target(expression="smile", yaw=12, gaze=(3, -2))], ["a gap"])
    motion.save(tmp_path / "m.json")
    loaded = Motion.load(tmp_path / "m.json")
    assert np.allclose(loaded.expression, motion.expression, atol=1e-5)
    assert np.array_equal(loaded.pose, motion.pose)
    assert np.array_equal(loaded.gaze, motion.gaze)
    assert loaded.notices == ("a gap",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is no motion"),
        ("{}", "is no motion"),
        ('{"format": "hifi-portrait motion", "version": 9}', "has version 9; this release reads 1"),
        ('{"format": "hifi-portrait motion", "version": 1}', "damaged motion"),
        (
            json.dumps(
                {
                    "format": "hifi-portrait motion",
                    "version": 1,
                    "frames": [{"time": 0, "expression": {"grin": 1}, "pose": [0, 0, 0], "gaze": [0, 0]}],
                }
            ),
            "unknown coefficient 'grin'",
        ),
    ],
)
def test_what_is_no_motion_file_is_refused_by_name(tmp_path, text, message):
    (tmp_path / "m.json").write_text(text)
    with pytest.raises(MotionError, match=f"m.json.*{message}"):
        Motion.load(tmp_path / "m.json")
    with pytest.raises(MotionError, match=r"missing\.json"):
        Motion.load(tmp_path / "missing.json")


def test_key_frames_are_passed_and_nothing_goes_beyond_them():
    motion = key_frames(
        [(0, "neutral"), (0.4, Target(expression="smile", yaw=20)), (1.2, "neutral")], rate=50
    )
    smile = Target(expression="smile").expression[SMILE]
    assert motion.expression[20, SMILE] == pytest.approx(smile)
    assert motion.expression[:, SMILE].max() <= smile + 1e-9
    assert motion.pose[20, 0] == pytest.approx(20)
    assert motion.pose[-1, 0] == pytest.approx(0)
    with pytest.raises(MotionError, match="must ascend"):
        key_frames([(1, "smile"), (0, "smile")])
    with pytest.raises(MotionError, match="at least one"):
        key_frames([])


def test_an_idle_head_blinks_and_sways_alike_for_one_seed():
    motion = idle(20, seed=3)
    assert np.array_equal(motion.expression, idle(20, seed=3).expression)
    assert not np.array_equal(motion.pose, idle(20, seed=4).pose)
    closed = motion.expression[:, BLINK] > 0.5
    blinks = (np.diff(closed.astype(int)) == 1).sum()
    assert 3 <= blinks <= 10
    assert 0 < np.abs(motion.pose).max() < 3
    assert np.abs(np.diff(motion.pose, axis=0)).max() < 0.5  # it sways, it does not jump
    for wrong in (0, -1, 1e9, float("nan")):
        with pytest.raises(MotionError, match="duration of an idle motion"):
            idle(wrong)
    for wrong in (-1, "x", 1.5, float("nan"), True):
        with pytest.raises(MotionError, match="seed of an idle motion"):
            idle(0.1, seed=wrong)
    assert np.array_equal(idle(1, seed=np.int64(3)).pose, idle(1, seed=3.0).pose)


@pytest.mark.parametrize("place", ["file/m.json", "/proc/none/m.json", "x" * 300 + ".json"])
def test_a_place_where_no_motion_can_be_saved_is_named(tmp_path, monkeypatch, place):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot be written"):
        idle(0.1).save(place)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
