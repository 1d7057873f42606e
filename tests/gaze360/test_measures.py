"""Measures of heat maps, against small cases that can be counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from mmrgaze360 import sphere
from mmrgaze360.dataset import GazeRecord
from mmrgaze360.measures import (
    auc_64,
    auc_point,
    auc_sphere,
    average_precision,
    bootstrap_interval,
    great_circle_distance,
    measure,
    strata_of,
    summarise,
)

GRID = sphere.direction_grid(128, 64)


def bump(direction: np.ndarray, kappa: float = 60) -> np.ndarray:
    return np.exp(kappa * (GRID @ direction - 1))


@pytest.mark.parametrize("place", [(0, 0), (179.5, 5), (-30, 85), (100, -60)])
def test_a_right_map_is_at_the_target_and_a_wrong_one_at_the_other_side(place: tuple[float, float]) -> None:
    target = sphere.lonlat_to_direction(*place)
    assert great_circle_distance(bump(target), target) < np.radians(2.1)
    assert auc_sphere(bump(target), target) > 0.999
    assert great_circle_distance(bump(-target), target) > np.radians(177.5)
    assert auc_sphere(bump(-target), target) < 0.02


def test_a_flat_map_is_worth_half() -> None:
    flat, target = np.ones((64, 128)), sphere.lonlat_to_direction(20, 10)
    assert auc_64(flat, target) == auc_point(flat, target) == auc_sphere(flat, target) == 0.5


def test_only_the_sphere_s_measure_ignores_the_seam() -> None:
    target = sphere.lonlat_to_direction(179, 0)
    beyond = bump(sphere.lonlat_to_direction(-178, 0), 400)
    before = bump(sphere.lonlat_to_direction(176, 0), 400)
    assert auc_sphere(beyond, target) == pytest.approx(auc_sphere(before, target), abs=1e-3)
    assert auc_64(beyond, target) < auc_64(before, target) - 0.05


def test_auc_64_counts_the_square_of_the_published_protocol() -> None:
    target = sphere.pixel_to_direction((32.5, 32.5), 64, 64)
    inside = np.zeros((64, 64))
    inside[23:42, 23:42] = 1
    assert auc_64(inside, target) == 1
    inside[23, 23] = 0
    assert auc_64(inside, target) == pytest.approx(1 - 0.5 / 361)


def test_the_sphere_s_measure_weighs_by_solid_angle() -> None:
    target = sphere.lonlat_to_direction(0, 0)
    poles, level = np.zeros((64, 128)), np.zeros((64, 128))
    poles[:4], level[30:34] = 1, 1  # as many cells, of much less and more of the sphere
    assert auc_sphere(poles, target) == pytest.approx(0.5 * (1 - 2 * 0.0096), abs=0.01)
    assert auc_64(poles, target) < auc_sphere(poles, target)


def test_average_precision_of_a_ranking() -> None:
    assert average_precision(np.array((4, 3, 2, 1)), np.array((1, 0, 1, 0))) == pytest.approx((1 + 2 / 3) / 2)
    assert average_precision(np.array((1.0, 1, 1, 1)), np.array((1, 0, 0, 1))) == pytest.approx(0.5)
    assert np.isnan(average_precision(np.array((1.0,)), np.array((0,))))


def test_people_of_one_scene_are_drawn_together() -> None:
    rng = np.random.default_rng(0)
    scene = np.repeat(rng.normal(size=20), 50)  # all variation is between scenes
    together = bootstrap_interval(scene, [str(k // 50) for k in range(1000)])
    apart = bootstrap_interval(scene, list(map(str, range(1000))))
    assert together[1] - together[0] > 4 * (apart[1] - apart[0])
    assert together[0] < scene.mean() < together[1]


def test_summaries_and_strata() -> None:
    target = sphere.lonlat_to_direction(-170, 50)
    record = GazeRecord(
        head_box=np.array((170.0, 0, 5, 6)), target=target, head_direction=np.array((0.0, 1, 0)), kind="thing"
    )
    names = strata_of(record)
    assert "across the seam" in names and "target beyond 35 degrees latitude" in names
    assert "face seen" in names and "looks at: thing" in names
    assert any(name.startswith("eye-target 40-80") for name in names)
    found = summarise([measure(bump(target), target)] * 3, ["a", "a", "b"])
    assert found["people"] == 3 and found["within_10"] == 1 and found["distance_low"] <= found["distance"]
    assert summarise([], []) == {}
