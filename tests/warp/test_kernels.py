"""What one pixel shows of several references, worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from hifi_portrait.warp.kernels import blend_on_mesh
from hifi_portrait.warp.settings import WarpSettings

SIDE = 8
SETTINGS = WarpSettings().surface


def blend(colours, visibility, *, weights=None, gains=None, corrections=None, body=False):
    """Colour (3,), how well it is seen, and coverage, of a triangle in the middle of plain photos.

    `visibility` is (M,) by table; of each of N colours (N, 3) there are M / N.
    """
    count, tables = len(colours), len(visibility)
    looked_up = np.full((tables, 3, 3), 0.5, np.float32)
    looked_up[:, :, 2] = np.array(visibility)[:, None]
    crops = np.broadcast_to(np.array(colours, np.uint8)[:, None, None], (count, SIDE, SIDE, 3)).copy()
    gains = np.ones((count, 3), np.float32) if gains is None else np.array(gains, np.float32)
    factors = np.ones(tables) if corrections is None else np.array(corrections)
    weights = np.ones(tables) if weights is None else np.array(weights)
    colour, seen, coverage = blend_on_mesh(
        np.zeros((1, 1), np.int32),
        np.full((1, 1, 3), 1 / 3, np.float32),
        np.array([[0, 1, 2]], np.int32),
        np.array([body]),
        looked_up,
        (crops, np.ones((count, SIDE, SIDE), np.float32), gains),
        np.broadcast_to(factors[:, None, None, None], (tables, 2, 2, 3)).astype(np.float32),
        np.broadcast_to(weights[:, None], (tables, 3)).astype(np.float32),
        SETTINGS,
    )
    return colour[0, 0], seen[0, 0], coverage[0, 0]


RED, GREEN = (200, 40, 40), (40, 200, 40)


def test_what_is_seen_better_counts_by_its_cube():
    colour, seen, coverage = blend([RED, GREEN], [1.0, 0.5])
    expected = (np.array(RED) + 0.125 * np.array(GREEN)) / 1.125
    np.testing.assert_allclose(colour, expected, atol=0.1)
    assert (seen, coverage) == (1.0, 1.0)


def test_a_reference_counts_by_its_weight():
    colour, *_ = blend([RED, GREEN], [1.0, 1.0], weights=[3.0, 1.0])
    np.testing.assert_allclose(colour, (3 * np.array(RED) + np.array(GREEN)) / 4, atol=0.1)


def test_what_nothing_shows_is_black():
    colour, seen, coverage = blend([RED], [0.0])
    assert not colour.any() and seen == coverage == 0


@pytest.mark.parametrize(("visible", "of_mirror"), [(0.0, 1.0), (1.0, 0.0)])
def test_the_mirror_image_is_asked_where_the_place_itself_is_not_seen(visible, of_mirror):
    """The second way to look places up is darkened here, to be told from the first."""
    colour, seen, coverage = blend([RED], [visible, 1.0], corrections=[1.0, 0.5])
    np.testing.assert_allclose(colour, np.array(RED) * (1 - 0.5 * of_mirror), atol=0.1)
    assert seen == 1 and coverage == visible


def test_the_body_has_no_mirror_image():
    colour, seen, coverage = blend([RED], [0.0, 1.0], body=True)
    assert not colour.any() and seen == coverage == 0


def test_gains_are_of_all_and_corrections_of_the_head_alone():
    gains = [[0.5, 0.8, 1.1]]
    head, *_ = blend([RED], [1.0], gains=gains, corrections=[0.7])
    body, *_ = blend([RED], [1.0], gains=gains, corrections=[0.7], body=True)
    np.testing.assert_allclose(body, np.array(RED) * gains[0], atol=0.1)
    np.testing.assert_allclose(head, 0.7 * body, atol=0.1)
