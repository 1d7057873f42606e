from __future__ import annotations

import json
import math
from dataclasses import FrozenInstanceError, dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from head_samples import geometry_of
from hifi_portrait.errors import NoFaceError, TargetError
from hifi_portrait.faces import load_image
from hifi_portrait.head import EXPRESSION_NAMES, HeadPose
from hifi_portrait.landmarks import LandmarkGenerator
from hifi_portrait.person.presets import PRESETS
from hifi_portrait.person.target import EYE_LEVEL, Framing, Target

PICTURES = Path(__file__).parents[1] / "pictures"
SMILE = EXPRESSION_NAMES.index("mouthSmileLeft")


def test_the_default_is_neutral_and_facing_the_camera() -> None:
    target = Target()
    assert not target.expression_vector().any()
    assert (target.pose, target.gaze) == (HeadPose(), (0.0, 0.0))


def test_every_preset_is_within_range_and_not_neutral() -> None:
    for name in PRESETS:
        vector = Target(name).expression_vector()
        assert vector.shape == (52,)
        assert vector.any() == (name != "neutral")


def test_the_promised_presets_exist() -> None:
    promised = "neutral smile laugh surprise sad angry disgust fear wink kiss talk"
    assert set(promised.split()) <= set(PRESETS)


@pytest.mark.parametrize("name", ["Eyes closed", "eyes_closed", " EYES-CLOSED "])
def test_preset_names_are_lenient(name: str) -> None:
    assert Target(name) == Target("eyes-closed")


def test_preset_strength_scales_the_expression() -> None:
    half = Target.preset("smile", 0.5, pose=HeadPose(yaw=10))
    np.testing.assert_allclose(half.expression_vector(), Target("smile").expression_vector() / 2)
    assert half.pose.yaw == 10


def test_wink_closes_one_eye_only() -> None:
    vector = Target("wink").expression_vector()
    assert vector[EXPRESSION_NAMES.index("eyeBlinkLeft")] > 0.9
    assert vector[EXPRESSION_NAMES.index("eyeBlinkRight")] == 0


def test_named_coefficients_leave_the_rest_at_zero() -> None:
    vector = Target({"mouthSmileLeft": 0.4}).expression_vector()
    assert vector[SMILE] == pytest.approx(0.4)
    assert np.count_nonzero(vector) == 1


def test_all_coefficients_as_an_array() -> None:
    values = np.linspace(0, 1, 52, dtype=np.float32)
    np.testing.assert_array_equal(Target(values).expression_vector(), values)


def test_unknown_preset_names_close_ones_and_all() -> None:
    with pytest.raises(TargetError, match=r"'smille'\. Did you mean smile.*Known: neutral, smile"):
        Target("smille")


def test_unknown_coefficient_names_close_ones() -> None:
    with pytest.raises(TargetError, match=r"'JawOpn'\. Did you mean jawOpen"):
        Target({"JawOpn": 0.3})


def test_a_coefficient_out_of_range_is_named() -> None:
    with pytest.raises(TargetError, match=r"jawOpen = 2\.2 is out of range: it must lie in \[0, 2\]"):
        Target({"jawOpen": 2.2})


def test_a_wrong_number_of_coefficients() -> None:
    with pytest.raises(TargetError, match="52 coefficients, got 51"):
        Target(np.zeros(51))


@pytest.mark.parametrize(("axis", "limit"), [("yaw", 60), ("pitch", 40), ("roll", 40)])
def test_pose_ranges(axis: str, limit: int) -> None:
    Target(pose=HeadPose(**{axis: limit}))
    with pytest.raises(TargetError, match=rf"{axis} = 400 is out of range: .*\[-{limit}, {limit}\] degrees"):
        Target(pose=HeadPose(**{axis: 400.0}))


def test_not_a_number_is_out_of_range() -> None:
    with pytest.raises(TargetError, match="yaw = nan"):
        Target(pose=HeadPose(yaw=float("nan")))


def test_gaze_range() -> None:
    with pytest.raises(TargetError, match=r"gaze pitch = 50"):
        Target(gaze=(0, 50))


@pytest.mark.parametrize("wrong", [{"scale": 0.0}, {"x": -0.1}, {"y": 1.5}])
def test_framing_ranges(wrong: dict[str, float]) -> None:
    with pytest.raises(TargetError, match=f"framing {next(iter(wrong))}"):
        Framing(**wrong)


def test_names_of_glasses_are_lenient() -> None:
    assert Target(glasses="Cat Eye").glasses == "cat-eye"


def test_unknown_glasses_name_those_that_are_known() -> None:
    with pytest.raises(TargetError, match=r"unknown glasses 'rond'\. Did you mean round.*sunglasses"):
        Target(glasses="rond")


def test_targets_never_change() -> None:
    target = Target("smile")
    with pytest.raises(FrozenInstanceError):
        target.gaze = (1.0, 1.0)  # type: ignore[misc]


def test_replace_changes_one_field() -> None:
    target = Target("smile", gaze=(5, 0)).replace(pose=HeadPose(yaw=20))
    assert (target.pose.yaw, target.gaze) == (20, (5, 0))
    assert target.expression_vector()[SMILE] > 0


def test_replacing_the_expression_by_that_of_another_target() -> None:
    smile = Target("smile")
    assert Target().replace(expression=smile.expression) == smile


def test_from_geometry_gives_back_what_was_asked_for() -> None:
    target = Target({"jawOpen": 0.3}, HeadPose(20, -10, 5), (8, -4), Framing(0.4, 0.45, 0.55))
    again = Target.from_geometry(LandmarkGenerator.load().geometry(np.zeros(80, np.float32), target, 256))
    np.testing.assert_allclose(again.expression_vector(), target.expression_vector())
    np.testing.assert_allclose(
        [again.pose.yaw, again.pose.pitch, again.pose.roll, *again.gaze], [20, -10, 5, 8, -4], atol=1e-3
    )
    np.testing.assert_allclose(
        [again.framing.scale, again.framing.x, again.framing.y], [0.4, 0.45, 0.55], atol=1e-4
    )


def test_from_geometry_brings_coefficients_into_range() -> None:
    expression = np.zeros(len(EXPRESSION_NAMES), np.float32)
    expression[SMILE], expression[SMILE + 1] = 1.2, -0.1
    vector = Target.from_geometry(geometry_of(expression=expression)).expression_vector()
    assert (vector[SMILE], vector[SMILE + 1]) == (1, 0)


def test_from_photo_takes_pose_and_expression() -> None:
    smiling = Target.from_photo(PICTURES / "person_a_2.jpg")  # rendered smiling, at a yaw of 25 degrees
    neutral = Target.from_photo(PICTURES / "person_a_1.jpg")  # rendered neutral, facing the camera
    assert smiling.pose.yaw == pytest.approx(25, abs=5)
    assert neutral.pose.yaw == pytest.approx(0, abs=5)
    assert smiling.expression_vector()[SMILE] > neutral.expression_vector()[SMILE] + 0.2


def test_from_photo_frames_as_the_portrait_crop_does() -> None:
    framing = Target.from_photo(PICTURES / "person_b_1.jpg").framing
    np.testing.assert_allclose(
        [framing.scale, framing.x, framing.y], [Framing().scale, Framing().x, Framing().y], atol=0.03
    )


def test_from_photo_without_a_face(tmp_path: Path) -> None:
    path = tmp_path / "wall.png"
    cv2.imwrite(str(path), np.full((200, 200, 3), 90, np.uint8))
    with pytest.raises(NoFaceError, match=r"wall\.png"):
        Target.from_photo(path)


def test_from_photo_of_a_head_that_leans_too_far_is_followed_as_far_as_may_be(caplog) -> None:
    lying = np.rot90(load_image(PICTURES / "person_a_1.jpg"))
    turn = cv2.getRotationMatrix2D((128, 128), -40, 1)
    leaning = cv2.warpAffine(lying, turn, (256, 256), borderMode=cv2.BORDER_REPLICATE)
    assert Target.from_photo(leaning).pose.roll == -40
    assert "roll" in caplog.text and "more than a portrait can follow" in caplog.text


def test_hair_goes_by_its_colour():
    assert Target(hair="Light Blond").hair == "light-blond"
    with pytest.raises(TargetError, match=r"colour of hair 'blnd'\..*blond"):
        Target(hair="blnd")


@pytest.mark.parametrize(
    ("hair", "prompts", "expected"),
    [
        (None, "a woman with red hair", "red"),
        (None, ["red hair", "long red hair"], "red"),
        (None, ["red hair", "grey hair"], None),
        (None, "a red coat", None),
        ("own", "a woman with red hair", "own"),
        ("black", "a woman with red hair", "black"),
    ],
)
def test_prompts_name_the_hair_unless_the_target_does(hair, prompts, expected):
    assert Target(hair=hair).with_prompt(prompts).hair == expected


def test_clothes_go_by_their_colour():
    assert Target(clothes="light blue").clothes == "light-blue"
    assert Target().with_prompt("a woman with red hair in a navy dress").clothes == "navy"
    assert Target(clothes="own").with_prompt("a navy dress").clothes == "own"
    with pytest.raises(TargetError, match=r"colour of clothes 'nvy'\..*navy"):
        Target(clothes="nvy")


def test_a_target_comes_back_from_plain_values() -> None:
    target = Target(
        {"mouthSmileLeft": 0.4, "jawOpen": 1 / 3},
        HeadPose(12, -5, 3),
        (4.0, -2.5),
        Framing(0.5, 0.4, 0.6),
        glasses="round",
        hair="red",
        clothes="own",
    )
    described = target.to_dict()
    assert described["expression"] == {"mouthSmileLeft": 0.4, "jawOpen": 1 / 3}
    assert described["pose"] == {"yaw": 12.0, "pitch": -5.0, "roll": 3.0}
    assert Target.from_dict(json.loads(json.dumps(described))) == target


def test_plain_values_may_be_few() -> None:
    assert Target.from_dict({}) == Target()
    assert Target.from_dict({"expression": "smile"}) == Target("smile")
    assert Target.from_dict({"expression": list(PRESETS["wink"])}) == Target("wink")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"expresion": "smile"}, r"unknown field of a target 'expresion'\. Did you mean expression"),
        ({"pose": {"tilt": 3}}, "does not describe a target"),
        ({"framing": {"scale": "large"}}, "does not describe a target"),
        ({"gaze": [1, 2, 3]}, "3 numbers"),
    ],
)
def test_plain_values_that_are_no_target(values: dict, message: str) -> None:
    with pytest.raises(TargetError, match=message):
        Target.from_dict(values)


def test_a_photo_that_looks_further_aside_than_a_target_may_is_followed_as_far_as_one_may() -> None:
    target = Target.from_geometry(geometry_of(gaze=(55.0, -48.0)))
    assert target.gaze == (40.0, -30.0)


@pytest.mark.parametrize("pose", [HeadPose(), HeadPose(25, -8, 12), HeadPose(-30, 5, 0)])
def test_eyes_look_at_the_camera_however_the_head_is_turned(pose: HeadPose) -> None:
    yaw, pitch = np.radians(Target(pose=pose).look_at_camera().gaze)
    eyes = [np.sin(yaw) * np.cos(pitch), -np.cos(yaw) * np.cos(pitch), np.sin(pitch)]
    np.testing.assert_allclose(pose.matrix() @ eyes, [0, -1, 0], atol=1e-6)


def test_eyes_look_beside_the_camera_by_the_degrees_asked_for() -> None:
    np.testing.assert_allclose(Target(pose=HeadPose(yaw=25)).look_at_camera(-10, 0).gaze, (-35, 0), atol=1e-6)
    np.testing.assert_allclose(Target().look_at_camera(5, -7).gaze, (5, -7), atol=1e-6)


def test_eyes_turn_to_the_camera_as_far_as_they_can() -> None:
    assert Target(pose=HeadPose(yaw=60)).look_at_camera().gaze[0] == -40


def test_eyes_that_look_straight_ahead_are_above_the_rest_of_the_models() -> None:
    drawn = LandmarkGenerator.load().geometry(np.zeros(80, np.float32), Target(gaze=(4, -2)), 64)
    np.testing.assert_allclose(drawn.gaze, (4, -2 + EYE_LEVEL), atol=1e-5)


@pytest.mark.scoring
def test_people_who_look_into_the_lens_look_straight_ahead(photos_dir: Path) -> None:
    people = sorted(path for path in photos_dir.iterdir() if path.is_dir())[::2]
    photos = [sorted(person.glob("*.jpg"))[0] for person in people]
    assert abs(np.median([Target.from_photo(photo).gaze[1] for photo in photos])) < 2


@pytest.mark.parametrize("pose", [(25, 0, 0), [25, 0, 0], np.array([25, 0, 0]), {"yaw": 25}, HeadPose(25)])
def test_a_pose_is_taken_as_its_angles(pose):
    assert Target(pose=pose).pose == HeadPose(25.0, 0.0, 0.0)


def test_angles_are_taken_one_by_one():
    target = Target(yaw=25, expression="smile")
    assert target.pose == HeadPose(yaw=25)
    assert Target(pose=(10, 5, 0), yaw=np.float32(20)).pose == HeadPose(20, 5, 0)
    assert target.replace(pitch=5).pose == HeadPose(25, 5)
    assert target.replace(gaze=(5, 0)).pose == HeadPose(yaw=25)
    assert replace(target, pose=HeadPose(3)).pose == HeadPose(3)


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"yaw": math.nan}, "yaw"),
        ({"pitch": "up"}, "pitch"),
        ({"roll": math.inf}, "roll"),
        ({"pose": (1, 2)}, "pose"),
        ({"pose": 25}, "pose"),
        ({"pose": "25"}, "pose"),
        ({"pose": {"jaw": 3}}, "jaw"),
        ({"pose": None}, "pose"),
        ({"gaze": 5}, "gaze"),
        ({"gaze": (1, math.nan)}, "gaze pitch"),
        ({"gaze": (1, None)}, "gaze pitch"),
        ({"gaze": "ab"}, "gaze"),
        ({"expression": 5}, "expression"),
        ({"expression": None}, "expression"),
        ({"expression": {"jawOpen": math.nan}}, "jawOpen"),
        ({"expression": {"jawOpen": "wide"}}, "jawOpen"),
        ({"expression": {3: 1}}, "3"),
        ({"expression": [math.nan] * 52}, "browDownLeft"),
        ({"expression": [{"categoryName": "jawOpens", "score": 1}]}, "jawOpens"),
        ({"expression": [("jawOpen", math.inf)]}, "jawOpen"),
        ({"framing": 0.5}, "framing"),
        ({"glasses": 5}, "glasses"),
        ({"hair": ("red",)}, "hair"),
    ],
)
def test_what_is_no_value_is_refused_by_name(fields, named):
    with pytest.raises(TargetError, match=named):
        Target(**fields)


@pytest.mark.parametrize("value", [math.nan, "0.4", None, math.inf])
def test_a_framing_of_no_number_is_refused(value):
    with pytest.raises(TargetError, match="framing scale"):
        Framing(scale=value)


@dataclass
class Category:
    """As MediaPipe's tasks list the scores of a face."""

    category_name: str
    score: float
    index: int = 0
    display_name: str | None = None


@pytest.mark.parametrize(
    "tracked",
    [
        {"_neutral": 0.02, "jawOpen": 0.4},
        {"JawOpen": 0.4},
        {"jawOpen": np.float32(0.4), "mouthSmileLeft": -1e-9},
        {"jawOpen": 0.4, "eyeBlink_L": 0, "eyeBlink_R": 0.0},
        [Category("_neutral", 0.02), Category("jawOpen", 0.4)],
        [[Category("jawOpen", np.float32(0.4))]],
        [{"index": 25, "score": 0.4, "categoryName": "jawOpen", "displayName": ""}],
        ({"category_name": "JawOpen", "score": 0.4},),
        [("jawOpen", 0.4), ("eyeBlink_L", -1e-7)],
    ],
)
def test_expressions_of_trackers_are_taken(tracked):
    values = dict(zip(EXPRESSION_NAMES, Target(tracked).expression, strict=True))
    assert values.pop("jawOpen") == pytest.approx(0.4)
    assert set(values.values()) == {0.0}


@pytest.mark.parametrize("value", [1.0000001, np.float32(1.0000001), 1.0009])
def test_rounding_beyond_one_is_forgiven(value):
    taken = Target({"jawOpen": value}).expression[EXPRESSION_NAMES.index("jawOpen")]
    assert taken == pytest.approx(1.0, abs=1e-3)


def test_names_of_sides_are_understood():
    expected = Target({"eyeBlinkLeft": 0.5, "eyeBlinkRight": 1}).expression
    assert Target({"eyeBlink_L": 0.5, "EyeBlink_r": 1}).expression == expected


def test_a_head_turned_too_far_is_followed_as_far_as_may_be():
    geometry = geometry_of(pose=HeadPose(yaw=66))
    with pytest.raises(TargetError, match="yaw"):
        Target.from_geometry(geometry)
    assert Target.from_geometry(geometry, clip=True).pose.yaw == 60


def test_a_number_that_was_rounded_is_in_range():
    assert Target(yaw=60.00001).pose.yaw == pytest.approx(60)
    with pytest.raises(TargetError, match=r"yaw = 60\.1 is out of range"):
        Target(yaw=60.1)


@pytest.mark.parametrize("angle", ["5", None, [5], np.nan, 1e308])
def test_a_gaze_beside_the_camera_is_of_angles(angle):
    with pytest.raises(TargetError, match="gaze yaw"):
        Target().look_at_camera(angle)


def test_a_framing_that_is_none_is_said():
    with pytest.raises(TargetError, match="framing must have scale, x and y by name"):
        Target.from_dict({"framing": 5})
