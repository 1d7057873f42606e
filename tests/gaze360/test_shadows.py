"""What solids keep of light: against counting rays, and in pictures."""

from __future__ import annotations

import numpy as np
import pytest

from mmrgaze360 import sphere
from mmrgaze360.scenes.occlusion import covered_share, hidden_share
from mmrgaze360.scenes.raycast import FAR, cast_panorama, first_hit
from mmrgaze360.scenes.solids import BODY_TAG, Paint, Solids

GREY = Paint(colour=(0.5, 0.5, 0.5))
ROOM = np.array((-3.0, 3, -3, 3, -1.5, 1.5))
LAMP, RADIUS = np.array((0.4, -0.3, 1.2)), 0.15
UP = np.array((0.0, 0, 1))
LAMPS = np.array([(*LAMP, 1, 1.0, 1, 1, RADIUS)])
SURFACES, AMBIENT = np.full((6, 4), 0.5), np.full((2, 3), 0.5)


def one_solid(kind: str) -> Solids:
    solids, middle = Solids(), np.array((0.2, 0.1, -0.7))
    if kind == "box":
        solids.add_box(middle, np.array((0.4, 0.2, 0.15)), 0.6, GREY, 0)
    elif kind == "ball":
        solids.add_sphere(middle, 0.25, GREY, 0)
    elif kind == "rod":
        solids.add_capsule(middle - (0.2, 0, 0.3), middle + np.array((0.2, 0.1, 0.3)), 0.12, GREY, 0)
    elif kind == "disc":
        solids.add_cylinder(middle, np.array((0.5, 0.4, 0.02)), 0.3, GREY, 0)
    else:
        solids.add_cylinder(middle, np.array((0.18, 0.14, 0.5)), 0.3, GREY, 0)
    return solids


def met(place: np.ndarray, ways: np.ndarray, table: np.ndarray) -> float:
    """Count the rays that meet a solid."""
    return float(np.mean([first_hit(place, way, table, ROOM, False, -9)[0] < FAR for way in ways]))


@pytest.mark.parametrize("kind", ["box", "ball", "rod", "disc", "tin"])
def test_shadows_are_those_that_rays_to_a_lamp_make(kind: str) -> None:
    rng, table = np.random.default_rng(0), one_solid(kind).table()
    places = np.concatenate([rng.uniform(-1, 1, (60, 2)), np.full((60, 1), -1.499)], 1)
    found, counted = [], []
    for place in places:
        way = LAMP - place
        reach = float(np.linalg.norm(way))
        disc = rng.normal(0, 1, (40, 3))
        disc -= np.outer(disc @ way, way) / reach**2  # a lamp looks like a disc from everywhere
        disc *= (RADIUS * np.sqrt(rng.random(40)) / np.linalg.norm(disc, axis=1))[:, None]
        counted.append(met(place, sphere.unit(way + disc), table))
        found.append(hidden_share(table, 0, *place, *(way / reach), reach, RADIUS / reach))
    off = np.abs(np.array(found) - counted)
    assert min(counted) == 0 and max(counted) == 1
    assert off.mean() < 0.06 and np.corrcoef(found, counted)[0, 1] > 0.9


@pytest.mark.parametrize("kind", ["box", "ball", "rod", "disc", "tin"])
def test_cover_is_about_what_rays_all_around_meet(kind: str) -> None:
    rng, table = np.random.default_rng(0), one_solid(kind).table()
    turn, flat = rng.uniform(0, 2 * np.pi, 150), np.sqrt(rng.random(150))
    ways = np.stack([flat * np.cos(turn), flat * np.sin(turn), np.sqrt(1 - flat**2)], 1)
    places = np.concatenate([rng.uniform(-1, 1, (40, 2)), np.full((40, 1), -1.499)], 1)
    found = np.array([covered_share(table, 0, *place, *UP) for place in places])
    counted = np.array([met(place, ways, table) for place in places])
    assert np.abs(found - counted).mean() < 0.07 and np.corrcoef(found, counted)[0, 1] > 0.6
    assert covered_share(table, 0, 0.2, 0.1, 0.6, *UP) < 0.02  # what lies below takes nothing


def test_nothing_behind_the_lamp_or_the_place_hides_it() -> None:
    for kind in ("box", "ball", "rod", "disc", "tin"):
        table = one_solid(kind).table()
        assert hidden_share(table, 0, 0.2, 0.1, -1.4, 0, 0, 1.0, 2.0, 0.1) > 0.99
        assert hidden_share(table, 0, 0.2, 0.1, -1.4, 0, 0, 1.0, 0.1, 0.1) == 0
        assert hidden_share(table, 0, 0.2, 0.1, 0.2, 0, 0, 1.0, 2.0, 0.1) == 0


def test_what_is_not_drawn_shades_the_floor_and_nothing_of_its_own() -> None:
    grid = sphere.direction_grid(128, 64)
    trunk, head = Solids(), Solids()
    trunk.add_cylinder(np.array((0, 1.5, -1.0)), np.array((0.2, 0.2, 0.4)), 0.0, GREY, BODY_TAG)
    head.add_sphere(np.array((0, 1.5, -0.3)), 0.2, GREY, BODY_TAG)
    bare = cast_panorama(grid, trunk.table(), ROOM, SURFACES, LAMPS, AMBIENT, None)
    shaded = cast_panorama(grid, trunk.table(), ROOM, SURFACES, LAMPS, AMBIENT, None, head.table())
    assert np.array_equal(bare[1], shaded[1]) and np.array_equal(bare[2], shaded[2])
    darker = (bare[0] - shaded[0]).max(-1)
    assert darker.min() > -1e-6 and np.median(darker[bare[2] == BODY_TAG]) == 0  # edges show the floor too
    assert darker[bare[2] == -1].max() > 0.03


def test_the_ground_of_a_panorama_is_shaded_at_the_feet_and_nowhere_else() -> None:
    grid = sphere.direction_grid(128, 64)
    around = np.random.default_rng(0).uniform(0.2, 0.6, (32, 64, 3)).astype(np.float32)
    solids, nothing = Solids(), Solids()
    solids.add_capsule(np.array((0, 2.0, -1.4)), np.array((0, 2.0, -0.6)), 0.1, GREY, BODY_TAG)
    sun = np.array([(0.0, 0.6, 0.8, 0, 1, 1, 1, 0.05)])
    open_ground = cast_panorama(grid, nothing.table(), ROOM, SURFACES, sun, AMBIENT, around)[0]
    colour, _, tags = cast_panorama(grid, solids.table(), ROOM, SURFACES, sun, AMBIENT, around)
    ratio = np.where(tags == -1, (colour / open_ground).mean(-1), 1)
    assert ratio.min() > 0.1 and ratio.max() < 1.001 and np.abs(ratio[:32] - 1).max() < 1e-3
    ground = grid[32:, :, :2] * (-1.5 / grid[32:, :, 2:])
    shaded = ratio[32:] < 0.7
    assert shaded.sum() > 5 and (np.abs(ground[shaded] - (0, 1.65)) < (0.3, 0.6)).all()  # towards the camera
    away = np.linalg.norm(ground - (0, 1.65), axis=-1)
    assert np.abs(ratio[32:][away > 1.6] - 1).max() < 0.02
