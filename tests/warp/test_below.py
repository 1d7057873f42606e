"""A body that a photo's lower edge cuts off goes on below it."""

from dataclasses import replace

import numpy as np

from hifi_portrait.warp.photo_grid.below import extend_below
from hifi_portrait.warp.photo_grid.layer import PhotoLayer
from hifi_portrait.warp.settings.photo_grid import GridSettings

SIDE, END, GRID = 100, 80, GridSettings()
BELOW = np.s_[END:, 22:68]


def a_layer(ends_at=END, begins_at=40):
    """Draw clothes in stripes that a photo cuts off below, and hair beside them that hangs down to there."""
    rows, columns = np.mgrid[0:SIDE, 0:SIDE]
    body, hair = np.zeros((2, SIDE, SIDE), np.float32)
    body[begins_at:ends_at, 20:70] = 1
    hair[40:ends_at, 70:75] = 1
    body[40:ends_at, 70:75] = 1
    drawn = rows < ends_at
    stripes = 100.0 + 50 * (rows // 4 % 2)
    return PhotoLayer(
        colour=np.repeat(stripes[..., None], 3, axis=2).astype(np.float32),
        alpha=np.maximum(body, hair),
        hair=hair,
        trust=drawn.astype(np.float32),
        emptiness=drawn.astype(np.float32),
        depth=np.where(drawn, 1.0, np.inf).astype(np.float32),
        remainder=np.ones((SIDE, SIDE, 3), np.float32),
        parsed=np.stack([hair, body * (1 - hair)], axis=-1),
        across=np.where(drawn, (columns + 0.5) / SIDE, np.nan).astype(np.float32),
        body=body,
    )


def test_clothes_go_on_to_the_lower_edge_with_their_pattern():
    found = extend_below(a_layer(), GRID)
    assert found.alpha[BELOW].min() == 1 and found.parsed[BELOW][..., 1].min() == 1
    assert np.ptp(found.colour[BELOW]) == 50
    assert found.remainder[BELOW].max() == 0
    assert np.array_equal(found.alpha[: END - 3], a_layer().alpha[: END - 3])


def test_what_goes_on_is_behind_all_that_the_mesh_shows():
    found = extend_below(a_layer(), GRID)
    assert found.depth[BELOW].min() > 100 and np.isfinite(found.depth[BELOW]).all()


def test_hair_and_background_do_not_go_on():
    found = extend_below(a_layer(), GRID)
    assert found.alpha[END:, 71:].max() == 0 and found.alpha[END:, :20].max() == 0


def test_a_photo_that_reaches_the_lower_edge_stays():
    layer = a_layer(ends_at=SIDE)
    assert extend_below(layer, GRID) is layer


def test_a_column_that_ends_high_up_is_no_body_that_was_cut_off():
    layer = a_layer()
    across = layer.across.copy()
    across[65:, 40:50] = np.nan
    found = extend_below(replace(layer, across=across), GRID)
    assert found.alpha[END:, 42:48].max() == 0


def test_what_is_above_shallow_clothes_is_not_mirrored_into_them():
    layer = a_layer(begins_at=70)
    colour = layer.colour.copy()
    colour[:70] = 5
    found = extend_below(replace(layer, colour=colour), GRID)
    assert found.colour[BELOW].min() >= 100 and found.parsed[BELOW][..., 1].min() > 0.9


def test_a_slanted_edge_goes_on_though_one_end_leaves_the_picture():
    layer = a_layer(ends_at=SIDE)
    edge = 94 + np.arange(SIDE) // 10
    across = np.where(np.arange(SIDE)[:, None] < edge, layer.across, np.nan)
    drawn = np.isfinite(across)
    slanted = replace(layer, across=across, alpha=layer.alpha * drawn, body=layer.body)
    assert extend_below(slanted, GRID).alpha[-1, 24:66].min() == 1
