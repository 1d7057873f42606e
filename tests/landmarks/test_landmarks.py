from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from head_samples import expression_of, geometry_of
from hifi_portrait.head import Camera, HeadModel, HeadPose, Part, find_framing, place_head
from hifi_portrait.landmarks import LandmarkGenerator
from hifi_portrait.landmarks.contours import draw_lines, smooth_chain
from hifi_portrait.person.target import Framing, Target


def target(expression: np.ndarray | str = "neutral", scale: float = 0.36, **fields: Any) -> Target:
    """A target with the head in the middle of the picture."""
    return Target(expression, framing=Framing(scale, 0.5, 0.5), **fields)


@pytest.fixture(scope="module")
def generator(model: HeadModel) -> LandmarkGenerator:
    return LandmarkGenerator(model)


def parts_of(generator: LandmarkGenerator, triangle: np.ndarray) -> np.ndarray:
    return np.where(triangle >= 0, generator.model.parts[triangle], 255)


def test_shapes_and_ranges(generator: LandmarkGenerator) -> None:
    drawn = generator(np.zeros(80), target(), (200, 256))
    assert drawn.image.shape == (256, 200, 3)
    assert drawn.image.dtype == np.uint8
    assert drawn.coordinates.shape == (256, 200, 3)
    assert np.abs(drawn.coordinates).max() <= 1
    assert not drawn.coordinates[~drawn.mask].any()
    assert drawn.raster.triangle.shape == drawn.mask.shape == (256, 200)


def test_same_target_draws_the_same_picture(generator: LandmarkGenerator) -> None:
    first, second = (generator(np.ones(80), target(), 128) for _ in range(2))
    np.testing.assert_array_equal(first.image, second.image)
    np.testing.assert_array_equal(first.coordinates, second.coordinates)


def test_geometry_has_the_wished_attributes(generator: LandmarkGenerator) -> None:
    wished = Target(expression_of(jawOpen=0.4), HeadPose(30, -10, 5), (5.0, -3.0), Framing(0.4, 0.6, 0.45))
    geometry = generator(np.zeros(80), wished, 256).geometry
    assert geometry.pose.yaw == pytest.approx(30, abs=1e-4)
    np.testing.assert_array_equal(geometry.expression, wished.expression_vector())
    assert find_framing(geometry) == pytest.approx((0.4, 0.6, 0.45), abs=1e-5)


def test_framing_does_not_depend_on_the_camera() -> None:
    rotation = HeadPose(20, 10, 0).matrix()
    for camera in (Camera.from_fov(256), Camera.from_fov((300, 500), fov=30.0)):
        translation = place_head(rotation, 0.3, 0.55, 0.4, camera)
        geometry = geometry_of(pose=HeadPose(20, 10, 0)).replace(translation=translation, camera=camera)
        assert find_framing(geometry) == pytest.approx((0.3, 0.55, 0.4), abs=1e-5)


def test_resolutions_show_the_same_head(generator: LandmarkGenerator) -> None:
    geometry = geometry_of(pose=HeadPose(20, 0, 0))
    small, large = generator.from_geometry(geometry, 128), generator.from_geometry(geometry, 512)
    reduced = large.mask.reshape(128, 4, 128, 4).mean((1, 3)) > 0.5
    assert (reduced == small.mask).mean() > 0.995


def test_closed_eyes_show_no_iris(generator: LandmarkGenerator) -> None:
    for seed in range(8):
        identity = np.random.default_rng(seed).normal(size=80)
        drawn = generator(identity, target(expression_of(eyeBlink=1)), 256)
        parts = parts_of(generator, drawn.raster.triangle)
        assert not np.isin(parts, (Part.LEFT_EYE, Part.RIGHT_EYE)).any()


def test_open_eyes_show_their_iris_inside_the_lids(generator: LandmarkGenerator) -> None:
    drawn = generator(np.zeros(80), target(scale=0.8), 256)
    white = (drawn.image == 255).all(-1)
    parts = parts_of(generator, drawn.raster.triangle)
    assert white.any()
    assert np.isin(parts[white], (Part.LEFT_EYE, Part.RIGHT_EYE)).all()


def test_closed_lips_show_no_teeth(generator: LandmarkGenerator) -> None:
    for seed in range(8):
        identity = np.random.default_rng(seed).normal(size=80)
        parts = parts_of(generator, generator(identity, target(scale=0.6), 256).raster.triangle)
        assert not np.isin(parts, (Part.UPPER_TEETH, Part.LOWER_TEETH, Part.TONGUE)).any()


def test_an_open_mouth_shows_its_inside(generator: LandmarkGenerator) -> None:
    parts = parts_of(
        generator, generator(np.zeros(80), target(expression_of(jawOpen=0.6)), 256).raster.triangle
    )
    assert np.isin(parts, (Part.UPPER_TEETH, Part.LOWER_TEETH, Part.TONGUE, Part.MOUTH_CAVITY)).sum() > 100


@pytest.mark.parametrize("yaw", [-60, -30, 0, 30, 60])
def test_the_map_ends_at_the_jaw_in_one_piece(generator: LandmarkGenerator, yaw: float) -> None:
    from scipy.ndimage import binary_erosion, label

    mask = generator(np.zeros(80), target(pose=HeadPose(yaw, -15, 0)), 256).mask
    assert label(mask)[1] == 1
    # No spikes: shaved by two pixels and grown again it is nearly the same.
    core = binary_erosion(mask, iterations=2)
    assert label(core)[1] == 1


@pytest.mark.parametrize("yaw", [25, 45])
def test_the_far_brow_stays_within_the_outline(generator: LandmarkGenerator, yaw: float) -> None:
    geometry = geometry_of(pose=HeadPose(yaw=yaw), size=512)
    vertices = generator.model.posed(geometry)
    pixels = geometry.camera.project(vertices)
    outline, brow = (geometry.camera.project(chain) for chain in generator.chains(vertices, geometry)[:2])
    far = outline[outline[:, 0] > pixels[:, 0].mean()]
    order = np.argsort(far[:, 1])
    limit = np.interp(brow[:, 1], far[order, 1], far[order, 0])
    assert (brow[:, 0] <= limit + 3).all()


def test_hidden_contours_are_dimmed(generator: LandmarkGenerator) -> None:
    def brow_brightness(yaw: float) -> int:
        head, rotation = generator.geometry(np.zeros(80), target(), 256), HeadPose(yaw=yaw).matrix()
        translation = place_head(rotation, 0.36, 0.5, 0.5, head.camera)
        turned = head.replace(rotation=rotation, translation=translation)
        image = generator.from_geometry(turned, 256).image.astype(int)
        ratio = image * (255 / np.maximum(image[..., :1], 1))
        left_brow = (np.abs(ratio - (255, 220, 60)) < 6).all(-1) & (image[..., 0] > 60)
        return int(image[left_brow].max()) if left_brow.any() else 0

    assert brow_brightness(0) == 255
    assert brow_brightness(60) == 255  # seen still
    assert 0 < brow_brightness(110) < 120


def test_lines_are_antialiased_and_stay_in_the_picture() -> None:
    canvas = np.zeros((20, 20, 3), np.float32)
    ends = np.array([[2.0, 3.0], [-5.0, 10.0]]), np.array([[17.0, 11.0], [40.0, 10.0]])
    draw_lines(canvas, *ends, np.full((2, 3), 200.0), 1.5)
    assert 0 < canvas.max() <= 200
    assert ((canvas > 10) & (canvas < 190)).any()
    assert canvas[9, :, 0].min() > 50


def test_a_smooth_chain_passes_through_its_points(rng: np.random.Generator) -> None:
    points = rng.normal(size=(6, 3))
    curve = smooth_chain(points, closed=True)
    np.testing.assert_allclose(curve[:-1:4], points, atol=1e-12)
    np.testing.assert_allclose(curve[-1], points[0], atol=1e-12)


def test_shoulders_are_drawn_but_are_no_part_of_the_mask(generator: LandmarkGenerator) -> None:
    drawn = generator(np.zeros(80), target(scale=0.3), 256)
    shoulders = parts_of(generator, drawn.raster.triangle) == Part.SHOULDERS
    assert shoulders.any() and not drawn.mask[shoulders].any()
