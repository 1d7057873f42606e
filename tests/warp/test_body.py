"""Where shoulders end, and clothes below a photo."""

import numpy as np
import pytest

from hifi_portrait.head.mesh import Part
from hifi_portrait.head.model import HeadModel
from hifi_portrait.head.surface import SurfaceView
from hifi_portrait.warp.body_outline import clip_to_person
from hifi_portrait.warp.clothing.extend import extend_clothes
from hifi_portrait.warp.settings import WarpSettings
from painted_heads import geometry, paint

SETTINGS = WarpSettings()

SIZE = 128
SKIN, SHIRT = (200, 150, 130), (40, 60, 160)


@pytest.fixture(scope="module")
def head():
    """A drawn head, the places of its vertices in its own picture, its mask, and its shoulders."""
    model = HeadModel.load()
    target = paint(model, geometry(0.0, SIZE))
    xy = SurfaceView.from_geometry(model, geometry(0.0, SIZE)).xy
    body = target.raster.mask & (model.parts == Part.SHOULDERS)[target.raster.triangle]
    return target.raster, xy, target.raster.mask.astype(np.float32), body


def cut(head, mattes, shown=None, dress=0):
    raster, xy = head[:2]
    mattes = np.stack(mattes)
    shown = np.ones_like(mattes) if shown is None else np.stack(shown)
    return clip_to_person(
        raster, np.stack([xy] * len(mattes)), mattes, shown, dress, HeadModel.load(), SETTINGS.outline
    )


def test_shoulders_end_where_the_photos_person_does(head):
    raster, _, mask, body = head
    narrow = mask.copy()
    narrow[:, :20] = 0
    found = cut(head, [narrow])
    assert not found.mask[:, :18].any()
    assert np.isinf(found.depth[~found.mask]).all()
    assert np.array_equal(found.mask[:, 22:], raster.mask[:, 22:])
    assert body[:, :18].any()


def test_the_head_is_left_as_it_is(head):
    raster, _, _, body = head
    found = cut(head, [np.zeros((SIZE, SIZE), np.float32)])
    assert np.array_equal(found.mask, raster.mask & ~body)


def test_a_hole_of_one_matte_is_closed_by_another(head):
    raster, _, mask, _ = head
    holed, narrower = mask.copy(), mask.copy()
    holed[:, 80:] = 0
    assert np.array_equal(cut(head, [holed, mask]).mask, raster.mask)
    narrower[:, :4] = 0  # a little that another sitting shows is none
    assert not cut(head, [narrower, mask]).mask[:-4, :3].any()


def test_below_a_photos_end_shoulders_grow_wider_up_to_the_meshs(head):
    raster, _, mask, body = head
    last = np.flatnonzero(body.any(axis=1))[-1]
    shown, narrow = np.zeros((SIZE, SIZE), np.float32), mask.copy()
    shown[: last - 10] = 1
    narrow[:, :24] = 0
    found = cut(head, [narrow * shown], [shown])
    left = np.array([np.flatnonzero(found.mask[row])[0] for row in range(last - 16, last + 1)])
    assert (np.diff(left) <= 0).all() and left[0] >= 23 and left[-1] < 16
    assert found.mask[last].sum() <= raster.mask[last].sum()


def test_necks_pass_into_narrower_shoulders_without_a_step(head):
    raster, _, mask, body = head
    top = int(np.flatnonzero(body.any(axis=1))[0])
    narrow = mask.copy()
    neck = np.flatnonzero(raster.mask[top])
    narrow[:, : neck[0] + 3] = 0  # a little narrower than the mesh's neck
    found = cut(head, [narrow])
    left = np.array([np.flatnonzero(found.mask[row])[0] for row in range(top - 3, top + 12)])
    assert np.abs(np.diff(left)).max() <= 2


def cut_off(neckline):
    """A body of a shirt with skin between two columns down to the row where it is known, and what goes on."""
    colour = np.zeros((SIZE, SIZE, 3), np.float32)
    colour[:] = SHIRT
    colour[60:, neckline[0] : neckline[1]] = SKIN
    colour[40:60, 40:88] = SKIN  # the neck
    body, skin = np.zeros((2, SIZE, SIZE), bool)
    body[60:, 10:118] = True
    skin[40:60, 40:88] = True
    trust = np.zeros((SIZE, SIZE), np.float32)
    trust[40:90] = 1
    found = extend_clothes(colour, trust * (body | skin), body, skin, SETTINGS)
    return np.abs(found - SKIN).sum(axis=2) < np.abs(found - SHIRT).sum(axis=2)


def test_clothes_go_on_below_a_photo_and_necklines_close():
    bare = cut_off((50, 78))
    assert bare[92, 55:73].all()  # just below the end it is open
    assert not bare[104:, 10:118].any()
    assert not bare[92:, 10:46].any() and not bare[92:, 82:118].any()


def test_without_skin_at_its_end_there_is_no_neckline():
    assert not cut_off((0, 0))[91:, 10:118].any()
