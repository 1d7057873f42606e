import numpy as np

from hifi_portrait.warp.clothing.split import split_hair_and_clothes
from hifi_portrait.warp.image.colour import weighted_lab
from hifi_portrait.warp.settings import WarpSettings

SETTINGS = WarpSettings()

SIDE = 96
HAIR, RED, SKIN = (40, 25, 15), (200, 30, 40), (210, 160, 130)


def photo():
    """A head with hair at its sides, which hangs over one shoulder, and a body with a high collar."""
    head, body, loose = np.zeros((3, SIDE, SIDE), bool)
    head[20:60, 34:62] = True
    body[60:96, 20:76] = True
    loose[20:66, 26:34] = loose[20:50, 62:70] = True
    loose[54:60, 62:70] = loose[56:60, 20:26] = True
    crop = np.full((SIDE, SIDE, 3), 255, np.uint8)
    crop[head], crop[body], crop[loose] = SKIN, RED, HAIR
    crop[54:60, 62:70] = crop[56:60, 20:26] = RED
    return loose & ~body, crop, head, body


def test_collars_are_clothes_and_hanging_hair_is_not():
    loose, crop, head, body = photo()
    hair, clothes = split_hair_and_clothes(
        loose.astype(np.float32), weighted_lab(crop, SETTINGS.colour), head, body, SETTINGS
    )
    assert clothes[55:59, 64:69].min() == 1 and clothes[57:59, 21:25].min() == 1
    assert not clothes[20:53].any() and not clothes[50:58, 28:33].any()
    np.testing.assert_array_equal(hair + clothes, loose)


def test_a_cheek_beside_the_mesh_is_neither():
    loose, crop, head, body = photo()
    loose[48:56, 62:65] = True
    loose[48:56, 65:70] = False
    crop[48:56, 62:65] = SKIN
    hair, clothes = split_hair_and_clothes(
        loose.astype(np.float32), weighted_lab(crop, SETTINGS.colour), head, body, SETTINGS
    )
    assert not hair[50:55, 62:65].any() and not clothes[50:55, 62:65].any()


def test_a_neck_beside_the_mesh_goes_with_the_shoulders():
    loose, crop, head, body = photo()
    body[56:60, 36:60] = True
    loose[57:60, 60:62] = True
    crop[57:60, 60:62] = SKIN
    hair, clothes = split_hair_and_clothes(
        loose.astype(np.float32), weighted_lab(crop, SETTINGS.colour), head, body, SETTINGS
    )
    assert clothes[58, 61] == 1 and hair[58, 61] == 0


def test_the_bald_wear_clothes_too():
    loose, crop, head, body = photo()
    loose[:54] = False
    _, clothes = split_hair_and_clothes(
        loose.astype(np.float32), weighted_lab(crop, SETTINGS.colour), head, body, SETTINGS
    )
    assert clothes[57:59, 21:25].min() == 1


def test_a_photo_without_a_body_has_no_clothes():
    loose, crop, head, body = photo()
    _, clothes = split_hair_and_clothes(
        loose.astype(np.float32), weighted_lab(crop, SETTINGS.colour), head, np.zeros_like(body), SETTINGS
    )
    assert not clothes.any()
