"""Panoramas and the follower: errors, symmetry, what is given back, the commands."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from gaze360.tiny import DUAL, SCENE, tiny_backbone, tiny_data, tiny_model
from hifi_portrait.errors import ImageError, ModelError, NoFaceError, TargetError
from hifi_portrait.faces.image import load_image
from mmrgaze360 import GazeFollower, Panorama, find_people, sphere
from mmrgaze360.baselines import DualPathway, GazeLLE, GazeLLEConfig
from mmrgaze360.cli.app import app
from mmrgaze360.dataset import SceneDataset
from mmrgaze360.evaluation import ROWS, evaluate, format_table, possible_rows
from mmrgaze360.evaluation.finders import HEADS
from mmrgaze360.find_people import check_heads, read_heads
from mmrgaze360.follower import cut_close_up, mark
from mmrgaze360.network import SceneNetwork
from mmrgaze360.network.model import save_network
from mmrgaze360.training.crops import close_up_patch

BOX = np.array((150.0, 12.0, 7.0, 9.0))


@pytest.fixture(scope="module")
def follower() -> GazeFollower:
    return GazeFollower(tiny_model())


@pytest.fixture(scope="module")
def noise() -> Panorama:
    d = sphere.direction_grid(512, 256)
    waves = np.stack([np.sin(9 * d[..., 0] + k) * np.cos(7 * d[..., 2] - k) for k in range(3)], -1)
    return Panorama(127.5 + 100 * waves)


def test_pictures_that_are_no_panoramas_are_refused(tmp_path: Path) -> None:
    flat = tmp_path / "flat.png"
    Image.fromarray(np.zeros((200, 300, 3), np.uint8)).save(flat)
    with pytest.raises(ImageError, match="--fov"):
        Panorama.open(flat)
    with pytest.raises(TargetError, match="179"):
        Panorama.open(flat, fov=180)
    with pytest.raises(ImageError, match="colour"):
        Panorama(np.zeros((64, 128)))
    with pytest.raises(ImageError, match="64 are needed"):
        Panorama(np.zeros((20, 40, 3)))
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 no more")
    with pytest.raises(ImageError):
        Panorama.open(tmp_path / "broken.jpg")


def test_a_flat_photo_is_seen_again_through_its_own_camera() -> None:
    y, x = np.mgrid[0:90, 0:120]
    photo = np.stack([x * 2, y * 2, np.full_like(x, 90)], -1).astype(np.uint8)
    panorama = Panorama.from_photo(photo, 60)
    assert panorama.pixels[panorama.height // 2, 0].tolist() == [128, 128, 128]
    focal = 60 / np.tan(np.radians(30))
    again = panorama.view(0, 0, float(np.degrees(2 * np.arctan(30 / focal))), 60)  # its middle 60 pixels
    assert np.abs(again.astype(float) - photo[15:75, 30:90]).mean() < 2


def test_a_view_shows_what_is_there(noise: Panorama) -> None:
    view = noise.view(-175, 20, 40, 48)
    patch = sphere.TangentPatch(
        rotation=sphere.rotation_of_view(sphere.lonlat_to_direction(-175, 20)), fov=40, size=48
    )
    d = sphere.unit(patch.directions())
    waves = np.stack([np.sin(9 * d[..., 0] + k) * np.cos(7 * d[..., 2] - k) for k in range(3)], -1)
    assert np.abs(view - (127.5 + 100 * waves)).max() < 3


def test_close_ups_are_those_of_training(noise: Panorama) -> None:
    from mmrgaze360.dataset import GazeRecord

    direct = close_up_patch(GazeRecord(head_box=BOX), 32).read(noise.pixels)
    assert np.abs(cut_close_up(noise, BOX, 32) - direct).max() < 3


@pytest.mark.parametrize("angle", [33.3, -151.97])
def test_a_turned_panorama_gives_the_same_heat_map_turned(
    follower: GazeFollower, noise: Panorama, angle: float
) -> None:
    (before,) = follower(noise, [BOX])
    turned = Panorama(sphere.turn_columns(noise.pixels, angle))
    (after,) = follower(turned, [BOX + np.array((angle, 0, 0, 0))])
    rotation = sphere.rotation_about_vertical(angle)
    assert np.abs(rotation @ before.gaze - after.gaze).max() < 1e-4
    expected = sphere.turn_columns(before.heatmap[..., None].astype(float), angle)[..., 0]
    assert np.abs(expected - after.heatmap).max() < 1e-4 * before.heatmap.max()
    assert after.in_view == pytest.approx(before.in_view, abs=1e-4)


def test_what_is_given_back_belongs_together(follower: GazeFollower, noise: Panorama) -> None:
    (person,) = follower(noise, [BOX])
    assert person.heatmap.shape == (256, 512) and person.heatmap.sum() == pytest.approx(1, abs=1e-4)
    assert person.heatmap.min() >= 0 and 0 <= person.in_view <= 1 and 0 < person.target_spread < 25
    density = person.heatmap / sphere.solid_angles(512, 256)
    row, column = np.unravel_index(np.argmax(density), density.shape)
    best = sphere.direction_grid(512, 256)[row, column]
    assert np.degrees(sphere.angle_between(best, sphere.lonlat_to_direction(*person.target))) < 1.5
    head = sphere.lonlat_to_direction(*BOX[:2])
    offset, _ = sphere.arc_offset(person.sight_line, head, person.gaze)
    assert offset.max() < 1e-6
    json.dumps(person.to_dict())
    marked = mark(noise, [person])
    assert marked.shape == noise.pixels.shape and (marked != np.uint8(np.clip(noise.pixels, 0, 255))).any()


def test_known_gazes_are_taken_as_they_are(follower: GazeFollower, noise: Panorama) -> None:
    gaze = sphere.lonlat_to_direction(10, -20)
    (person,) = follower(noise, [BOX], [(gaze, 60.0)])
    assert np.allclose(person.gaze, gaze) and person.concentration == 60


def test_boxes_are_checked(tmp_path: Path, noise: Panorama) -> None:
    file = tmp_path / "heads.json"
    file.write_text('[{"box": [10, 5, 4, 6]}, {"pixels": [500, 100, 520, 130]}]')
    first, second = read_heads(file, noise)
    assert np.allclose(first, (10, 5, 4, 6)) and second[0] == pytest.approx((510 / 512 - 0.5) * 360)
    bad = ("[]", "no json", '[{"box": [1, 2, 3]}]', '[{"box": ["a", 2, 3, 4]}]', "[1]")
    for text in (*bad, '[{"box": [0, 95, 1, 1]}]'):
        file.write_text(text)
        with pytest.raises(TargetError):
            read_heads(file, noise)
    with pytest.raises(TargetError, match="not on the sphere"):
        check_heads([np.array((0, 0, 0, 1))])


def test_a_panorama_without_people_says_so(follower: GazeFollower, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(find_people, "_VIEWS", ((0.0, 0.0),))  # all of them are alike
    grey = Panorama(np.full((64, 128, 3), 128, np.uint8), "grey.png")
    with pytest.raises(NoFaceError, match=r"no head is found in grey\.png: .*--heads"):
        follower(grey)
    with pytest.raises(NoFaceError, match="no face is found"):
        find_people.find_heads(grey)


def test_follow_writes_picture_and_heat_maps(noise: Panorama, tmp_path: Path) -> None:
    tiny_model().save_pretrained(tmp_path / "model")
    picture, boxes = tmp_path / "room.png", tmp_path / "heads.json"
    Image.fromarray(np.uint8(noise.pixels)).save(picture)
    boxes.write_text(json.dumps([{"box": BOX.tolist()}]))
    common = ["follow", str(picture), "--heads", str(boxes)]
    where = ["--out", str(tmp_path / "marked.jpg"), "--heatmaps", str(tmp_path / "maps")]
    result = CliRunner().invoke(app, [*common, *where, "--model", str(tmp_path / "model"), "--json"])
    assert result.exit_code == 0, result.output
    (person,) = json.loads(result.output)["people"]
    assert len(person["sight_line"]) == 8 and len(person["target"]) == 2
    assert load_image(tmp_path / "marked.jpg").shape == (256, 512, 3)
    assert np.load(tmp_path / "maps" / "person-00.npy").sum() == pytest.approx(1, abs=1e-4)
    result = CliRunner().invoke(app, common)  # with the package's own weights
    assert result.exit_code == 0 and result.output.startswith("person 0 at")
    view = ["view", str(picture), "--at", "40", "-10", "--out", str(tmp_path / "view.png"), "--size", "64"]
    assert CliRunner().invoke(app, view).exit_code == 0
    assert load_image(tmp_path / "view.png").shape == (64, 64, 3)


def test_every_row_is_measured_and_written(follower: GazeFollower, tmp_path: Path) -> None:
    data = SceneDataset(tiny_data(tmp_path / "data", ("test",)), "test")
    for name in ("patches", "field_of_view", "reborn", "image"):
        scene = SceneNetwork(replace(SCENE, **{name: False}))
        save_network(scene, tmp_path / "model" / f"scene_without_{name}")
    save_network(DualPathway(DUAL), tmp_path / "model" / "dual_pathway")
    assert "Gaze-LLE-like" not in possible_rows(tmp_path / "model", follower)
    lle = GazeLLEConfig(backbone=str(tiny_backbone(tmp_path / "dinov2")), width=32, blocks=1)
    save_network(GazeLLE(lle), tmp_path / "model" / "gaze_lle")
    assert possible_rows(tmp_path / "model", follower) == [*ROWS, HEADS]
    found = evaluate(data, [*ROWS, HEADS], follower, folder=tmp_path / "model", quiet=True)
    assert set(found["rows"]) == set(ROWS)
    assert found["found"][HEADS]["all"]["people"] == 2
    assert all(values["people"] == 1 for values in found["rows"].values())
    true_fov, read_fov = (found["rows"][name]["distance"] for name in ("360-FoV, true gaze", "360-FoV"))
    assert true_fov < 0.35 and true_fov < read_fov
    assert found["in_view"]["people"] == 2 and found["gaze"]["mean"] > 0
    table = format_table(found)
    assert all(f"| {name} |" in table for name in ROWS) and "average precision" in table
    with pytest.raises(ValueError, match="unknown row"):
        evaluate(data, ["best"], follower)
    for rows in (["MMRGaze360"], [HEADS]):
        with pytest.raises(ModelError, match="--model"):
            evaluate(data, rows)
    with pytest.raises(ModelError, match="mmrgaze360 train dual_pathway"):
        evaluate(data, ["dual pathway"], follower)
