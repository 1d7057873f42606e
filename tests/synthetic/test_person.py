import numpy as np
import pytest

from hifi_portrait.head import EXPRESSION_NAMES
from hifi_portrait.synthetic import Person, PhotoSetup
from hifi_portrait.synthetic.expressions import KINDS, sample_expression


def test_equal_seeds_give_equal_people():
    first, second = Person.sample(11), Person.sample(11)
    assert first.hair == second.hair
    assert np.array_equal(first.shape.local, second.shape.local)


def test_people_differ_by_seed():
    assert len({Person.sample(seed).skin.melanin for seed in range(20)}) == 20


def test_only_men_have_beards():
    assert all(person.beard == "none" for person in map(Person.sample, range(60)) if person.gender == "woman")


def test_equal_seeds_give_equal_photos():
    first, second = PhotoSetup.sample(5), PhotoSetup.sample(5)
    assert first.pose == second.pose
    assert np.array_equal(first.expression, second.expression)


def test_a_wished_yaw_leaves_the_rest_of_the_photo_as_drawn():
    drawn, turned = PhotoSetup.sample(5), PhotoSetup.sample(5, yaw=30.0)
    assert turned.pose.yaw == 30.0
    assert turned.pose.pitch == drawn.pose.pitch
    assert turned.clothing_rgb == drawn.clothing_rgb


def test_yaw_stays_within_45_degrees():
    assert max(abs(PhotoSetup.sample(seed).pose.yaw) for seed in range(300)) <= 45


@pytest.mark.parametrize("kind", KINDS)
def test_coefficients_are_shares(kind: str):
    values = sample_expression(np.random.default_rng(0), kind, EXPRESSION_NAMES)
    assert values.shape == (52,)
    assert values.min() >= 0 and values.max() <= 1


def test_eyes_are_open_unless_the_expression_closes_them():
    blink = [EXPRESSION_NAMES.index(f"eyeBlink{side}") for side in ("Left", "Right")]
    for seed in range(100):
        photo = PhotoSetup.sample(seed)
        if photo.kind not in ("wink", "eyes closed"):
            assert photo.expression[blink].max() < 0.2


def test_an_unknown_expression_is_refused_by_name():
    with pytest.raises(ValueError, match="grin"):
        PhotoSetup.sample(0, expression="grin")


def test_an_unknown_style_is_refused_by_name():
    with pytest.raises(ValueError, match="oil"):
        PhotoSetup.sample(0, style="oil")


def test_photos_of_a_sitting_share_what_a_sitting_fixes_and_nothing_else():
    first, second = PhotoSetup.sample(5), PhotoSetup.sample(6)
    beside = second.beside(first)
    assert (beside.light, beside.background_rgb, beside.clothing) == (
        first.light,
        first.background_rgb,
        first.clothing,
    )
    assert (beside.style, beside.sitting) == (first.style, first.sitting) == (first.style, 5)
    assert (beside.pose, beside.kind, beside.seed) == (second.pose, second.kind, second.seed)
