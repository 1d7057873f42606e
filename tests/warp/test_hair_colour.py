"""What colour hair has that no photo shows."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from hifi_portrait.faces import FaceLabel
from hifi_portrait.head.arrays import Array
from hifi_portrait.head.mesh import Part
from hifi_portrait.head.model import HeadModel
from hifi_portrait.warp.hair.in_photo import find_hair
from hifi_portrait.warp.references import read_references
from hifi_portrait.warp.settings import WarpSettings
from painted_heads import geometry, paint, person

SIZE = 160
SKIN, STUBBLE, BLACK = (205, 165, 145), (95, 75, 65), (40, 35, 30)


def colour_of_hair(top: tuple[int, int, int], sides: tuple[int, int, int]) -> Array:
    """Find the colour of hair that one frontal photo shows, on top of a head and at its sides."""
    model, settings = HeadModel.load(), WarpSettings()
    bare = person((0.0,), SIZE)
    raster = paint(model, bare.geometries[0]).raster
    mean = model.mean[: model.num_vertices]
    across, _, up = np.moveaxis(raster.interpolate(mean, model.triangles), -1, 0)
    head = raster.mask & (model.parts[raster.triangle] != Part.SHOULDERS)
    hair, aside = head & (up > 0.05), np.abs(across) > 0.055
    crop = np.where(raster.mask[..., None], SKIN, 230)
    crop[hair & ~aside], crop[hair & aside] = top, sides
    labels = np.select([hair, head, raster.mask], [FaceLabel.HAIR, FaceLabel.SKIN, FaceLabel.CLOTHES])
    photo = dataclasses.replace(
        bare, crops=crop[None].astype(np.uint8), label_maps=labels[None].astype(np.uint8)
    )
    sources = read_references(photo, geometry(0.0, SIZE), SIZE, model, settings, bare_eyes=False, look=None)
    colour = find_hair(sources, raster, model, settings).colour
    assert colour is not None
    return colour


def test_the_back_of_a_shaved_head_has_the_colour_of_its_sides() -> None:
    assert colour_of_hair(top=SKIN, sides=STUBBLE) == pytest.approx(np.array(STUBBLE), abs=12)


def test_hair_that_is_darker_than_skin_has_the_colour_of_most_of_it() -> None:
    grey = (110, 90, 80)
    found = colour_of_hair(top=grey, sides=BLACK)
    assert found.mean() > np.mean(BLACK) + 20
