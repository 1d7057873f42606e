"""Cheeks that a photo shows as the dark edge of the head, and that have turned to the camera."""

import dataclasses

import numpy as np
import pytest

from hifi_portrait.head.mesh import Part
from hifi_portrait.warp.canvas import Canvas, WarpContext
from hifi_portrait.warp.draw import draw_warp
from hifi_portrait.warp.face.even_skin import even_skin
from hifi_portrait.warp.references import read_references
from hifi_portrait.warp.settings import SkinSettings, WarpSettings
from painted_heads import geometry, paint, person

SIDE = 192
SKIN = np.array((200.0, 150.0, 130.0))


def facing(model, head):
    towards = -head.vertices / np.linalg.norm(head.vertices, axis=1, keepdims=True)
    cosine = np.einsum("vi,vi->v", model.normals(head.vertices), towards)
    return head.raster.interpolate(cosine[:, None].astype(np.float32), model.triangles)[..., 0]


@pytest.fixture(scope="module")
def photo(model):
    """A photo from the front, whose skin is dark where it is seen from the side."""
    head = paint(model, geometry(0.0, SIDE))
    shade = np.clip(facing(model, head) / 0.5, 0.3, 1)[..., None]
    picture = np.where(head.raster.mask[..., None], SKIN * shade, 20)
    picture += np.random.default_rng(0).normal(0, 2, picture.shape) * head.raster.mask[..., None]
    return dataclasses.replace(person((0.0,), SIDE), crops=picture[None].clip(0, 255).astype(np.uint8))


def draw(photo, model, yaw, **changes):
    settings = WarpSettings(skin=SkinSettings(**changes))
    return draw_warp(photo, paint(model, geometry(yaw, SIDE)), settings=settings).picture.astype(float)


OFF = {"min_pixels": np.inf}


def cheek(model, yaw):
    """Where a drawn head shows the cheek before its near ear, below the eyes."""
    head = paint(model, geometry(yaw, SIDE))
    place = head.raster.interpolate(model.mean[: model.num_vertices], model.triangles)
    eyes = model.mean[np.concatenate(model.eye_vertices)]
    below = place[..., 2] < eyes[:, 2].mean() - 0.02
    above = place[..., 2] > eyes[:, 2].mean() - 0.06
    beside = (place[..., 1] > eyes[:, 1].mean() + 0.01) & (place[..., 1] < eyes[:, 1].mean() + 0.045)
    skin = model.parts[head.raster.triangle] == Part.SKIN
    return head.raster.mask & skin & below & above & beside & (facing(model, head) > 0.6)


@pytest.mark.parametrize("yaw", [-35.0, 35.0])
def test_a_cheek_that_turned_to_the_camera_is_as_light_as_the_face(model, photo, yaw):
    there = cheek(model, yaw)
    assert there.sum() > 50
    before, after = (draw(photo, model, yaw, **changes)[there].mean(0) for changes in (OFF, {}))
    assert np.abs(after - SKIN).max() < 0.6 * np.abs(before - SKIN).max()
    assert np.abs(after - SKIN).max() < 25


def test_at_the_photos_own_pose_nothing_changes(model, photo):
    assert np.array_equal(draw(photo, model, 0.0), draw(photo, model, 0.0, **OFF))


def test_pores_stay_in_their_places_as_the_head_turns(model, photo):
    first, second = (draw(photo, model, yaw, pores_per_metre=300.0) for yaw in (33.0, 34.0))
    plain = [draw(photo, model, yaw, pores_per_metre=0.0) for yaw in (33.0, 34.0)]
    there = cheek(model, 33.0) & cheek(model, 34.0)
    changes = [(a - b).mean(-1)[there] for a, b in zip((first, second), plain, strict=True)]
    assert changes[0].std() > 0.2
    assert np.corrcoef(*changes)[0, 1] > 0.3


@pytest.mark.parametrize("hair", [0.0, 1.0])
def test_hair_that_the_mesh_shows_is_no_skin(model, photo, hair):
    """As over an ear, where the model itself has skin."""
    target, settings = paint(model, geometry(35.0, SIDE)), WarpSettings()
    sources = read_references(photo, target.geometry, SIDE, model, settings, bare_eyes=False, look=None)
    context = WarpContext(sources, target, model, settings)
    canvas = Canvas.blank(context)
    there = cheek(model, 35.0)
    dark = np.where(there[..., None], 0.4 * SKIN, SKIN).astype(np.float32)
    drawn = dataclasses.replace(
        canvas,
        colour=dark,
        seen=np.where(there, 0.1, 1).astype(np.float32),
        alpha=target.raster.mask.astype(np.float32),
        hair_on_mesh=np.where(there, hair, 0).astype(np.float32),
    )
    lighter = (even_skin(context, drawn).colour - dark)[there].mean()
    assert lighter < 1 if hair else lighter > 20


def test_a_picture_without_skin_stays_as_it_is(model, photo):
    target = paint(model, geometry(30.0, SIDE))
    settings = WarpSettings()
    sources = read_references(photo, target.geometry, SIDE, model, settings, bare_eyes=False)
    context = WarpContext(sources, target, model, settings)
    blank = Canvas.blank(context)
    assert even_skin(context, blank) is blank
