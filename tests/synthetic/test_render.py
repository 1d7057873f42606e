"""What light does to surfaces: shadows, corners, skin, and the camera that meters it."""

from __future__ import annotations

import numpy as np
import pytest

from hifi_portrait.head import Camera
from hifi_portrait.scenery.lights import Lights
from hifi_portrait.synthetic.body_mesh import BODY, CLOTH, SKIN
from hifi_portrait.synthetic.mesh_collection import MeshCollection
from hifi_portrait.synthetic.render import Materials, palette, render

TO_LIGHT = np.array((np.sqrt(0.5), -np.sqrt(0.5), 0.0))  # right of the camera, at 45 degrees to the wall
WALL, SCREEN = 1.5, 1.4  # metres from the camera
CAMERA = Camera.from_fov(128)


def plate(
    meshes: MeshCollection, distance: float, x: tuple[float, float], z: tuple[float, float], material: int
) -> None:
    """Add a rectangle that faces the camera."""
    corners = [(x[i], distance, z[j]) for i, j in ((0, 0), (1, 0), (1, 1), (0, 1))]
    meshes.add(
        np.array(corners), np.tile((0.0, -1.0, 0.0), (4, 1)), np.array([(0, 1, 2), (0, 2, 3)]), material
    )


def render_wall(
    screen: bool,
    lamp: float = 1.0,
    sky: float = 0.0,
    material: int = BODY,
    camera: Camera = CAMERA,
) -> np.ndarray:
    """Colours (H, W, 3) of a wall, with a screen before it on the light's side or without."""
    meshes, grey = MeshCollection(), np.full(3, 0.5)
    plate(meshes, WALL, (-0.2, 0.2), (-0.2, 0.2), material)
    if screen:
        plate(meshes, SCREEN, (0.06, 0.14), (-0.04, 0.04), material)
    around = np.full(3, sky)
    lights = Lights(TO_LIGHT[None], np.full((1, 3), lamp), np.zeros(1), around, around, exposure=1.0)
    texture = np.full((4, 4, 3), 0.5, np.float32)
    materials = Materials(texture, texture, palette(grey, grey, grey, grey), shine=0.0)
    return render(meshes, camera, np.array((0.0, WALL, 0.0)), lights, materials).colour


def colour_at(picture: np.ndarray, x: float, z: float, camera: Camera = CAMERA) -> np.ndarray:
    """Colour (3,) of the wall at a place on it, in metres."""
    column, row = camera.project(np.array([[x, WALL, z]]))[0]
    return picture[int(row), int(column)]


def level_at(picture: np.ndarray, x: float, z: float) -> float:
    """How bright the wall is at a place on it, in metres."""
    return float(colour_at(picture, x, z).mean())


def test_a_screen_throws_its_shadow_away_from_the_light():
    open_wall, behind_screen = render_wall(screen=False), render_wall(screen=True)
    assert level_at(open_wall, 0.0, 0.0) > 0.1
    assert level_at(behind_screen, 0.0, 0.0) < 0.05 * level_at(open_wall, 0.0, 0.0)


@pytest.mark.parametrize("place", [(0.0, 0.1), (0.0, -0.1), (-0.12, 0.0)])
def test_a_shadow_is_as_large_as_its_screen(place: tuple[float, float]):
    open_wall, behind_screen = render_wall(screen=False), render_wall(screen=True)
    assert level_at(behind_screen, *place) == pytest.approx(level_at(open_wall, *place), rel=0.1)


def test_a_wall_alone_throws_no_shadow_on_itself():
    wall = render_wall(screen=False).mean(axis=-1)
    lit = wall[wall > 0]
    assert lit.size > 100 and np.percentile(lit, 5) > 0.8 * lit.max()


def test_less_of_the_sky_reaches_what_lies_close_behind_something():
    open_wall, beside = (render_wall(screen, lamp=0.0, sky=0.5, material=CLOTH) for screen in (False, True))
    assert level_at(beside, 0.05, 0.0) < 0.95 * level_at(open_wall, 0.05, 0.0)
    assert level_at(beside, -0.15, 0.1) == pytest.approx(level_at(open_wall, -0.15, 0.1), rel=0.02)


@pytest.mark.parametrize(("material", "reddish"), [(BODY, True), (CLOTH, False)])
def test_light_spreads_under_skin_and_red_light_the_farthest(material: int, reddish: bool):
    camera = Camera.from_fov(512)
    wall = render_wall(screen=True, material=material, camera=camera)
    edge = np.array([colour_at(wall, x, 0.0, camera) for x in np.linspace(-0.06, -0.02, 80)])
    lit, shaded = edge[0], edge[-1]
    brightness = (edge - shaded) / (lit - shaded)
    spread = ((brightness > 0.03) & (brightness < 0.97)).sum(axis=0)
    assert bool(spread[0] > spread[2] + 1) == reddish


def test_a_camera_meters_faces_and_evens_out_most_of_the_light():
    dim, bright = (render_wall(False, lamp, sky=0.1 * lamp, material=SKIN) for lamp in (0.25, 1.0))
    assert 1.2 < level_at(bright, 0.0, 0.0) / level_at(dim, 0.0, 0.0) < 2.5


def test_a_light_straight_above_lights_and_throws_shadows():
    """Its shadow map has no direction of its own on the picture."""
    meshes, grey = MeshCollection(), np.full(3, 0.5)
    table = np.array([(-0.2, 1.3, -0.05), (0.2, 1.3, -0.05), (0.2, 1.7, -0.05), (-0.2, 1.7, -0.05)])
    lid = np.array([(-0.2, 1.4, 0.05), (0.0, 1.4, 0.05), (0.0, 1.6, 0.05), (-0.2, 1.6, 0.05)])
    for corners in (table, lid):
        meshes.add(
            corners, np.tile((0.0, 0.0, 1.0), (4, 1)), np.array([(0, 1, 2), (0, 2, 3)]), material=CLOTH
        )
    above, none = np.array([[0.0, 0.0, 1.0]]), np.zeros(3)
    lights = Lights(above, np.ones((1, 3)), np.zeros(1), none, none, exposure=1.0)
    texture = np.full((4, 4, 3), 0.5, np.float32)
    materials = Materials(texture, texture, palette(grey, grey, grey, grey), shine=0.0)
    picture = render(meshes, CAMERA, np.array((0.0, WALL, 0.0)), lights, materials).colour
    column, row = CAMERA.project(np.array([[0.12, 1.5, -0.05], [-0.12, 1.5, -0.05]])).astype(int).T
    lit, shaded = picture[row, column].mean(-1)
    assert lit > 0.1 and shaded < 0.3 * lit


def test_light_from_all_around_comes_from_its_side():
    """Harmonics light a wall as the direction it faces, not as the sky and the ground."""
    bright_ahead = np.zeros((9, 3))
    bright_ahead[0], bright_ahead[1] = 1.0, -1.0  # more from before the wall (-y) than from behind it
    levels = []
    for sign in (1, -1):
        ambient = bright_ahead * np.where(np.arange(9) == 1, sign, 1)[:, None]
        meshes, grey = MeshCollection(), np.full(3, 0.5)
        plate(meshes, WALL, (-0.2, 0.2), (-0.2, 0.2), BODY)
        none = np.zeros((1, 3))
        lights = Lights(TO_LIGHT[None], none, np.zeros(1), none[0], none[0], 1.0, ambient)
        texture = np.full((4, 4, 3), 0.5, np.float32)
        materials = Materials(texture, texture, palette(grey, grey, grey, grey), shine=0.0)
        picture = render(meshes, CAMERA, np.array((0.0, WALL, 0.0)), lights, materials).colour
        levels.append(level_at(picture, 0.0, 0.0))
    # What reaches the wall is 0.282095 + 0.488603, or nothing; half of it comes back.
    assert levels[0] == pytest.approx(0.5 * 0.770698, rel=0.02)
    assert levels[1] == pytest.approx(0.0, abs=1e-3)
