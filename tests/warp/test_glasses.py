import dataclasses

import numpy as np
import pytest

from hifi_portrait.head.base_shape import Fitting, base_shape
from hifi_portrait.head.glasses import FRAMES, fit_glasses
from hifi_portrait.head.mesh import Part
from hifi_portrait.head.model import HeadModel, part_vertices
from hifi_portrait.head.surface import SurfaceView
from hifi_portrait.prompts.glasses import describe_glasses, find_glasses
from hifi_portrait.warp.draw import warp_picture
from hifi_portrait.warp.glasses.detect import wears_glasses
from hifi_portrait.warp.glasses.draw import draw_glasses
from hifi_portrait.warp.glasses.remove import remove_glasses
from hifi_portrait.warp.settings import WarpSettings
from painted_heads import geometry, paint, person

SETTINGS = WarpSettings()

SIZE = 192


def worn(kind, yaw=0.0, size=SIZE, picture=None, loose=None):
    """A grey picture of a head with glasses, and their fraction of it."""
    model, head = HeadModel.load(), geometry(yaw, size)
    drawn = paint(model, head)
    picture = np.full((size, size, 3), 150.0) if picture is None else picture
    loose = np.zeros((size, size)) if loose is None else loose
    return draw_glasses(picture, kind, drawn.raster, loose, head, model, SETTINGS.glasses_drawing)


def eye_rows_and_columns(yaw=0.0, size=SIZE):
    """Pixel (2 eyes, 2) of the eyeballs' middle: column and row."""
    model, head = HeadModel.load(), geometry(yaw, size)
    points = model.posed(head)
    return np.stack([head.camera.project(points[eye].mean(axis=0)) for eye in model.eye_vertices])


def photo_of(kind, size=256):
    """A person's only photo, wearing painted glasses or none."""
    photos = person((0.0,), size)
    if kind is None:
        return photos
    head = photos.geometries[0]
    model = HeadModel.load()
    loose = np.zeros((size, size))
    crop, _ = draw_glasses(
        photos.crops[0], kind, paint(model, head).raster, loose, head, model, SETTINGS.glasses_drawing
    )
    return dataclasses.replace(photos, crops=np.uint8(crop.round())[None])


@pytest.mark.parametrize("kind", FRAMES)
def test_rims_surround_the_eyes_and_leave_them_free(kind):
    _, fraction = worn(kind)
    for column, row in eye_rows_and_columns().round().astype(int):
        assert (fraction[row, column] > 0.9) == (kind == "sunglasses")
        ray = int(0.12 * SIZE)
        for line in (
            fraction[row, column : column + ray],
            fraction[row, column - ray : column],
            fraction[row : row + ray, column],
            fraction[row - ray : row, column],
        ):
            assert line.max() > 0.3


@pytest.mark.parametrize("kind", FRAMES)
def test_frames_stand_off_the_skin(kind):
    rest = HeadModel.load().rest(np.zeros(80, np.float32))
    skin = part_vertices(HeadModel.load(), Part.SKIN)
    glasses = fit_glasses(kind, rest, skin, Fitting.from_rest(rest, HeadModel.load()))
    face = rest[skin]
    for rim in glasses.rims:
        for point in rim:
            behind = face[np.linalg.norm((face - point)[:, [0, 2]], axis=1) < 0.004, 1]
            assert (point[1] < behind + 1e-4).all()  # the face looks along -y


def test_the_base_shape_fits_itself():
    fitting = Fitting.from_rest(base_shape(HeadModel.load()), HeadModel.load())
    np.testing.assert_allclose(fitting.scale, 1, atol=1e-4)
    np.testing.assert_allclose(fitting.offset, 0, atol=1e-5)


def test_frames_are_dark_and_clear_lenses_leave_the_eyes_as_they_are():
    picture, fraction = worn("square")
    assert picture[fraction > 0.95].mean() < 60
    eyes = eye_rows_and_columns().round().astype(int)
    assert all(abs(picture[row, column].mean() - 150) < 12 for column, row in eyes)


def test_sunglasses_hide_the_eyes():
    picture, _ = worn("sunglasses")
    assert all(picture[row, column].mean() < 75 for column, row in eye_rows_and_columns().astype(int))


def test_the_far_temple_is_hidden_by_a_turned_head():
    _, fraction = worn("square", yaw=40.0)
    near, far = np.sort(eye_rows_and_columns(40.0)[:, 0])  # columns: the head looks to the right
    columns = np.nonzero(fraction.max(axis=0) > 0.3)[0]
    assert near - columns.min() > 2 * (columns.max() - far)


def test_hair_off_the_mesh_hides_temples_but_no_rims():
    loose = np.ones((SIZE, SIZE), np.float32)
    _, bare = worn("square", yaw=25.0)
    _, covered = worn("square", yaw=25.0, loose=loose)
    assert covered.sum() < 0.9 * bare.sum()
    left, right = (int(column) for column in np.sort(eye_rows_and_columns(25.0)[:, 0]))
    np.testing.assert_array_equal(covered[:, left:right], bare[:, left:right])


def test_temples_lie_along_the_head():
    _, fraction = worn("square", size=256)
    drawn = paint(HeadModel.load(), geometry(0.0, 256))
    rows = np.flatnonzero(fraction.max(axis=1) > 0.5)
    columns = np.flatnonzero(fraction.max(axis=0) > 0.5)
    head = np.flatnonzero(drawn.raster.mask[rows].any(axis=0))
    assert head.min() - 3 <= columns.min() and columns.max() <= head.max() + 3


def test_a_picture_a_little_below_black_gets_glasses_without_holes():
    picture = np.full((SIZE, SIZE, 3), 150.0)
    picture[:20] = -3  # dark strands in the background may come out below black
    drawn, _ = worn("round", picture=picture)
    assert np.isfinite(drawn).all() and (drawn[:20] == 0).all()


def test_glasses_outside_the_picture_change_nothing():
    model, head = HeadModel.load(), geometry(0.0, 64)
    away = head.replace(translation=head.translation + np.array([5, 0, 0], np.float32))
    picture = np.full((64, 64, 3), 99.0)
    drawn, fraction = draw_glasses(
        picture, "round", paint(model, away).raster, np.zeros((64, 64)), away, model, SETTINGS.glasses_drawing
    )
    np.testing.assert_array_equal(drawn, picture)
    assert fraction.max() == 0


@pytest.mark.parametrize("kind", [None, "round", "square", "browline", "sunglasses"])
def test_photos_tell_whether_glasses_are_worn(kind):
    photos = photo_of(kind)
    view = SurfaceView.from_geometry(HeadModel.load(), photos.geometries[0])
    assert wears_glasses(
        photos.crops[0], view.xy, view.visibility, HeadModel.load(), SETTINGS.glasses_detection
    ) == (kind is not None)


def test_a_face_that_is_not_seen_wears_no_glasses():
    model = HeadModel.load()
    view = SurfaceView.from_geometry(model, geometry(0.0, 128))
    assert not wears_glasses(
        np.zeros((128, 128, 3), np.uint8), view.xy, 0 * view.visibility, model, SETTINGS.glasses_detection
    )


def test_a_target_with_glasses_is_warped_with_them():
    target = paint(HeadModel.load(), geometry(8.0, 128))
    plain, _ = warp_picture(person(), target)
    picture, sure = warp_picture(person(), dataclasses.replace(target, glasses="square"))
    changed = np.abs(picture.astype(int) - plain).max(axis=2) > 25
    _, fraction = worn("square", 8.0, 128)
    assert (changed & (fraction > 0.9)).sum() > 0.7 * (fraction > 0.9).sum()
    assert sure[(fraction > 0.9) & target.raster.mask].min() > 0.85


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ("a photo of a man with round glasses", "round"),
        ("a woman, cat eye glasses, red dress", "cat-eye"),
        ("wearing black Square Eyeglasses", "square"),
        ("a man with glasses", "rectangular"),
        ("a man in spectacles and a hat", "rectangular"),
        ("cool sunglasses", "sunglasses"),
        ("dark glasses", "sunglasses"),
        ("a woman with no glasses", "none"),
        ("a woman without any round glasses", "none"),
        ("without a beard, with glasses", "rectangular"),
        ("a man not wearing glasses", "none"),
        ("no thick glasses", "none"),
        ("a man without reading glasses", "none"),
        ("without a hat or glasses", "none"),
        ("he took off his glasses", "none"),
        ("with no beard and with round glasses", "round"),
        ("a square-jawed man with glasses", "rectangular"),
        ("a woman with a round face and glasses", "rectangular"),
        ("glasses with round frames", "round"),
        ("a man in sun-glasses", "sunglasses"),
        ("holding two wine glasses", None),
        ("two glasses of wine on a table", None),
        ("martini glasses", None),
        ("a glass of wine", None),
        ("", None),
    ],
)
def test_what_words_say_of_glasses(words, named):
    assert find_glasses(words) == named


@pytest.mark.parametrize("kind", ["none", *FRAMES])
def test_a_kind_is_read_from_the_words_for_it(kind):
    assert find_glasses(describe_glasses(kind)) == kind


@pytest.mark.parametrize("kind", ["round", "square", "cat-eye"])
def test_glasses_are_taken_off(kind):
    model, bare, with_glasses = HeadModel.load(), photo_of(None), photo_of(kind)
    head = bare.geometries[0]
    off = remove_glasses(with_glasses.crops[0], model.posed(head), head, model, SETTINGS.glasses_removal)
    worn_error, error = (
        np.abs(crop.astype(float) - bare.crops[0]).mean() for crop in (with_glasses.crops[0], off)
    )
    assert error < 0.6 * worn_error


def test_a_photo_without_glasses_stays_nearly_as_it_is():
    model, bare = HeadModel.load(), photo_of(None)
    head = bare.geometries[0]
    off = remove_glasses(bare.crops[0], model.posed(head), head, model, SETTINGS.glasses_removal)
    assert np.abs(off.astype(float) - bare.crops[0]).mean() < 0.5


def two_of_three_with(kind):
    """Photos of which the last two show glasses; all as good as each other."""
    photos = person((-10.0, 0.0, 10.0), 192)
    crops = photos.crops.copy()
    model = HeadModel.load()
    for number in (1, 2):
        head = photos.geometries[number]
        crop, _ = draw_glasses(
            crops[number],
            kind,
            paint(model, head).raster,
            np.zeros((192, 192)),
            head,
            model,
            SETTINGS.glasses_drawing,
        )
        crops[number] = crop.round()
    return dataclasses.replace(photos, crops=crops, quality=np.ones(3, np.float32))


@pytest.mark.parametrize(("order", "worn_by_most"), [((0, 1, 2), True), ((0, 0, 1), False)])
def test_most_photos_decide_whether_glasses_are_worn(order, worn_by_most):
    photos = two_of_three_with("square")
    order = list(order)
    chosen = dataclasses.replace(
        photos,
        crops=photos.crops[order],
        mattes=photos.mattes[order],
        geometries=tuple(photos.geometries[number] for number in order),
    )
    for yaw in (-10.0, 10.0):
        target = paint(HeadModel.load(), geometry(yaw, 192))
        picture, _ = warp_picture(chosen, target)
        view = SurfaceView.from_geometry(HeadModel.load(), target.geometry)
        assert (
            wears_glasses(picture, view.xy, view.visibility, HeadModel.load(), SETTINGS.glasses_detection)
            == worn_by_most
        )


def test_a_target_without_glasses_shows_none_though_most_photos_do():
    photos = two_of_three_with("square")
    target = dataclasses.replace(paint(HeadModel.load(), geometry(5.0, 192)), glasses="none")
    picture, _ = warp_picture(photos, target)
    view = SurfaceView.from_geometry(HeadModel.load(), target.geometry)
    assert not wears_glasses(picture, view.xy, view.visibility, HeadModel.load(), SETTINGS.glasses_detection)


def test_where_no_glasses_are_wished_a_bare_photo_says_more_about_the_eyes_than_dark_lenses():
    model, photos = HeadModel.load(), person((0.0, 50.0), 192)
    head = photos.geometries[1]
    dark, _ = draw_glasses(
        photos.crops[1],
        "sunglasses",
        paint(model, head).raster,
        np.zeros((192, 192)),
        head,
        model,
        SETTINGS.glasses_drawing,
    )
    crops = photos.crops.copy()
    crops[1] = dark.round()
    target = dataclasses.replace(paint(model, geometry(45.0, 192)), glasses="none")
    shown, _ = warp_picture(dataclasses.replace(photos, crops=crops), target)
    bare, _ = warp_picture(photos, target)
    near, _ = eye_rows_and_columns(45.0, 192)[np.argsort(eye_rows_and_columns(45.0, 192)[:, 0])].astype(int)
    column, row = near
    around = np.s_[row - 6 : row + 7, column - 6 : column + 7]
    lens = crops[1][crops[1].max(axis=2) > 0].min()
    assert shown[around].mean() - lens > 0.5 * (bare[around].mean() - lens)
