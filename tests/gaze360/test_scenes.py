"""Scenes: their truth, what they show, and data sets of them."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from typer.testing import CliRunner

from hifi_portrait.errors import DatasetError, OutputError
from hifi_portrait.scenery.environment import Environment
from hifi_portrait.scenery.place_names import PLACES
from mmrgaze360 import sphere
from mmrgaze360.cli.app import app
from mmrgaze360.dataset import SceneDataset, SceneRecord
from mmrgaze360.dataset.format import encode_jpeg
from mmrgaze360.dataset.records import box_of_corners
from mmrgaze360.dataset.rotate import rotate_dataset
from mmrgaze360.limits import LARGEST_SEED
from mmrgaze360.network import MMRGaze360
from mmrgaze360.network.inputs import to_network
from mmrgaze360.scenes import write
from mmrgaze360.scenes.people import KINDS
from mmrgaze360.scenes.plan import ScenePlan, plan_scene
from mmrgaze360.scenes.raycast import FAR, cast_panorama, first_hit
from mmrgaze360.scenes.render import DrawnScene, draw_scene, shoot, without_ringing
from mmrgaze360.scenes.solids import CAPSULE, COLUMNS, Paint, Solids
from mmrgaze360.scenes.write import SceneSettings, split_of_shard, write_scenes
from mmrgaze360.training.head import read_heads

RED = Paint(colour=(0.8, 0.1, 0.1))
LAMP = np.array([(0, 0, 1.0, 1, 1, 1, 1, 0.1)])
ROOM = np.array((-3.0, 3, -4, 4, -1.5, 1.2))


@pytest.fixture(scope="module")
def plans() -> list[ScenePlan]:
    return [plan_scene(seed, range(50, 58)) for seed in range(60)]


@pytest.fixture(scope="module")
def drawn() -> tuple[ScenePlan, DrawnScene, DrawnScene]:
    """A scene of one or two people, upright and from a tilted camera."""
    plan = next(plan for plan in (plan_scene(seed, [50]) for seed in range(20)) if plan.people)
    tilted = plan_scene(plan.seed, [50], distortion="strong")
    # Bodies below a figure take its exposure: at 1, the figures alone change the picture.
    cuts = {person.tag: dataclasses.replace(shoot(plan, person), exposure=1.0) for person in plan.people}
    return plan, draw_scene(plan, cuts, 256), draw_scene(tilted, cuts, 256)


def one_of_each() -> Solids:
    solids = Solids()
    solids.add_box(np.array((0, 2, 0)), np.array((0.3, 0.2, 0.4)), 0.5, RED, 0)
    solids.add_sphere(np.array((2, 0.3, 0)), 0.4, RED, 1)
    solids.add_cylinder(np.array((-2, 0, 0.2)), np.array((0.3, 0.5, 0.4)), 0.3, RED, 2)
    solids.add_capsule(np.array((0.2, -2, -0.3)), np.array((-0.2, -2.2, 0.4)), 0.2, RED, 3)
    return solids


def is_on_surface(row: np.ndarray, point: np.ndarray) -> bool:
    kind, centre, half = int(row[0]), row[1:4], row[4:7]
    if kind == CAPSULE or row[18] > 0:
        axis = half if kind == CAPSULE else np.zeros(3)
        along = np.clip((point - centre) @ axis / max(axis @ axis, 1e-9), -1, 1)
        return bool(abs(np.linalg.norm(point - centre - along * axis) - row[18]) < 1e-3)
    c, s = np.cos(row[7]), np.sin(row[7])
    local = np.array(((c, s, 0), (-s, c, 0), (0, 0, 1.0))) @ (point - centre)
    if kind == 0:
        return bool(abs(np.max(np.abs(local) / half) - 1) < 5e-3)
    side, cap = np.hypot(*(local[:2] / half[:2])), abs(local[2]) / half[2]
    return bool(abs(max(side, cap) - 1) < 5e-3)


def test_rays_end_on_the_surfaces_of_solids() -> None:
    table = one_of_each().table()
    assert table.shape == (4, COLUMNS)
    grid = sphere.direction_grid(128, 64)
    colour, distance, tags = cast_panorama(
        grid, table, ROOM, np.full((6, 4), 0.5), LAMP, np.ones((2, 3)), None
    )
    for tag in range(4):
        seen = np.argwhere(tags == tag)
        assert len(seen) > 20
        points = grid[tags == tag] * distance[tags == tag][:, None]
        assert all(is_on_surface(table[tag], point) for point in points[::5])
    walls = grid[tags == -1] * distance[tags == -1][:, None]
    off = np.minimum(np.abs(walls - ROOM[[0, 2, 4]]), np.abs(walls - ROOM[[1, 3, 5]])).min(1)
    assert off.max() < 1e-4
    assert colour[tags == 0][:, 0].mean() > 3 * colour[tags == 0][:, 1].mean()


def test_tiles_lose_no_solid() -> None:
    table = one_of_each().table()
    grid = np.array(sphere.direction_grid(96, 48))
    _, distance, tags = cast_panorama(grid, table, ROOM, np.full((6, 4), 0.5), LAMP, np.ones((2, 3)), None)
    for j in range(0, 48, 3):
        for i in range(0, 96, 3):
            met, tag = first_hit(np.zeros(3), grid[j, i], table, ROOM, True, -9)
            assert tag == tags[j, i] and met == pytest.approx(distance[j, i], rel=1e-4)


def test_rays_from_elsewhere_pass_their_own_solids() -> None:
    table = one_of_each().table()
    eye, way = np.array((0.0, 1, 0)), np.array((0.0, 1, 0))
    assert first_hit(eye, way, table, ROOM, True, -9)[1] == 0
    assert first_hit(eye, way, table, ROOM, True, 0) == (pytest.approx(3.0), -1)
    assert first_hit(eye, way, np.zeros((0, COLUMNS)), ROOM, False, -9)[0] == FAR


def test_people_look_exactly_at_their_targets(plans: list[ScenePlan]) -> None:
    for plan in plans:
        for person in plan.people:
            look = person.looking
            yaw, pitch = np.radians(look.eye_turn)
            eyes = np.array((np.sin(yaw) * np.cos(pitch), -np.cos(yaw) * np.cos(pitch), np.sin(pitch)))
            assert np.allclose(look.head @ eyes, look.gaze, atol=1e-9)
            assert np.allclose(person.setup.gaze, look.eye_turn)
            turn = sphere.angle_between(-look.head[:, 1], -look.body[:, 1])
            assert np.degrees(turn) < 90


def test_every_kind_of_target_occurs_and_what_hides_it_is_named(plans: list[ScenePlan]) -> None:
    people = [person for plan in plans for person in plan.people]
    kinds = {person.looking.kind for person in people}
    assert kinds == set(KINDS)
    for person in people:
        assert person.in_view == (person.hidden_by == "")
        hidden = person.looking.kind in ("camera", "outside", "hidden")
        assert not (hidden and person.in_view)
    seen = [person.looking for person in people if person.in_view]
    latitude = np.array([sphere.direction_to_lonlat(look.target)[1] for look in seen])
    assert (np.abs(latitude) > 35).mean() > 0.15
    x = [sphere.direction_to_pixel([look.eyes, look.target], 1, 1)[:, 0] for look in seen]
    assert np.mean([abs(a - b) > 0.5 for a, b in x]) > 0.1  # the short way leads over the seam


def test_the_same_seed_plans_the_same_scene() -> None:
    a, b = plan_scene(7, range(50, 58)), plan_scene(7, range(50, 58))
    assert np.array_equal(a.room.solids.table(), b.room.solids.table())
    assert all(
        np.array_equal(p.looking.target, q.looking.target) for p, q in zip(a.people, b.people, strict=True)
    )
    with pytest.raises(ValueError, match="unknown distortion"):
        plan_scene(7, [50], distortion="some")


def test_heads_are_drawn_where_the_truth_says(drawn: tuple[ScenePlan, DrawnScene, DrawnScene]) -> None:
    plan, scene, _ = drawn
    person = scene.people[0]
    empty = draw_scene(dataclasses.replace(plan, people=()), {}, 256)
    changed = np.abs(scene.picture.astype(float) - empty.picture).max(-1) > 30
    away = np.degrees(sphere.angle_between(sphere.direction_grid(256, 128)[changed], person.eyes))
    reach = np.degrees(np.arctan(0.7 / np.linalg.norm(person.eyes)))
    assert changed.sum() > 10 and away.max() < reach
    head = sphere.lonlat_to_direction(*person.head_box[:2])
    x, y = sphere.direction_to_pixel(head, 256, 128).astype(int)
    assert changed[y, x]


def test_a_tilted_camera_turns_picture_and_truth_alike(
    drawn: tuple[ScenePlan, DrawnScene, DrawnScene],
) -> None:
    _, upright, tilted = drawn
    turned = sphere.rotate_panorama(upright.picture, tilted.camera)
    difference = np.abs(turned.astype(float) - tilted.picture).mean()
    assert difference < 12  # two samplings of the same sharp edges
    for a, b in zip(upright.people, tilted.people, strict=True):
        assert np.allclose(tilted.camera @ a.gaze, b.gaze)
        assert np.allclose(tilted.camera @ a.target, b.target)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scenes") / "data"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(write, "CAST", 1)
        return write_scenes(folder, SceneSettings(count=3, size=128, seed=17 * 40), quiet=True)


def test_a_data_set_gives_back_what_was_drawn(data: Path) -> None:
    scenes = SceneDataset(data)
    assert len(scenes) == 3 and {scene.split for scene in scenes} == {"validation"}
    assert scenes[0].picture().shape == (64, 128, 3)
    people = [person for scene in scenes for person in scene.people]
    assert people
    for person in people:
        assert person.gaze is not None and person.eyes is not None
        if person.target is None:
            assert person.kind == "camera" and not person.in_view
            continue
        seen = person.target * person.target_distance - person.eyes
        assert sphere.angle_between(seen, person.gaze) < 1e-3
    with pytest.raises(DatasetError, match="no scenes of split test"):
        SceneDataset(data, "test")


def test_a_second_run_draws_nothing_again(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("drawn again")

    monkeypatch.setattr(write, "draw_shard", refuse)
    write_scenes(data, SceneSettings(count=3, size=128, seed=17 * 40), quiet=True)


@pytest.fixture
def blank(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data set of two scenes of one shard; scenes are grey from now on, and drawn at once."""

    def draw(seeds: Sequence[int], settings: SceneSettings) -> list[SceneRecord]:
        image = encode_jpeg(np.full((settings.size // 2, settings.size, 3), 128, np.uint8))
        return [
            SceneRecord(scene_id=f"scene-{seed}", split="train", image=image, people=[]) for seed in seeds
        ]

    monkeypatch.setattr(write, "draw_shard", draw)
    return write_scenes(tmp_path / "blank", SceneSettings(count=2, size=256), quiet=True)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--size", "512"], "size 256, not 512"),
        (["--size", "256", "--distortion", "strong"], "distortion none, not strong"),
        (["--size", "256", "--rooms-only"], "rooms-only no, not yes"),
        (["--size", "256", "--environments", str(write.PANORAMAS)], "environments none, not panoramas"),
    ],
)
def test_scenes_that_are_there_with_other_settings_are_not_passed_off(
    blank: Path, words: list[str], said: str
) -> None:
    result = CliRunner().invoke(app, ["scenes", "--out", str(blank), "--count", "2", "-q", *words])
    assert result.exit_code == 2
    assert f"was made with {said}: ask for the same, or name another folder" in result.output


def test_more_scenes_of_the_same_settings_are_added(blank: Path) -> None:
    write_scenes(blank, SceneSettings(count=45, size=256), quiet=True)
    assert len(SceneDataset(blank)) == 45


def test_fewer_scenes_than_there_are_leave_all(blank: Path) -> None:
    write_scenes(blank, SceneSettings(count=1, size=256), quiet=True)
    assert len(SceneDataset(blank)) == 2


def test_scenes_of_another_seed_may_have_other_settings(blank: Path) -> None:
    write_scenes(blank, SceneSettings(count=1, size=512, seed=40), quiet=True)
    assert [scene.picture().shape[1] for scene in SceneDataset(blank)] == [256, 256, 512]


@pytest.fixture
def old(blank: Path) -> Path:
    """The same, as older releases wrote it."""
    (shard,) = (blank / "scenes").iterdir()
    pq.write_table(pq.read_table(shard).replace_schema_metadata(None), shard)
    return blank


def test_scenes_of_older_releases_are_gone_on_with(old: Path) -> None:
    write_scenes(old, SceneSettings(count=41, size=256, rooms_only=True), quiet=True)
    assert len(SceneDataset(old)) == 41


def test_the_size_of_scenes_of_older_releases_is_compared(old: Path) -> None:
    with pytest.raises(DatasetError, match="size 256, not 512"):
        write_scenes(old, SceneSettings(count=2, size=512), quiet=True)


@pytest.mark.parametrize(
    ("changed", "said"),
    [({"most_tilt": 30}, "tilt 180.0, not 30"), ({"seed": 4}, "seed 0, not 4")],
)
def test_a_turned_data_set_of_other_settings_is_not_passed_off(
    blank: Path, tmp_path: Path, changed: dict[str, int], said: str
) -> None:
    rotate_dataset(blank, tmp_path / "turned", quiet=True)
    with pytest.raises(DatasetError, match=said):
        rotate_dataset(blank, tmp_path / "turned", quiet=True, **changed)


def test_another_data_set_is_not_turned_into_the_same_folder(blank: Path, tmp_path: Path) -> None:
    rotate_dataset(blank, tmp_path / "turned", quiet=True)
    other = shutil.copytree(blank, tmp_path / "other")
    with pytest.raises(DatasetError, match="data blank, not other"):
        rotate_dataset(other, tmp_path / "turned", quiet=True)


def test_a_data_set_that_has_grown_is_turned_to_its_end(blank: Path, tmp_path: Path) -> None:
    rotate_dataset(blank, tmp_path / "turned", quiet=True)
    write_scenes(blank, SceneSettings(count=3, size=256), quiet=True)
    rotate_dataset(blank, tmp_path / "turned", quiet=True)
    assert len(SceneDataset(tmp_path / "turned")) == 3


def test_a_full_disk_is_told_with_the_shard(blank: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pq, "write_table", full)
    with pytest.raises(OutputError, match=r"scenes-00000040\.parquet cannot be written: No space"):
        write_scenes(blank, SceneSettings(count=1, size=256, seed=40), quiet=True)


def test_the_last_scene_of_all_is_drawn(blank: Path) -> None:
    last = LARGEST_SEED // 40 * 40
    write_scenes(blank, SceneSettings(count=1, size=256, seed=last), quiet=True)
    assert len(SceneDataset(blank)) == 3


def test_real_places_come_with_the_package_and_no_split_shares_one() -> None:
    files = sorted(write.PANORAMAS.iterdir())
    assert len(files) == 21 and sum(file.stat().st_size for file in files) < 4e6
    assert all(file.stem in PLACES for file in files)
    known, held_out = (write._environments_of(write.PANORAMAS, split) for split in ("train", "test"))
    assert len(known) > len(held_out) > 3 and len(known) + len(held_out) == 21
    assert not {place.name for place in known} & {place.name for place in held_out}


def test_scenes_stand_in_the_packages_places_unless_rooms_are_asked_for() -> None:
    def places(settings: SceneSettings) -> set[str]:
        found = write._environments_of(settings.panoramas, "train")
        return {plan_scene(seed, [50], found).room.environment for seed in range(6)}

    assert places(SceneSettings(count=1)) > {""}
    assert places(SceneSettings(count=1, rooms_only=True)) == {""}
    with pytest.raises(ValueError, match="rooms_only"):
        SceneSettings(count=1, rooms_only=True, environments=Path("somewhere"))


def test_black_pixels_beside_lamps_are_filled_and_dark_places_stay() -> None:
    radiance = np.full((256, 512, 3), 0.3, np.float32)
    radiance[60:70, 100:130] = 0.0
    radiance[61:69, 101:129] = 40.0  # a lamp in a black frame, as lossy files have it
    radiance[150:180, 200:230] = 0.01
    kept = without_ringing(Environment.from_radiance("room", radiance))
    assert kept[55:75, 95:135].min() > 0.25
    assert np.array_equal(kept[152:178, 202:228], radiance[152:178, 202:228])


def test_splits_share_no_person() -> None:
    splits = [split_of_shard(number) for number in range(40)]
    assert splits.count("test") == 4 and splits.count("validation") == 2
    firsts = {name: first // 10**6 for name, first in write._FIRST_PERSON.items()}
    assert len(set(firsts.values())) == 3


def test_rotating_a_data_set_turns_what_is_known(data: Path, tmp_path: Path) -> None:
    assert rotate_dataset(data, tmp_path / "turned", seed=4, quiet=True) == 3
    for before, after in zip(SceneDataset(data), SceneDataset(tmp_path / "turned"), strict=True):
        turn = after.rotation @ before.rotation.T
        for a, b in zip(before.people, after.people, strict=True):
            assert np.allclose(turn @ a.gaze, b.gaze, atol=1e-5)
            assert sphere.angle_between(turn @ a.head, b.head) < 1e-4
    with pytest.raises(DatasetError, match="itself"):
        rotate_dataset(data, data, quiet=True)
    with pytest.raises(ValueError, match="tilt"):
        rotate_dataset(data, tmp_path / "other", most_tilt=0, quiet=True)


def test_damaged_and_foreign_folders_are_named(data: Path, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"no dataset\.json"):
        SceneDataset(tmp_path)
    broken = tmp_path / "broken"
    shutil.copytree(data, broken)
    shard = next((broken / "scenes").glob("*.parquet"))
    shard.write_bytes(shard.read_bytes()[:200])
    with pytest.raises(DatasetError, match=shard.name):
        SceneDataset(broken)
    (tmp_path / "dataset.json").write_text('{"format": "other"}')
    with pytest.raises(DatasetError, match="does not describe"):
        write_scenes(tmp_path, SceneSettings(count=1))


def test_boxes_of_pixels_become_boxes_of_degrees() -> None:
    box = box_of_corners(np.array(((60, 40), (40, 20))), 400, 200)
    assert np.allclose(box, (-135, 63, 18 * np.cos(np.radians(63)), 18))


def test_the_command_says_what_is_wrong(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["scenes", "--out", str(tmp_path / "a"), "--size", "129"])
    assert result.exit_code == 2 and "size must be even" in result.output
    result = CliRunner().invoke(app, ["rotate", str(tmp_path), "--out", str(tmp_path / "b")])
    assert result.exit_code == 2 and "dataset.json" in result.output


def test_the_head_network_of_the_package_reads_the_gazes(data: Path) -> None:
    network = MMRGaze360.from_pretrained().head
    crops, gazes = read_heads(str(data), "validation", network.config.size)
    with torch.no_grad():
        found = network(torch.from_numpy(np.stack([to_network(crop) for crop in crops])))[0].numpy()
    off = np.degrees(np.arccos(np.clip((found * gazes).sum(1), -1, 1)))
    assert len(off) >= 3 and np.median(off) < 20
