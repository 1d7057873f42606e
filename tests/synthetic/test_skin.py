from dataclasses import replace

import numpy as np
import pytest

from hifi_portrait.synthetic import Person
from hifi_portrait.synthetic.body_mesh import body_mesh
from hifi_portrait.synthetic.brows import brow_alpha, brow_colour
from hifi_portrait.synthetic.skin import skin_texture
from hifi_portrait.synthetic.skin_regions import (
    beard_region,
    eyelid_region,
    flush_region,
    line_regions,
    lip_regions,
    lower_lash_region,
    scalp_field,
    texel_position,
)

UPPER_LIP = np.array((0.0, -0.14, -0.0235))
CHIN = np.array((0.0, -0.12, -0.075))
CHEEK = np.array((0.058, -0.07, -0.045))
NOSE = np.array((0.0, -0.15, -0.004))
CROWN = np.array((0.0, -0.02, 0.145))
FOREHEAD = np.array((0.0, -0.13, 0.065))
EAR = np.array((0.080, -0.030, 0.020))


@pytest.mark.parametrize(
    ("kind", "lip", "chin", "cheek"),
    [
        ("none", 0, 0, 0),
        ("moustache", 1, 0, 0),
        ("goatee", 1, 1, 0),
        ("full beard", 1, 1, 1),
        ("stubble", 1, 1, 1),
    ],
)
def test_each_beard_covers_its_parts_of_the_face(kind: str, lip: int, chin: int, cheek: int):
    points = np.array((UPPER_LIP, CHIN, CHEEK, NOSE, FOREHEAD))
    np.testing.assert_allclose(beard_region(points, kind), (lip, chin, cheek, 0, 0), atol=0.12)


def test_a_full_beard_leaves_the_lips_free():
    lower_lip = np.array((0.0, -0.14, -0.050))
    assert beard_region(lower_lip, "full beard") < 0.5


def test_the_scalp_is_the_crown_without_forehead_and_ears():
    assert scalp_field(CROWN) > 0.03 and scalp_field(FOREHEAD) < 0 and scalp_field(EAR) < 0


def test_a_receding_hairline_makes_the_scalp_smaller_the_most_at_the_temples():
    temple, middle = np.array((0.042, -0.10, 0.085)), np.array((0.0, -0.10, 0.085))
    lost = [scalp_field(p) - scalp_field(p, 0.01) for p in (temple, middle)]
    assert lost[0] > 2 * lost[1] > 0.019


def where(region: np.ndarray) -> np.ndarray:
    """Mean template point of a region of the texture."""
    return np.array([(region * axis).sum() / region.sum() for axis in texel_position()])


def test_painted_regions_lie_on_their_features():
    lips, seam = lip_regions()
    eye = body_mesh().template[-2]
    assert seam.max() > 0.9 and abs(where(seam)[2] - where(lips)[2]) < 0.006
    assert where(eyelid_region())[2] > eye[2] > where(lower_lash_region())[2]
    assert where(lips)[2] < where(flush_region())[2] < eye[2]
    assert line_regions().max() <= 0.86


def test_age_lines_lipstick_and_melanin_colour_the_skin():
    person = Person.sample(3)
    plain = replace(person, skin=replace(person.skin, lines=0.0, lipstick=None, freckles=0.0, moles=0))
    texture = skin_texture(plain)
    old = skin_texture(replace(plain, skin=replace(plain.skin, lines=1.0)))
    lined = line_regions() > 0.6
    assert (old[lined] < 0.85 * texture[lined]).mean() > 0.9
    red = skin_texture(replace(plain, skin=replace(plain.skin, lipstick=(0.42, 0.03, 0.045))))
    lips, seam = lip_regions()
    inner = (lips > 0.95) & (seam < 0.01)
    assert np.median(red[inner, 1] / texture[inner, 1]) < 0.62
    assert np.array_equal(red[lips == 0], texture[lips == 0])
    dark, fair = (skin_texture(replace(plain, skin=replace(plain.skin, melanin=m))) for m in (6.0, 0.0))
    neck = scalp_field(body_mesh().texel) < -0.06
    assert dark[neck].mean() < 0.25 * fair[neck].mean()


def test_brows_are_as_thick_high_and_dense_as_the_person_has_them():
    person = Person.sample(3)

    def drawn(**traits: float) -> np.ndarray:
        brows = replace(person.brows, **traits)
        return brow_alpha(replace(person, brows=brows), np.random.default_rng(0))

    assert drawn(thickness=0.006).sum() > 1.3 * drawn(thickness=0.004).sum()
    assert where(drawn(height=0.002))[2] - where(drawn(height=0.0))[2] == pytest.approx(0.002, abs=3e-4)
    assert drawn(density=0.5).sum() == pytest.approx(0.5 * drawn(density=1.0).sum(), rel=0.1)
    assert drawn().max() <= 0.96


def test_brows_are_darker_than_blond_hair():
    person = Person.sample(3)
    blond = replace(person, hair=replace(person.hair, colour="blond", rgb=(0.34, 0.205, 0.085)))
    assert (brow_colour(blond) < 0.5 * np.array(blond.hair.rgb)).all()
