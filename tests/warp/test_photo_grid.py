"""The photo's own pixels, drawn again: at its own pose the photo, and as it turns no step."""

from __future__ import annotations

import dataclasses
from itertools import pairwise

import cv2
import numpy as np
import pytest

from hifi_portrait.head.geometry import HeadPose
from hifi_portrait.head.mesh import Part
from hifi_portrait.head.model import HeadModel
from hifi_portrait.warp.draw import draw_warp, warp_picture
from hifi_portrait.warp.face.places import mouth_nearness
from hifi_portrait.warp.photo_grid.grid import grid_triangles, longest_sides, measure_stretch
from hifi_portrait.warp.photo_grid.hair_back import hang_behind, place_hair_back
from hifi_portrait.warp.photo_grid.inflate import inflate
from hifi_portrait.warp.photo_grid.joints import head_fraction
from hifi_portrait.warp.photo_grid.motion import move_places
from hifi_portrait.warp.photo_grid.trust import changed_places, eye_nearness
from hifi_portrait.warp.prepared import prepare_photos
from hifi_portrait.warp.references import read_references
from hifi_portrait.warp.settings import WarpSettings
from painted_heads import geometry, paint, person

SIZE = 128
SETTINGS = WarpSettings()
HAIR, BACKDROP = (60, 30, 20), (150, 170, 200)


@pytest.fixture(scope="module")
def model() -> HeadModel:
    return HeadModel.load()


@pytest.fixture(scope="module")
def photo():
    """A painted head with hair that stands off and a pony tail, before a backdrop that grows lighter."""
    return haired((92, 98))


@pytest.fixture(scope="module")
def long_haired():
    """A painted head with hair that hangs on both sides of the neck."""
    return haired((26, 38), (90, 102))


def haired(*tails):
    bare = person((0.0,), SIZE)
    body = bare.mattes[0] > 0
    head = np.zeros((SIZE, SIZE), np.uint8)
    top = np.flatnonzero(body.any(axis=1))[0]
    cv2.ellipse(head, (64, top + 32), (34, 40), 0, 180, 360, 1, -1)
    for left, right in tails:
        head[top + 30 : top + 75, left:right] = 1
    hair = (head > 0) & ~body
    crop = np.array(BACKDROP) + np.linspace(0, 30, SIZE)[:, None, None] * np.ones((1, SIZE, 1))
    crop[body] = bare.crops[0][body]
    crop[hair] = np.array(HAIR) + 20 * ((np.indices((SIZE, SIZE))[1] % 4 < 2)[hair][:, None])
    matte = (body | hair).astype(np.float32)
    return dataclasses.replace(bare, crops=crop.astype(np.uint8)[None], mattes=matte[None])


def turned(model, yaw, **expression):
    return paint(model, geometry(yaw, SIZE, **expression))


def space_of(photo, model):
    return prepare_photos(photo, SIZE, model, SETTINGS, bare_eyes=False).space(0)


def test_at_its_own_pose_a_warp_is_the_photo(photo, model):
    picture, _ = warp_picture(photo, turned(model, 0))
    apart = np.abs(picture.astype(int) - photo.crops[0]).max(axis=2)
    assert apart.mean() < 1 and np.percentile(apart, 99) <= 4


def test_a_single_hair_that_the_matte_lacks_is_kept_at_the_own_pose(photo, model):
    crops = photo.crops.copy()
    beside = np.flatnonzero(photo.mattes[0][70])[-1] + 3
    crops[0, 60:80, beside] = 0
    picture, _ = warp_picture(dataclasses.replace(photo, crops=crops), turned(model, 0))
    assert picture[62:78, beside].max() < 40


def test_small_turns_are_small_changes(photo, model):
    pictures = [warp_picture(photo, turned(model, yaw))[0].astype(int) for yaw in range(13)]
    steps = [np.abs(after - before).mean() for before, after in pairwise(pictures)]
    assert max(steps) < 2 * np.median(steps)


def test_clothes_and_backdrop_stay_where_they_are_when_the_head_turns(photo, model):
    target = turned(model, 25)
    picture, _ = warp_picture(photo, target)
    body = (model.parts == Part.SHOULDERS)[target.raster.triangle] & target.raster.mask
    low = body & (np.arange(SIZE)[:, None] > SIZE - 12)
    assert np.abs(picture[low].astype(int) - photo.crops[0][low]).mean() < 3
    corner = np.s_[:12, :12]
    assert np.abs(picture[corner].astype(int) - photo.crops[0][corner]).max() <= 3


def test_hair_turns_with_the_head(photo, model):
    """The pony tail hangs on the side that goes away from the camera: it comes nearer to the middle."""
    columns = []
    for yaw in (0, 20):
        picture, _ = warp_picture(photo, turned(model, yaw))
        dark = np.abs(picture.astype(int) - HAIR).max(axis=2) < 45
        columns.append(np.nonzero(dark[60:75, 80:])[1].mean())
    assert columns[1] < columns[0] - 1


def test_what_opens_is_the_meshs_mouth(photo, model):
    """The photo's closed lips are not drawn over an open mouth, and the rest of it is the photo."""
    target = turned(model, 0, jawOpen=0.8)
    near = target.raster.interpolate(mouth_nearness(model, *SETTINGS.grid.mouth)[:, None], model.triangles)[
        ..., 0
    ]
    trust = (
        1
        - target.raster.interpolate(
            changed_places(photo.geometries[0], target.geometry, model, SETTINGS.grid)[:, None],
            model.triangles,
        )[..., 0]
    )
    assert trust[near > 0.99].max() < 0.05
    far = target.raster.mask & (near == 0)
    assert trust[far].min() > 0.99


def test_eyes_are_left_to_the_mesh_where_they_look_elsewhere(photo, model):
    head = photo.geometries[0]
    aside = head.replace(gaze=np.array([20.0, 0]))
    changed = changed_places(head, aside, model, SETTINGS.grid)
    right, left = eye_nearness(model, *SETTINGS.grid.eyes)
    assert changed[np.maximum(right, left) > 0.99].min() > 0.99
    assert changed_places(head, head, model, SETTINGS.grid).max() == 0


def test_clothes_of_another_photo_take_the_place_of_the_deciding_ones(model):
    """The nearer photo ends at the neck: its head is drawn, and below it the other's body."""
    photos = person((0.0, 30.0), SIZE)
    low_head = photos.geometries[0].replace(translation=np.float32([0, 1.6, -0.17]))
    pictures = [paint(model, head) for head in (low_head, photos.geometries[1])]
    crops = np.stack([picture.image for picture in pictures])
    for crop, picture in zip(crops, pictures, strict=True):
        body = (model.parts == Part.SHOULDERS)[picture.raster.triangle] & picture.raster.mask
        crop[body] = (20, 160, 60)
    photos = dataclasses.replace(
        photos,
        crops=crops,
        mattes=np.stack([picture.mask for picture in pictures]).astype(np.float32),
        geometries=(low_head, photos.geometries[1]),
        landmarks=np.full((2, 478, 2), np.nan, np.float32),
        quality=np.ones(2, np.float32),
    )
    target = turned(model, 5)
    sources = read_references(photos, target.geometry, SIZE, model, SETTINGS)
    assert (sources.main, sources.dress) == (0, 1)
    picture, _ = warp_picture(photos, target)
    body = (model.parts == Part.SHOULDERS)[target.raster.triangle] & target.raster.mask
    low = body & (np.arange(SIZE)[:, None] > SIZE - 10)
    assert np.median(picture[low], axis=0) == pytest.approx((20, 160, 60), abs=6)


def test_the_head_is_the_photos_where_it_is_looked_at_straight(photo, model):
    """How far pixels are the photo's own is said, for the networks that mend the rest."""
    warp = draw_warp(photo, turned(model, 0))
    assert warp.coverage[turned(model, 0).mask].mean() > 0.9


def test_a_disc_is_inflated_to_a_ball():
    y, x = np.mgrid[-24:25, -24:25]
    radius = 20.0
    thickness = inflate(x**2 + y**2 < radius**2, 0.001)
    expected = 0.001 * np.sqrt(np.maximum(radius**2 - x**2 - y**2, 0))
    assert np.abs(thickness - expected).max() < 0.0035
    assert thickness[24, 24] == pytest.approx(0.02, rel=0.03)
    assert not inflate(np.zeros((8, 8), bool), 0.001).any()


def test_stretch_is_measured_along_the_longest_way():
    y, x = np.mgrid[0:10, 0:10].astype(float)
    stretch, front = measure_stretch(np.stack([3 * x + y, 2 * y], axis=-1))
    expected = np.linalg.svd(np.array([[3, 1], [0, 2]]))[1][0]
    assert stretch == pytest.approx(np.full((10, 10), expected), rel=1e-5)
    assert front.all() and not measure_stretch(np.stack([-x, y], axis=-1))[1].any()


def test_triangles_of_a_grid_are_those_whose_corners_are_kept():
    kept = np.ones((4, 5), bool)[:, :4]
    assert len(grid_triangles(kept)) == 18
    kept = kept.copy()
    kept[0, 0] = False
    triangles = grid_triangles(kept)
    assert len(triangles) == 17 and 0 not in triangles
    y, x = np.mgrid[0:4, 0:4].astype(float)
    assert longest_sides(np.stack([x, y], axis=-1), triangles) == pytest.approx(np.full(17, np.sqrt(2)))


def test_hair_on_both_sides_of_the_neck_hangs_behind_it():
    side = 80
    y, x = np.mgrid[0:side, 0:side]
    head = np.hypot(x - 39.5, y - 30) < 20
    both = (np.abs(np.abs(x - 39.5) - 17) < 3) & (y > 40) & (y < 70)
    behind = hang_behind(head | both, both, SETTINGS.space)
    assert behind[60, 20:60].all() and not behind[72].any()
    one = both & (x > 40)
    assert hang_behind(head | one, one, SETTINGS.space) is None
    below_ears = (y - 42) / side
    matte = np.ones((side, side), np.float32)
    curl = np.hypot(x - 28, y - 65) < 2
    matte[curl] = 0
    back = place_hair_back(head | both, both.astype(np.float32), matte, below_ears, behind, SETTINGS.space)
    neck = (y == 60) & (np.abs(x - 39.5) < 12)
    column, row = np.floor(np.moveaxis(back.places[neck & back.known] * side, -1, 0)).astype(int)
    assert both[row, column].all() and (neck & back.known).sum() > 10 and back.alpha[neck].min() == 1
    assert back.alpha[30].max() == 0
    assert back.alpha[curl].max() == 0  # the photo shows the background there


def test_hanging_hair_stays_upright_where_the_head_leans(photo, model):
    """It turns with the head, and below the ears it hangs from it."""
    space = space_of(photo, model)
    tail = np.zeros(space.matte.shape, bool)
    tail[-110:-60, 232:242] = True
    hanging = dataclasses.replace(
        space,
        head_fraction=np.ones_like(space.head_fraction),
        hanging=np.ones_like(space.hanging),
        looseness=np.ones_like(space.looseness),
    )

    def slope(places):
        across, _, up = np.moveaxis(places[tail].reshape(50, 10, 3).mean(axis=1), -1, 0)
        return np.polyfit(up, across, 1)[0]

    upright = slope(space.front)
    leaning = geometry(0.0, SIZE).replace(rotation=HeadPose(roll=20.0).matrix())
    vertices = model.posed(leaning)
    assert slope(move_places(hanging, leaning, vertices, model)[0]) == pytest.approx(upright, abs=0.02)
    stiff = dataclasses.replace(hanging, hanging=np.zeros_like(space.hanging))
    assert abs(slope(move_places(stiff, leaning, vertices, model)[0]) - upright) > 0.2
    turning = geometry(20.0, SIZE)
    moved = [move_places(each, turning, model.posed(turning), model)[0] for each in (hanging, stiff)]
    assert np.abs(moved[0] - moved[1]).max() < 1e-4


def test_places_move_with_head_and_body(photo, model):
    """Nothing moves at the own pose. The head turns as a whole, the body stays."""
    space = space_of(photo, model)
    head = photo.geometries[0]
    still, _ = move_places(space, head, space.vertices, model)
    assert np.abs(still - space.front).max() < 1e-5
    target = geometry(20.0, SIZE)
    front, _ = move_places(space, target, model.posed(target), model)
    body = space.head_fraction < 0.01
    shift = (front - space.front)[body & (space.matte > 0.5)]
    assert shift.std(axis=0).max() < 5e-4 and np.abs(shift).max() < 0.006
    loose = (space.head_fraction > 0.999) & (space.looseness > 0.999) & (space.hanging < 0.001)
    assert loose.sum() > 50
    turn = target.rotation @ head.rotation.T
    expected = (space.front - head.translation) @ turn.T + target.translation
    assert np.abs(front - expected)[loose].max() < 1e-4


def test_hair_hangs_behind_the_neck_and_turns_with_the_head(photo, long_haired, model):
    assert space_of(photo, model).back is None
    space = space_of(long_haired, model)
    there = cv2.erode((space.hair_back.alpha > 0.99).astype(np.uint8), np.ones((15, 15), np.uint8)) > 0
    assert there.sum() > 500 and (space.back - space.front)[there][:, 1].min() > 0.01
    head, target = long_haired.geometries[0], geometry(20.0, SIZE)
    _, back = move_places(space, target, model.posed(target), model)
    moved = there & (space.head_fraction > 0.99)
    turn = target.rotation @ head.rotation.T
    expected = (space.back - head.translation) @ turn.T + target.translation
    assert moved.sum() > 100 and np.abs(back - expected)[moved].max() < 2e-3


def test_what_comes_into_view_behind_the_neck_is_hair(long_haired, model):
    target = turned(model, 35)
    picture = draw_warp(long_haired, target).picture.astype(int)
    shown = (np.abs(picture - np.array(HAIR)).max(axis=2) < 45).sum()
    one = draw_warp(haired((90, 102)), target).picture.astype(int)
    assert shown > 1.3 * (np.abs(one - np.array(HAIR)).max(axis=2) < 45).sum()


@pytest.mark.parametrize("yaw", [12, 20, -20])
def test_hair_goes_on_behind_the_face_where_the_two_part(model, yaw):
    """No backdrop shows between a cheek and the hair beside it, which the photo shows without a gap."""
    photo, target = haired((80, 96)), turned(model, yaw)
    torn = dataclasses.replace(SETTINGS, grid=dataclasses.replace(SETTINGS.grid, widest_tear=0.0))
    closed, gaping = (
        draw_warp(photo, target, settings=each).picture.astype(int) for each in (SETTINGS, torn)
    )
    gap = np.abs(closed - gaping).max(axis=2) > 60
    assert gap.sum() >= 20
    assert np.median(gaping[gap], axis=0) == pytest.approx(np.array(BACKDROP) + 10, abs=25)
    assert np.median(closed[gap], axis=0) == pytest.approx(np.array(HAIR) + 10, abs=15)


def test_the_share_of_the_heads_motion_is_that_of_the_joints(model):
    fraction = head_fraction(model)
    assert fraction.min() >= 0 and fraction.max() == pytest.approx(1)
    eyes = np.concatenate(model.eye_vertices)
    assert fraction[eyes] == pytest.approx(np.ones(len(eyes)), abs=1e-5)


def test_what_photos_alone_tell_is_found_out_once(photo, model):
    """Per size and settings; other photos have their own."""
    first = prepare_photos(photo, SIZE, model, SETTINGS, bare_eyes=False)
    assert prepare_photos(photo, SIZE, model, WarpSettings(), bare_eyes=False) is first
    assert prepare_photos(photo, SIZE, model, SETTINGS, bare_eyes=True) is not first
    assert prepare_photos(photo, SIZE // 2, model, SETTINGS, bare_eyes=False) is not first
    copied = dataclasses.replace(photo)
    assert prepare_photos(copied, SIZE, model, SETTINGS, bare_eyes=False) is not first
    assert first.space(0) is first.space(0)


def test_hair_over_the_shoulders_is_found_by_its_colour_beside_them(photo, model):
    """A tail that goes on over the body is hair; the rest and the shade below the chin are not."""
    crops, mattes = photo.crops.copy(), photo.mattes.copy()
    target = turned(model, 0)
    body = (model.parts == Part.SHOULDERS)[target.raster.triangle] & target.raster.mask
    crops[0][body] = (210, 210, 220)
    start = np.flatnonzero(body[:, 92:98].any(axis=1))[0]
    crops[0][start : start + 12, 92:98] = HAIR
    chin = np.flatnonzero(body[:, 64])[0]
    crops[0][chin : chin + 2, 60:68] = HAIR
    found = prepare_photos(
        dataclasses.replace(photo, crops=crops, mattes=mattes), SIZE, model, SETTINGS, bare_eyes=False
    ).loose_hair(0)
    tail = np.zeros((SIZE, SIZE), bool)
    tail[start : start + 12, 92:98] = True
    assert found.on_body[tail & body].mean() > 0.6
    assert found.on_body[body & ~tail].mean() < 0.01


def test_skin_about_the_eyes_does_not_move_with_the_lashes(model: HeadModel) -> None:
    """The mesh's lashes stand out of the head: what moves with them leaves it as the head turns."""
    prepared = prepare_photos(person((0.0,), 256), 256, model, SETTINGS, bare_eyes=False)
    space = prepared.space(0)
    shown = model.parts[space.raster.triangle[space.raster.mask]]
    assert np.isin(shown, (Part.LEFT_EYE, Part.RIGHT_EYE)).any()
    assert not np.isin(shown, (Part.LEFT_LASHES, Part.RIGHT_LASHES)).any()
