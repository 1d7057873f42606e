"""A picture that is transparent in part, redrawn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hifi_portrait.faces.image import load_with_alpha
from hifi_portrait.pipeline.scene import Scene

PICTURE = Path(__file__).parents[1] / "pictures" / "person_a_1.jpg"


@pytest.fixture
def transparent(tmp_path: Path) -> Path:
    picture = Image.open(PICTURE).convert("RGBA")
    alpha = np.full(picture.size[::-1], 255, np.uint8)
    alpha[:, :60] = 0
    alpha[:, 60:70] = 100
    picture.putalpha(Image.fromarray(alpha))
    picture.save(tmp_path / "a.png")
    return tmp_path / "a.png"


def test_transparency_and_what_lies_under_it_are_kept(transparent: Path):
    scene = Scene.from_photo(transparent)
    redrawn = scene.paste(scene.crop(256), np.zeros((256, 256), np.float32))
    np.testing.assert_array_equal(redrawn, np.asarray(Image.open(transparent)))


@pytest.mark.parametrize("mode", ["LA", "P", "PA"])
def test_other_kinds_of_transparency_are_read(transparent: Path, tmp_path: Path, mode: str):
    picture = Image.open(transparent)
    other = picture.quantize(64) if mode.startswith("P") else picture.convert(mode)
    _, alpha = load_with_alpha(other)
    assert alpha is not None
    assert (alpha[:, :50] == 0).all() and (alpha[:, 100:] == 255).all()


def test_an_opaque_picture_has_no_alpha():
    assert load_with_alpha(PICTURE)[1] is None
    assert load_with_alpha(Image.open(PICTURE).convert("RGBA"))[1] is None
