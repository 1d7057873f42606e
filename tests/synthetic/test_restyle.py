from dataclasses import replace

import numpy as np
import pytest

from hifi_portrait.synthetic import Person, PhotoSetup, photograph
from hifi_portrait.synthetic.caption import caption
from hifi_portrait.synthetic.photograph import describe
from hifi_portrait.synthetic.restyle import restyle

CHANGEABLE = ("hair_colour", "glasses", "clothing_colour", "background_colour")


def sitting_of(person, seed, photos=4):
    drawn = [PhotoSetup.sample(100 * seed + k) for k in range(photos)]
    together = [photo.beside(drawn[0]) for photo in drawn]
    return restyle(person, together, np.random.default_rng(seed))


@pytest.fixture(scope="module")
def sittings():
    people = [Person.sample(seed) for seed in range(40)]
    return [(person, sitting_of(person, seed)) for seed, person in enumerate(people)]


def test_only_what_is_named_changes_within_a_sitting(sittings):
    for person, photos in sittings:
        looks = [describe(person, photo) for photo in photos]
        for name in CHANGEABLE:
            if name not in photos[0].named:
                assert len({look[name] for look in looks}) == 1
        for name in ("clothing", "background", "light", "hair_style", "beard", "sitting"):
            assert len({look[name] for look in looks}) == 1


def test_every_attribute_changes_in_some_sitting(sittings):
    changed = {
        name
        for person, photos in sittings
        for name in CHANGEABLE
        if len({describe(person, photo)[name] for photo in photos}) > 1
    }
    assert changed == set(CHANGEABLE)


def test_no_picture_hides_a_colour(sittings):
    assert {photo.style for _, photos in sittings for photo in photos} == {"photo"}


def test_captions_say_what_changes(sittings):
    for person, photos in sittings:
        for photo in photos:
            truth = describe(person, photo)
            said = caption(truth, np.random.default_rng(photo.seed), named=photo.named)
            for name in photo.named:
                if name == "glasses":
                    assert ("no glasses" in said) == (truth["glasses"] == "none")
                else:
                    assert truth[name] in said


def test_a_bald_head_keeps_its_colour():
    person = next(p for p in map(Person.sample, range(200)) if p.hair.style == "bald")
    assert all("hair_colour" not in photo.named for seed in range(30) for photo in sitting_of(person, seed))


def test_dye_shows_in_the_picture_and_in_its_truth():
    person = next(p for p in map(Person.sample, range(200)) if p.hair.style == "long")
    plain = PhotoSetup.sample(3, style="photo", yaw=0.0, light="window light")
    dyed = replace(plain, hair_dye=("light blond", (0.5, 0.36, 0.19)))
    before, after = photograph(person, plain, 64), photograph(person, dyed, 64)
    assert after.truth.attributes["hair_colour"] == "light blond"
    changed = np.abs(after.image.astype(int) - before.image).max(-1) > 20
    assert 0.02 < changed.mean() < 0.6
    assert np.array_equal(before.truth.matte, after.truth.matte)


def test_a_share_out_of_range_is_refused(tmp_path):
    from hifi_portrait.synthetic import write_people

    with pytest.raises(ValueError, match="restyled must be from 0 to 1, not 2"):
        write_people(tmp_path, 1, restyled=2)
