"""Furniture of a library: read, met by rays, and put into rooms."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hifi_portrait.errors import DatasetError
from mmrgaze360 import sphere
from mmrgaze360.scenes.furniture_models import FurnitureModel, read_library
from mmrgaze360.scenes.plan import plan_scene
from mmrgaze360.scenes.raycast import FAR, cast_panorama, first_hit
from mmrgaze360.scenes.solids import FURNITURE_TAG, MODEL, Solids
from mmrgaze360.scenes.write import SceneSettings, write_scenes

ROOM = np.array((-3.0, 3, -3, 3, -1.5, 1.5))

# A step: high at the back (z = 0), low in front (z = 2), in units of its own, and open at the sides.
OBJ = """mtllib step.mtl
v 0 0 0
v 4 0 0
v 4 2 0
v 0 2 0
v 0 2 1
v 4 2 1
v 0 1 1
v 4 1 1
v 0 1 2
v 4 1 2
v 0 0 2
v 4 0 2
vt 0 0
vt 1 0
vt 1 1
vt 0 1
usemtl red
f 1 2 3 4
f 4 3 6 5
f 5 6 8 7
usemtl wood
f 7/1 8/2 10/3 9/4
usemtl red
f 9 10 12 11
f 11 12 2 1
"""
MTL = """newmtl red
Kd 0.8 0.1 0.1
newmtl wood
Kd 1 1 1
map_Kd wood.png
"""
PIECES = (
    ("Step", "step/step.obj", "Living room", 80, 60, 90, "dropOnTopElevation#1=90\n"),
    ("Door", "step/step.obj", "Living room", 80, 60, 90, "doorOrWindow#2=true\n"),
    ("Lamp", "step/step.obj", "Kitchen", 80, 60, 90, "elevation#3=145\n"),
    ("Cup", "step/step.obj", "Kitchen", 8, 6, 9, ""),
    ("Ghost", "step/missing.obj", "Office", 80, 60, 90, ""),
)


def write_library(path: Path, obj: str = OBJ) -> Path:
    lines = [
        f"name#{n}={name}\nmodel#{n}=/{file}\ncategory#{n}={kind}\nwidth#{n}={w}\ndepth#{n}={d}\nheight#{n}={h}\n{more}"
        for n, (name, file, kind, w, d, h, more) in enumerate(PIECES, start=1)
    ]
    picture = io.BytesIO()
    Image.new("RGB", (8, 8), (40, 90, 200)).save(picture, "PNG")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("PluginFurnitureCatalog.properties", "".join(lines))
        archive.writestr("step/step.obj", obj)
        archive.writestr("step/step.mtl", MTL)
        archive.writestr("step/wood.png", picture.getvalue())
    return path


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_library(tmp_path_factory.mktemp("library") / "small.sh3f")


@pytest.fixture(scope="module")
def step(library: Path) -> FurnitureModel:
    (model,) = read_library(library)
    return model


def test_pieces_that_stand_in_rooms_are_read_with_size_and_colours(step: FurnitureModel) -> None:
    assert step.name == "Step" and step.size == (0.8, 0.6, 0.9) and step.top == 0.9
    assert np.allclose(step.tree.nodes[0, :6], (-0.4, -0.3, -0.45, 0.4, 0.3, 0.45))
    colours = {tuple(colour) for colour in step.tree.triangles[:, 9:].round(3)}
    kd, wood = np.array((204, 25.5, 25.5)), np.array((40, 90, 200))
    assert len(step.tree.triangles) == 12 and len(colours) == 2
    for expected in (kd, wood):
        assert min(np.abs(np.array(c) - (expected / 255) ** 2.2).max() for c in colours) < 0.01


def test_rays_meet_a_model_where_its_surface_is(step: FurnitureModel) -> None:
    solids = Solids()
    half = np.array(step.size) / 2
    solids.add_model(np.array((0, 2.0, 0)), half, 0.0, step.tree, 7)
    solids.add_model(np.array((2.0, 0, 0)), half, -np.pi / 2, step.tree, 8)  # its front to the left
    table, trees = solids.table(), solids.trees()

    def meet(place: tuple[float, float, float], way: tuple[float, float, float]) -> tuple[float, int]:
        return first_hit(np.array(place), np.array(way), table, ROOM, False, -9, trees)

    # The front is at -y: low there, and high behind the middle.
    assert meet((0, 0, -0.2), (0, 1.0, 0)) == (pytest.approx(1.7), 7)
    assert meet((0, 0, 0.2), (0, 1.0, 0)) == (pytest.approx(2.0), 7)
    assert meet((0, 0, 0.5), (0, 1.0, 0))[0] == FAR
    assert meet((0, 1.85, 1.0), (0, 0, -1.0)) == (pytest.approx(1.0), 7)
    assert meet((0, 0, -0.2), (1.0, 0, 0)) == (pytest.approx(1.7), 8)
    assert meet((0, 0, 0.2), (1.0, 0, 0)) == (pytest.approx(2.0), 8)
    low = Solids()
    low.add_model(np.array((0, 2.0, -0.6)), half, 0.0, step.tree, 7)
    table, trees = low.table(), low.trees()
    grid = np.array(sphere.direction_grid(64, 32))
    lamp = np.array([(0, 0, 1.0, 1, 1, 1, 1, 0.1)])
    colour, distance, tags = cast_panorama(
        grid, table, ROOM, np.full((6, 4), 0.5), lamp, np.ones((2, 3)), None, None, trees
    )
    for j, i in np.argwhere(tags == 7)[::3]:
        met, tag = first_hit(np.zeros(3), grid[j, i], table, ROOM, True, -9, trees)
        assert tag == tags[j, i] and met == pytest.approx(distance[j, i], rel=1e-4)
    seen = colour[tags == 7]
    assert len(seen) > 10 and (seen[:, 0] > 2 * seen[:, 1]).mean() > 0.5 and seen[:, 2].max() > 0.3


def test_rooms_are_furnished_with_models(step: FurnitureModel) -> None:
    rooms = [plan_scene(seed, [50], furniture=[step]).room for seed in range(8)]
    rows = np.concatenate([room.solids.table() for room in rooms])
    models = rows[rows[:, 0] == MODEL]
    assert len(models) > 8 and (models[:, 15] >= FURNITURE_TAG).all()
    for room in rooms:
        for row in room.solids.table():
            if row[0] == MODEL:
                assert row[3] - row[6] == pytest.approx(room.floor)
                assert room.holds(row[1:3], 0.25)
    again = plan_scene(3, [50], furniture=[step]).room
    assert np.array_equal(again.solids.table(), rooms[3].solids.table())


def test_what_is_no_library_is_named(library: Path, tmp_path: Path) -> None:
    (tmp_path / "text.sh3f").write_text("no zip")
    with pytest.raises(DatasetError, match=r"text\.sh3f is no furniture library"):
        write_scenes(tmp_path / "out", SceneSettings(count=1, furniture=tmp_path / "text.sh3f"))
    with zipfile.ZipFile(tmp_path / "empty.sh3f", "w") as archive:
        archive.writestr("PluginFurnitureCatalog.properties", "name=nothing\n")
    with pytest.raises(DatasetError, match="lists no piece"):
        read_library(tmp_path / "empty.sh3f")
    broken = write_library(tmp_path / "broken.sh3f", "f 1 2 3\n")
    with pytest.raises(DatasetError, match=r"step\.obj .* cannot be read"):
        _ = read_library(broken)[0].tree
