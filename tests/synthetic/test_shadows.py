"""What stands between a light and a surface throws its shadow there."""

from __future__ import annotations

import numpy as np
import pytest

from hifi_portrait.head import Camera
from hifi_portrait.synthetic.lights import Lights
from hifi_portrait.synthetic.mesh import BODY
from hifi_portrait.synthetic.render import Materials, palette, render
from hifi_portrait.synthetic.scene import Scene

TO_LIGHT = np.array((np.sqrt(0.5), -np.sqrt(0.5), 0.0))  # right of the camera, at 45 degrees to the wall
WALL, SCREEN = 1.5, 1.4  # metres from the camera


def plate(scene: Scene, distance: float, x: tuple[float, float], z: tuple[float, float]) -> None:
    """Add a rectangle that faces the camera."""
    corners = [(x[i], distance, z[j]) for i, j in ((0, 0), (1, 0), (1, 1), (0, 1))]
    scene.add(np.array(corners), np.tile((0.0, -1.0, 0.0), (4, 1)), np.array([(0, 1, 2), (0, 2, 3)]), BODY)


def render_wall(screen: bool) -> np.ndarray:
    """Brightness (128, 128) of a wall, with a screen before it on the light's side or without."""
    scene, grey = Scene(), np.full(3, 0.5)
    plate(scene, WALL, (-0.2, 0.2), (-0.2, 0.2))
    if screen:
        plate(scene, SCREEN, (0.06, 0.14), (-0.04, 0.04))
    black = np.zeros(3)
    lights = Lights(TO_LIGHT[None], np.ones((1, 3)), np.zeros(1), black, black, exposure=1.0)
    texture = np.full((4, 4, 3), 0.5, np.float32)
    materials = Materials(texture, texture, palette(grey, grey, grey, grey), shine=0.0)
    return render(scene, CAMERA, np.array((0.0, WALL, 0.0)), lights, materials).colour.mean(axis=-1)


CAMERA = Camera.from_fov(128)


def level_at(picture: np.ndarray, x: float, z: float) -> float:
    """Brightness of the wall at a place on it, in metres."""
    column, row = CAMERA.project(np.array([[x, WALL, z]]))[0]
    return float(picture[int(row), int(column)])


def test_a_screen_throws_its_shadow_away_from_the_light():
    open_wall, behind_screen = render_wall(screen=False), render_wall(screen=True)
    assert level_at(open_wall, 0.0, 0.0) > 0.1
    assert level_at(behind_screen, 0.0, 0.0) < 0.05 * level_at(open_wall, 0.0, 0.0)


@pytest.mark.parametrize("place", [(0.0, 0.1), (0.0, -0.1), (-0.12, 0.0)])
def test_a_shadow_is_as_large_as_its_screen(place: tuple[float, float]):
    open_wall, behind_screen = render_wall(screen=False), render_wall(screen=True)
    assert level_at(behind_screen, *place) == pytest.approx(level_at(open_wall, *place), rel=0.1)


def test_a_wall_alone_throws_no_shadow_on_itself():
    wall = render_wall(screen=False)
    lit = wall[wall > 0]
    assert lit.size > 100 and np.percentile(lit, 5) > 0.8 * lit.max()
