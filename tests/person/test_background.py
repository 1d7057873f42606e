"""What is behind the person: words, colours and pictures, and how one replaces another."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from PIL import Image

from hifi_portrait import Background, Target
from hifi_portrait.errors import ImageError, TargetError
from painted_heads import person
from tiny_pipelines import an_identity, draw

FROM_THE_WARP = {"warp_strength": 0.5, "num_inference_steps": 2}


@pytest.fixture(scope="module")
def sitter():
    """A painted person before a dark red wall."""
    photos = person((0.0,), 128)
    crops = np.array(photos.crops)
    crops[np.asarray(photos.mattes) < 0.5] = (90, 20, 20)
    names = ("mattes", "landmarks", "geometries", "embeddings", "quality")
    painted = {name: getattr(photos, name) for name in names}
    return dataclasses.replace(an_identity(), crops=crops, sources=("a.jpg",), **painted)


@pytest.mark.parametrize(
    ("given", "colour"),
    [
        ("teal", (0, 128, 128)),
        ("#204060", (32, 64, 96)),
        (" White ", (255, 255, 255)),
        ("rgb(1, 2, 3)", (1, 2, 3)),
    ],
)
def test_a_colour_is_written_as_in_css(given, colour):
    assert Background.of(given).colour == colour


@pytest.mark.parametrize("given", ["photo", "Transparent", "blur"])
def test_words_have_their_meaning_in_any_case(given):
    assert Background.of(given).kind == given.lower()


@pytest.mark.parametrize("given", ["", " ", "reddish", "#12", "rgb(1)"])
def test_what_is_no_word_and_no_file_is_refused_by_name(given):
    with pytest.raises(TargetError, match="is not known: give photo, transparent, blur, a colour"):
        Background.of(given)


def test_a_picture_that_cannot_be_read_is_refused_by_name(tmp_path):
    (tmp_path / "wall.jpg").write_text("no picture")
    with pytest.raises(ImageError, match=r"wall\.jpg"):
        Background.of(tmp_path / "wall.jpg")
    with pytest.raises(ImageError, match=r"garden\.jpg"):
        Background.of("garden.jpg")


def test_a_file_whose_name_is_a_word_is_a_picture(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (64, 64), "blue").save("reddish", "PNG")
    assert Background.of("reddish").picture[0, 0].tolist() == [0, 0, 255]


def test_the_photos_own_background_is_the_default_and_changes_nothing(sitter):
    assert np.array_equal(sitter.warp(Target(), 128), sitter.warp(Target(), 128, background="photo"))


def test_a_colour_replaces_the_background_and_leaves_the_person(sitter):
    own, new = (
        sitter.warp(Target(yaw=10), 128, background=each).astype(int) for each in ("photo", "#20c040")
    )
    alpha = sitter.warp(Target(yaw=10), 128, background="transparent")[..., 3]
    assert (new[alpha == 0] == (32, 192, 64)).all()
    assert np.abs(new - own)[alpha == 255].max() <= 1
    assert 0.2 < (alpha == 0).mean() < 0.8


def test_transparent_pictures_hold_the_persons_own_colours(sitter):
    picture = sitter.warp(Target(), 128, background="transparent")
    assert picture.shape == (128, 128, 4)
    on_wall = Image.new("RGBA", (128, 128), (90, 20, 20, 255))
    on_wall.alpha_composite(Image.fromarray(picture))
    difference = np.abs(np.asarray(on_wall)[..., :3].astype(int) - sitter.warp(Target(), 128))
    assert difference.mean() < 1  # put before the old wall, it is the old picture


def test_a_picture_fills_the_background_without_being_stretched(sitter):
    wall = np.zeros((100, 400, 3), np.uint8)
    wall[:, 150:250] = (0, 0, 255)  # the middle square is what a square picture shows
    new = sitter.warp(Target(), 128, background=wall)
    assert np.abs(new[:6, 4:-4] - np.array([0, 0, 255])).mean() < 2  # beside the square's edges


def test_blur_keeps_the_colours_of_the_background(sitter):
    new = sitter.warp(Target(), 128, background="blur")
    assert new[:6].reshape(-1, 3).mean(axis=0) == pytest.approx((90, 20, 20), abs=8)


def test_a_portrait_has_the_background_too(pipe, sitter):
    drawn = draw(pipe, sitter, background="#20c040", output_type="np", **FROM_THE_WARP)
    assert drawn.shape == (1, 64, 64, 3)
    assert np.allclose(drawn[0, :3], np.array([32, 192, 64]) / 255, atol=0.01)


@pytest.mark.parametrize("upscale", [1, 2])
def test_a_transparent_portrait_has_alpha(pipe, sitter, upscale):
    drawn = draw(pipe, sitter, background="transparent", output_type="pil", upscale=upscale, **FROM_THE_WARP)[
        0
    ]
    assert (drawn.mode, drawn.size) == ("RGBA", (64 * upscale, 64 * upscale))
    alpha = np.asarray(drawn)[..., 3]
    assert alpha.min() == 0
    assert alpha.max() == 255


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"warp_strength": 1.0}, "from noise"),
        ({**FROM_THE_WARP, "output_type": "latent"}, "latent"),
    ],
)
def test_where_no_background_can_be_replaced_it_is_refused(pipe, sitter, arguments, message):
    with pytest.raises(ValueError, match=f"`background` must be 'photo'.*{message}"):
        draw(pipe, sitter, background="teal", **arguments)


def test_several_people_keep_their_background(pipe, sitter):
    with pytest.raises(ValueError, match="`background` must be 'photo' for several people"):
        pipe([sitter, sitter], [Target(), Target()], background="teal", **FROM_THE_WARP)
