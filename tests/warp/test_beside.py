"""A body that a photo's side cuts off goes on to the picture's edge; nothing else does."""

from dataclasses import replace

import numpy as np
import pytest

from hifi_portrait.warp.photo_grid.beside import extend_beside
from hifi_portrait.warp.photo_grid.layer import PhotoLayer
from hifi_portrait.warp.settings import WarpSettings

SIDE, END, TOP = 200, 150, 120
SHOWN = np.ones((64, 64), np.float32)
GRID = WarpSettings().grid


def a_layer(ends_at=END, slope=0.5, photo_ends_at=END):
    """A shoulder that falls to the right, up to a column, in a photo that ends at a column."""
    rows, columns = np.mgrid[0:SIDE, 0:SIDE]
    drawn = columns < photo_ends_at
    body = drawn & (columns < ends_at) & (rows > TOP - slope * (END - columns))
    nothing = np.zeros((SIDE, SIDE), np.float32)
    colour = np.zeros((SIDE, SIDE, 3), np.float32)
    colour[body] = (200, 40, 30)
    colour[body & (rows % 8 < 2)] = (100, 20, 15)
    return PhotoLayer(
        colour=colour,
        alpha=body.astype(np.float32),
        hair=nothing,
        trust=drawn.astype(np.float32),
        emptiness=drawn.astype(np.float32),
        depth=np.where(drawn, 1.0, np.inf).astype(np.float32),
        remainder=np.repeat(nothing[..., None], 3, axis=2),
        across=np.where(drawn, (columns + 0.5) / photo_ends_at, np.nan).astype(np.float32),
        body=body.astype(np.float32),
    )


def flipped(layer):
    maps = ("colour", "alpha", "hair", "trust", "emptiness", "depth", "remainder")
    own = {name: getattr(layer, name)[:, ::-1] for name in maps}
    return replace(layer, **own, across=1 - layer.across[:, ::-1], body=layer.body[:, ::-1])


@pytest.mark.parametrize("slope", [0.0, 0.5])
def test_a_shoulder_goes_on_to_the_pictures_edge_along_its_outline(slope):
    found = extend_beside(a_layer(slope=slope), SHOWN, GRID)
    for column in (END + 5, END + 30, SIDE - 1):
        [top] = np.flatnonzero(np.diff((found.alpha[:, column] > 0.5).astype(int)) > 0)[:1]
        assert top == pytest.approx(TOP + slope * (column - END), abs=3)
    below = np.s_[TOP + 40 :, END:]
    assert found.alpha[below].min() > 0.9 and found.trust[below].min() > 0.9
    assert found.emptiness[below].max() == 0 and np.isfinite(found.depth[below]).all()
    red = found.colour[below]
    assert red[..., 0].min() > 90 and red[..., 1].max() < 60 and red[..., 0].std() > 20  # its folds too


def test_the_left_is_as_the_right():
    right, left = (extend_beside(each, SHOWN, GRID) for each in (a_layer(), flipped(a_layer())))
    np.testing.assert_allclose(left.alpha[:, ::-1], right.alpha, atol=1e-4)
    np.testing.assert_allclose(left.colour[:, ::-1], right.colour, atol=0.5)


def test_a_body_that_ends_within_its_photo_is_left_alone():
    layer = a_layer(ends_at=END - 20)
    assert extend_beside(layer, SHOWN, GRID) is layer


def test_hair_or_a_cheek_at_a_photos_edge_is_no_body():
    layer = a_layer()
    hair = replace(layer, hair=layer.alpha)
    assert extend_beside(hair, SHOWN, GRID) is hair
    head = replace(layer, body=np.zeros_like(layer.alpha))
    assert extend_beside(head, SHOWN, GRID) is head


def test_what_is_mirrored_is_the_body_alone():
    """A photo's edge close to the neck: what goes on has the garment's colour, not that of the face."""
    layer = a_layer(slope=0.5)
    columns = np.arange(SIDE)
    colour = np.where((columns < END - 12)[None, :, None], (20.0, 220.0, 20.0), layer.colour)
    body = layer.body * (columns >= END - 12)
    found = extend_beside(replace(layer, colour=colour.astype(np.float32), body=body), SHOWN, GRID)
    far = found.colour[TOP + 60 :, END + 20 :]
    assert (far[..., 0] > far[..., 1]).all()


def test_a_photo_that_reaches_the_pictures_edge_is_left_alone():
    layer = a_layer(ends_at=SIDE, photo_ends_at=SIDE)
    assert extend_beside(layer, SHOWN, GRID) is layer


def test_where_a_crop_goes_on_beyond_its_photo_the_photos_edge_counts():
    shown = SHOWN.copy()
    shown[:, 48:] = 0
    layer = a_layer()
    inner, cut = (replace(layer, across=layer.across * end) for end in (0.6, 0.75))
    assert extend_beside(inner, shown, GRID) is inner
    assert extend_beside(cut, shown, GRID).alpha[TOP + 40 :, END:].min() > 0.9
