"""What is behind the person: words, colours and pictures, and how one replaces another."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import pytest
from PIL import Image

from hifi_portrait import Background, Target
from hifi_portrait.errors import ImageError, TargetError
from hifi_portrait.scenery.backdrop import Backdrop
from hifi_portrait.scenery.studio import LightOnPerson
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


@pytest.mark.parametrize("given", [None, 5, (1, 2, 3)])
def test_what_is_no_background_is_told_what_one_is(given):
    with pytest.raises(TargetError, match="must be words, a colour such as 'teal'"):
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
@pytest.mark.parametrize("asked", [{"background": "teal"}, {"light": "window light"}])
def test_where_neither_background_nor_light_can_be_replaced_they_are_refused(
    pipe, sitter, arguments, message, asked
):
    with pytest.raises(ValueError, match=f"`{next(iter(asked))}` must be 'photo'.*{message}"):
        draw(pipe, sitter, **asked, **arguments)


def test_a_light_falls_on_person_and_background(pipe, sitter):
    settings = FROM_THE_WARP | {"output_type": "np"}
    plain, dark = (draw(pipe, sitter, light=light, **settings)[0] for light in ("photo", "low-key light"))
    assert dark.mean() < 0.85 * plain.mean()
    assert dark[:3].mean() < 0.85 * plain[:3].mean()
    assert np.array_equal(
        dark[None], draw(pipe, sitter, prompt="dramatic lighting", prompt_scale=0, **settings)
    )
    warm = sitter.warp(Target(), 64, light="evening light").astype(int)
    own = sitter.warp(Target(), 64).astype(int)
    assert (warm[..., 0] - warm[..., 2]).mean() > (own[..., 0] - own[..., 2]).mean() + 3
    with pytest.raises(ValueError, match="`light` must be one of"):
        sitter.warp(Target(), 64, light="candle")


def test_several_people_keep_their_background(pipe, sitter):
    with pytest.raises(ValueError, match="`background` must be 'photo' for several people"):
        pipe([sitter, sitter], [Target(), Target()], background="teal", **FROM_THE_WARP)


def test_a_place_gives_background_and_light(sitter):
    own, placed = (sitter.warp(Target(), 128, background=each) for each in ("photo", "sunset"))
    cutout = sitter.warp(Target(), 128, background="transparent")
    away, inside = cutout[..., 3] == 0, cutout[..., 3] == 255
    painted = Backdrop.named("sunset").paint(128, 128)
    assert np.abs(placed[away] - painted[away]).max() <= 1
    assert np.abs(placed[inside].astype(int) - own[inside]).mean() > 2


def test_a_panorama_of_the_users_own_is_a_place(sitter, tmp_path):
    radiance = np.full((16, 32, 3), 0.2, np.float32)
    radiance[:8] = (2.0, 0.6, 0.2)  # blue above, in OpenCV's order of channels
    cv2.imwrite(str(tmp_path / "sky.hdr"), radiance)
    background = Background.of(tmp_path / "sky.hdr")
    assert background.light is not None
    above, below = sitter.warp(Target(), 128, background=background)[[0, -1], 2].astype(int)
    assert above[2] > above[0] + 20 and abs(below[2] - below[0]) < 20
    (tmp_path / "none.exr").write_text("nothing")
    with pytest.raises(ImageError, match=r"none\.exr cannot be used"):
        Background.of(tmp_path / "none.exr")


def test_a_prompt_puts_the_person_into_a_place(pipe, sitter):
    settings = FROM_THE_WARP | {"output_type": "np"}
    asked = draw(pipe, sitter, prompt="a man in a park", **settings)
    assert np.array_equal(asked, draw(pipe, sitter, prompt="a man in a park", background="park", **settings))
    own = draw(pipe, sitter, prompt="a man in a park", background="teal", **settings)
    assert np.allclose(own[0, :3], np.array([0, 128, 128]) / 255, atol=0.01)


def test_prompts_of_one_call_may_name_different_places(pipe, sitter):
    settings = FROM_THE_WARP | {"output_type": "np"}
    prompts = ["a man, green background", "a man", "a man, pencil sketch"]
    together = draw(pipe, sitter, prompt=prompts, **settings)
    assert together[0, :3].mean((0, 1)).argmax() == 1
    assert together[1, :3].mean((0, 1)).argmax() == 0  # the photos' own red wall
    assert np.ptp(together[2], axis=-1).max() < 0.03


def test_a_style_is_that_of_the_whole_picture(pipe, sitter):
    settings = FROM_THE_WARP
    grey = np.asarray(draw(pipe, sitter, style="black and white photo", output_type="pil", **settings)[0])
    assert (np.ptp(grey.astype(int), axis=-1) == 0).all()
    named = np.asarray(draw(pipe, sitter, prompt="a black and white photo", output_type="pil", **settings)[0])
    assert (np.ptp(named.astype(int), axis=-1) == 0).all()
    alpha = draw(pipe, sitter, style="sepia photo", background="transparent", output_type="pil", **settings)[
        0
    ]
    assert alpha.mode == "RGBA" and np.asarray(alpha)[..., 3].min() == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"style": "cubist"}, "must be one of 'photo', "),
        ({"style": "comic", "output_type": "latent"}, "latent"),
    ],
)
def test_styles_that_cannot_be_are_refused(pipe, sitter, arguments, message):
    with pytest.raises(ValueError, match=f"`style`.*{message}"):
        draw(pipe, sitter, **arguments, **FROM_THE_WARP)


def test_a_model_whose_prompt_scale_is_0_draws_once_without_the_words(pipe, sitter, monkeypatch):
    drawn = []
    monkeypatch.setattr(pipe, "encode_prompt", _listen(pipe.encode_prompt, drawn))
    settings = FROM_THE_WARP | {"output_type": "np"}
    plain = draw(pipe, sitter, prompt="a man", **settings)
    asked = draw(pipe, sitter, prompt="a man with a beard", prompt_scale=0, **settings)
    assert drawn == ["a man", "a photo of a man"]
    assert np.abs(plain - asked).max() < 0.05


def _listen(encode, heard):
    def encode_prompt(prompt, *args, **kwargs):
        heard.append(prompt if isinstance(prompt, str) else prompt[0])
        return encode(prompt, *args, **kwargs)

    return encode_prompt


def test_embeddings_are_drawn_without_a_prompt_scale(pipe, sitter):
    prompt, _, pooled, _ = pipe.encode_prompt("a beard", do_classifier_free_guidance=False)
    settings = FROM_THE_WARP | {"prompt_embeds": prompt, "pooled_prompt_embeds": pooled, "prompt": None}
    assert np.isfinite(draw(pipe, sitter, prompt_scale=0, **settings)).all()


def test_a_folder_with_a_places_name_is_not_read(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "park").mkdir()
    assert Background.of("park").backdrop is not None


def test_single_hairs_outside_the_alpha_stay_in_another_light():
    picture = np.full((8, 8, 3), 200, np.float32)
    picture[4] = 120  # a hair that no matte holds
    light = LightOnPerson(np.ones((8, 8, 3), np.float32), np.full(3, 0.5, np.float32))
    lit = Background.of("photo").replace_in(
        picture, np.zeros((8, 8), np.float32), np.full_like(picture, 200), light
    )
    assert lit[0].mean() < 160
    assert lit[4].mean() < lit[0].mean() - 30


def test_no_prompt_is_an_empty_one(pipe, sitter):
    assert np.array_equal(
        draw(pipe, sitter, prompt=None, **FROM_THE_WARP), draw(pipe, sitter, prompt="", **FROM_THE_WARP)
    )
