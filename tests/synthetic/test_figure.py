"""A person seen by any camera: where the eyes are, which way they look, what is covered."""

from __future__ import annotations

import numpy as np
import pytest

from hifi_portrait.faces.labels import FaceLabel
from hifi_portrait.head import Camera, HeadModel, HeadPose
from hifi_portrait.scenery.lights import arrange
from hifi_portrait.synthetic import Figure, Person, PhotoSetup, Placement, photograph_figure
from hifi_portrait.synthetic.render import PORTRAIT, Detail
from hifi_portrait.synthetic.wide import draw_wide

EYES = np.array((0.15, 1.6, 0.05))
GAZE = (14.0, -8.0)


def take(head: HeadPose, body: float, detail: Detail = PORTRAIT, arms: float = 0.0) -> Figure:
    setup = PhotoSetup.sample(3, expression="neutral", wears_glasses=False, sunglasses=False, gaze=GAZE)
    placement = Placement(eyes=EYES, head=head.matrix(), body=HeadPose(body).matrix(), arms=arms)
    lights = arrange("soft studio light", np.random.default_rng(0))
    return photograph_figure(Person.sample(5), setup, placement, Camera.from_fov(96, 34), lights, detail)


@pytest.fixture(scope="module")
def towards() -> Figure:
    return take(HeadPose(20, 5, 3), -15)


@pytest.fixture(scope="module")
def away() -> Figure:
    return take(HeadPose(170, 0, 0), 150)


def test_eyes_are_where_they_were_asked_for(towards: Figure, away: Figure) -> None:
    model = HeadModel.load()
    for figure in (towards, away):
        middle = np.mean([figure.vertices[rows].mean(0) for rows in model.eye_vertices], 0)
        assert np.linalg.norm(middle - EYES) < 0.012  # an eyeball's vertices are denser in front


def test_pupils_look_along_the_gaze(towards: Figure) -> None:
    # The vertex farthest forward on each turned eyeball, seen from the ball's middle.
    model = HeadModel.load()
    for rows in model.eye_vertices:
        ball = towards.vertices[rows]
        rest = model.mean[rows]
        centre = model.mean[model.joint("eye.L" if rows[0] == model.eye_vertices[0][0] else "eye.R")]
        front = np.argsort(rest[:, 1])[:8]
        back = np.argsort(-rest[:, 1])[:8]
        assert centre[1] > rest[front, 1].mean()
        seen = ball[front].mean(0) - ball[back].mean(0)
        angle = np.degrees(np.arccos(seen @ towards.gaze / np.linalg.norm(seen)))
        assert angle < 6


def test_a_turned_person_shows_hair_and_no_face(towards: Figure, away: Figure) -> None:
    def share(figure: Figure, *labels: FaceLabel) -> float:
        return float(np.isin(figure.labels, labels).mean())

    assert share(towards, FaceLabel.EYES, FaceLabel.MOUTH) > 0.0003
    assert share(away, FaceLabel.EYES, FaceLabel.MOUTH) == 0
    assert away.matte.max() == 1


def test_light_lies_under_the_matte_and_depth_at_the_person(towards: Figure) -> None:
    assert towards.colour[towards.matte == 0].max() == 0
    seen = np.isfinite(towards.depth)
    assert abs(np.median(towards.depth[seen]) - EYES[1]) < 0.25


def test_arms_are_lowered_and_nothing_else(towards: Figure) -> None:
    lowered = take(HeadPose(20, 5, 3), -15, PORTRAIT, arms=42)
    before, after = ((figure.vertices - EYES) @ HeadPose(-15).matrix() for figure in (towards, lowered))
    across = np.abs(before[:, 0] - (before[:, 0].min() + before[:, 0].max()) / 2)
    arms = across > 0.25
    assert (
        np.ptp(after[arms, 0]) < 0.58 < np.ptp(before[arms, 0])
        and after[arms, 2].mean() < before[arms, 2].mean() - 0.05
    )
    still = across < 0.11
    assert np.array_equal(before[still], after[still])


def test_less_detail_shows_the_same_figure(towards: Figure) -> None:
    coarse = take(
        HeadPose(20, 5, 3), -15, Detail(shadow_size=192, shadow_taps=4, occlusion_samples=6, every_strand=4)
    )
    assert np.array_equal(towards.vertices, coarse.vertices)
    assert np.abs(towards.matte - coarse.matte).mean() < 0.01
    assert 0 < np.abs(towards.colour - coarse.colour).mean() < 0.01


def test_a_person_behind_the_camera_is_refused() -> None:
    setup = PhotoSetup.sample(3)
    placement = Placement(eyes=EYES * (1, -1, 1), head=np.eye(3), body=np.eye(3))
    lights = arrange("soft studio light", np.random.default_rng(0))
    with pytest.raises(ValueError, match="behind the camera"):
        photograph_figure(Person.sample(5), setup, placement, Camera.from_fov(96, 34), lights)


def test_setups_of_the_wide_variety_are_refused() -> None:
    person = Person.sample(5)
    wide = PhotoSetup.sample(3, **draw_wide(person, (), np.random.default_rng(0)))
    placement = Placement(eyes=EYES, head=np.eye(3), body=np.eye(3))
    lights = arrange("soft studio light", np.random.default_rng(0))
    with pytest.raises(ValueError, match="wide"):
        photograph_figure(person, wide, placement, Camera.from_fov(96, 34), lights)
