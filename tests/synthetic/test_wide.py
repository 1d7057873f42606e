from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from hifi_portrait.dataset.format import IDDataset
from hifi_portrait.errors import DatasetError
from hifi_portrait.scenery.environment import Environment, directions, load_environments
from hifi_portrait.scenery.walls import WALLS
from hifi_portrait.synthetic import Person, PhotoSetup, photograph, write_people
from hifi_portrait.synthetic.body_mesh import body_mesh
from hifi_portrait.synthetic.headwear import HEADWEAR
from hifi_portrait.synthetic.outfits import OUTFITS
from hifi_portrait.synthetic.photograph import Photograph
from hifi_portrait.synthetic.wide import STYLES, Wide, draw_wide
from hifi_portrait.synthetic.wide_caption import wide_caption
from hifi_portrait.synthetic.write import plan_photos

PLAIN = {"yaw": 0, "pitch": 0, "roll": 0, "expression": "neutral", "style": "photo", "gaze": (0.0, 0.0)}


def forest() -> Environment:
    radiance = (1.2 + directions(64)[..., 2:]) * np.array((0.5, 1.0, 0.4))
    return Environment.from_radiance("pmndrs_forest", radiance)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("environments")
    cv2.imwrite(str(path / "pmndrs_forest.hdr"), forest().radiance[..., ::-1])
    return path


def bald_man(beard: str = "none") -> Person:
    """A person whose hair changes nothing."""
    person = next(p for p in map(Person.sample, range(99)) if p.gender == "man" and p.hair.style == "bald")
    return replace(person, beard=beard)


def take(wide: Wide, person: Person | None = None, size: int = 64, **changes: object) -> Photograph:
    values = {"clothing": "t-shirt", "background": "plain", "light": "soft studio light", **PLAIN, **changes}
    return photograph(person or bald_man(), PhotoSetup.sample(5, wide=wide, **values), size)


def test_equal_seeds_give_equal_plans_and_pictures(folder: Path):
    pictures = []
    for _ in range(2):
        load_environments.cache_clear()
        person, plan = plan_photos(12, 2, variety="world", environments=folder)
        pictures.append([photograph(person, photo, 64) for photo in plan])
    for a, b in zip(*pictures, strict=True):
        assert np.array_equal(a.image, b.image)
        assert a.truth.caption == b.truth.caption and a.truth.attributes == b.truth.attributes


def test_photos_vary_in_all_that_is_promised(folder: Path):
    seen: dict[str, set[str]] = {}
    places = load_environments(folder)
    for seed in range(400):
        person = Person.sample(seed % 20, balanced=True)
        values = draw_wide(person, places, np.random.default_rng(seed))
        wide = values["wide"]
        for name, value in (
            ("headwear", wide.headwear),
            ("style", values["style"]),
            ("clothing", values["clothing"]),
            ("background", values["background"]),
        ):
            seen.setdefault(name, set()).add(value)
    assert seen["headwear"] == {"none", *HEADWEAR}
    assert seen["style"] == set(STYLES)
    assert seen["clothing"] == set(OUTFITS)
    assert seen["background"] >= {"place", "plain", *WALLS}


@pytest.mark.parametrize("style", STYLES)
def test_style_changes_the_picture_and_not_the_truth(style: str):
    plain, styled = take(Wide()), take(Wide(), style=style)
    assert np.array_equal(plain.truth.vertices, styled.truth.vertices)
    assert np.array_equal(plain.truth.visibility, styled.truth.visibility)
    assert np.array_equal(plain.truth.matte, styled.truth.matte)
    assert np.array_equal(plain.image, styled.image) == (style == "photo")
    # A style is a style of this very picture: light and dark stay where they are.
    grey = [photo.image.mean(-1).ravel() for photo in (plain, styled)]
    assert np.corrcoef(*grey)[0, 1] > 0.3


@pytest.mark.parametrize("kind", HEADWEAR)
def test_headwear_covers_the_crown_in_its_colour_and_leaves_the_face_free(kind: str):
    red = (0.5, 0.02, 0.02)
    bare = take(Wide(), clothing="hoodie", clothing_rgb=red)
    worn = take(
        Wide(headwear=kind, headwear_colour="red", headwear_rgb=red, ribbon_rgb=red),
        clothing="hoodie",
        clothing_rgb=red,
    )
    points, seen = bare.truth.landmarks, bare.truth.visibility > 0.25
    template = body_mesh().template[: body_mesh().num_vertices]
    crown = seen & (template[:, 2] > 0.112)
    column, row = points[crown].astype(int).T
    red_excess = worn.image[row, column, 0].astype(int) - worn.image[row, column, 1:].max(-1).astype(int)
    assert np.median(red_excess) > 60
    hidden = bare.truth.visibility - worn.truth.visibility
    assert hidden[crown].mean() > 0.25
    middle = seen & (np.abs(template[:, 0]) < 0.04) & (np.abs(template[:, 2]) < 0.05)
    assert np.abs(hidden[middle]).mean() < 0.02
    assert np.array_equal(bare.truth.vertices, worn.truth.vertices)


def test_night_is_dark():
    day = take(Wide(environment=forest()), background="place")
    dark = Environment.from_radiance("pmndrs_night", forest().radiance)
    night = take(Wide(environment=dark), background="place")
    assert night.image[:8, :8].mean() < 0.7 * day.image[:8, :8].mean()
    face = (slice(28, 40), slice(28, 36))
    assert night.image[face].mean() == pytest.approx(day.image[face].mean(), abs=3)


def test_a_beard_may_be_other_than_the_persons_own():
    person = bald_man("none")
    bare, bearded = take(Wide(), person), take(Wide(beard="full beard"), person)
    assert bearded.truth.attributes["beard"] == "full beard"
    assert "clean" not in bearded.truth.caption and "no beard" not in bearded.truth.caption
    assert not np.array_equal(bare.image, bearded.image)
    own = take(Wide(), replace(person, beard="full beard"))
    assert np.array_equal(own.image, bearded.image)


def test_a_place_lights_the_face_and_lies_behind_it():
    place = replace(Wide(), environment=forest())
    photo = take(place, background="place")
    corner = photo.image[:8, :8].reshape(-1, 3).mean(0)
    assert corner[1] > corner[0] and corner[1] > corner[2]
    assert photo.truth.attributes["place"] == "forest" and photo.truth.attributes["background"] == "place"


def test_patterns_show_their_second_colour():
    white, blue = (0.8, 0.8, 0.8), (0.02, 0.05, 0.5)
    plain = take(Wide(second_rgb=blue), clothing_rgb=white)
    for pattern in ("striped", "checked", "dotted"):
        woven = take(Wide(pattern=pattern, second_colour="blue", second_rgb=blue), clothing_rgb=white)
        changed = np.abs(woven.image.astype(int) - plain.image).sum(-1) > 90
        assert changed[40:].mean() > 0.01 and changed[:32].mean() == 0


def test_a_jacket_shows_shirt_and_tie():
    red = {"tie_colour": "red", "tie_rgb": (0.6, 0.01, 0.01)}
    without = take(Wide(), clothing="suit", clothing_rgb=(0.02, 0.02, 0.05))
    suited = take(Wide(**red), clothing="suit and tie", clothing_rgb=(0.02, 0.02, 0.05))
    tie = suited.image[52:, 28:36].astype(int)
    assert (tie[..., 0] - tie[..., 1:].max(-1) > 60).any()
    bare = without.image[52:, 28:36].astype(int)
    assert not (bare[..., 0] - bare[..., 1:].max(-1) > 60).any()


def said(attributes: dict[str, object], named: tuple[str, ...]) -> str:
    return wide_caption(attributes, np.random.default_rng(0), named=named)


def test_captions_name_what_is_drawn_when_they_must():
    named = ("headwear", "beard", "glasses", "clothing", "scene", "hair_colour", "style")
    wide = Wide(
        environment=forest(),
        headwear="beanie",
        headwear_colour="red",
        pattern="striped",
        second_colour="white",
    )
    person = bald_man("goatee")
    photo = PhotoSetup.sample(
        5,
        **{**PLAIN, "style": "oil painting"},
        wide=wide,
        clothing="sweater",
        clothing_colour="navy",
        background="place",
        frame="round",
        wears_glasses=True,
        sunglasses=False,
        named=named,
    )
    attributes = photograph(person, photo, 32).truth.attributes
    for seed in range(20):
        text = wide_caption(attributes, np.random.default_rng(seed), named=named)
        assert text.startswith(("an oil painting of", "an oil portrait of"))
        assert "goatee" in text and "glasses" in text and "red" in text and "beanie" in text
        assert "navy" in text and "white" in text and "sweater" in text
        assert "in a forest" in text or "in the woods" in text
        assert "bald head" in text


def test_a_headscarf_hides_the_hair_from_picture_and_caption():
    person = next(p for p in map(Person.sample, range(99)) if p.hair.style == "long")
    scarf = take(Wide(headwear="headscarf", headwear_colour="blue", headwear_rgb=(0, 0, 0.5)), person)
    assert scarf.truth.attributes["hair_style"] == "covered" and scarf.truth.attributes["hair_colour"] == ""
    text = said(scarf.truth.attributes, ("hair_colour", "headwear"))
    assert "hair" not in text and ("blue headscarf" in text or "blue hijab" in text)


def test_skin_tones_are_spread_evenly():
    melanin = np.array([Person.sample(seed, balanced=True).skin.melanin for seed in range(200)])
    counts, _ = np.histogram(melanin, bins=[0, 1.5, 3, 4.5, 6.01])
    assert counts.min() > 0.6 * counts.max()


def test_a_world_data_set_holds_places_and_is_resumed_to_the_same(folder: Path, tmp_path: Path):
    options = {"photos": 2, "size": 32, "per_sitting": 2, "restyled": 1.0, "variety": "world"}
    options["environments"] = folder
    path = write_people(tmp_path / "a", 3, progress=lambda done: None, **options)
    rows = list(IDDataset(path))
    assert {row.attributes["variety"] for row in rows} == {"world"}
    assert all(row.attributes["named"] for row in rows)
    write_people(tmp_path / "b", 2, progress=lambda done: None, **options)
    again = list(IDDataset(write_people(tmp_path / "b", 3, progress=lambda done: None, **options)))
    assert [(r.identity_id, r.caption) for r in rows] == [(r.identity_id, r.caption) for r in again]
    assert all(np.array_equal(a.pixels(), b.pixels()) for a, b in zip(rows, again, strict=True))


def test_bad_requests_are_refused(tmp_path: Path):
    with pytest.raises(ValueError, match="unknown variety"):
        write_people(tmp_path, 1, variety="moon")
    with pytest.raises(ValueError, match="world"):
        write_people(tmp_path, 1, environments=tmp_path)
    with pytest.raises(DatasetError, match="no folder"):
        write_people(tmp_path, 1, variety="world", environments=tmp_path / "nowhere")
    with pytest.raises(ValueError, match="unknown picture style"):
        PhotoSetup.sample(1, style="fresco")
