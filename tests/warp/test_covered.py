"""What is before the face in one photo is not drawn: the other photos show the place."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hifi_portrait.head.model import HeadModel
from hifi_portrait.person.references import References
from hifi_portrait.warp.draw import warp_picture
from hifi_portrait.warp.face.places import mouth_nearness
from painted_heads import geometry, paint, person

SIZE = 96
WHITE = 255
"""Of the mask; painted heads have no white."""


@pytest.fixture(scope="module")
def masked(model: HeadModel) -> References:
    """Two photos of a painted person; before the mouth in the first, which is the better one, is a mask."""
    references = person((-10.0, 10.0), SIZE)
    crops = references.crops.copy()
    near = mouth_nearness(model, 0.03, 0.045)
    drawn = paint(model, references.geometries[0]).raster.interpolate(near[:, None], model.triangles)[..., 0]
    crops[0][drawn > 0.6] = WHITE
    covered = np.stack([(near > 0.2).astype(np.float32), np.zeros_like(near)])
    return replace(references, crops=crops, covered=covered, quality=np.array([1, 0.9], np.float32))


def mask_pixels(picture: np.ndarray) -> int:
    """Count pixels of the mask's colour."""
    return int((picture.min(axis=2) > 190).sum())


@pytest.mark.parametrize("yaw", [-10, -20])
def test_a_mask_in_one_of_two_photos_is_not_drawn(masked: References, model: HeadModel, yaw: float):
    target = paint(model, geometry(yaw, SIZE, seed=0))
    assert mask_pixels(warp_picture(replace(masked, covered=None), target)[0]) > 50
    assert mask_pixels(warp_picture(masked, target)[0]) == 0


def test_nothing_covered_changes_nothing(masked: References, model: HeadModel):
    target = paint(model, geometry(0, SIZE, seed=0))
    nowhere = np.zeros_like(masked.covered)
    without, with_zeros = (warp_picture(replace(masked, covered=each), target)[0] for each in (None, nowhere))
    np.testing.assert_array_equal(without, with_zeros)
