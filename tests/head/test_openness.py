"""How much light from all around reaches the surface of the mean head."""

import numpy as np

from hifi_portrait.head.mesh import Part
from hifi_portrait.head.model import part_vertices
from hifi_portrait.head.openness import openness


def test_hollows_of_ears_are_darker_than_their_rims(model):
    light = openness(model)
    mean = model.mean[: model.num_vertices]
    skin = part_vertices(model, Part.SKIN)
    for side in (-1, 1):
        ear = skin[side * mean[skin, 0] > 0.85 * np.abs(mean[skin, 0]).max()]
        assert light[ear].min() < 0.45
        outermost = ear[np.argsort(-side * mean[ear, 0])[:20]]
        assert light[outermost].mean() > 0.85


def test_a_nose_is_open_and_the_mouths_inside_is_not(model):
    light = openness(model)
    assert light.shape == (model.num_vertices,)
    assert light.min() >= 0
    assert light.max() <= 1
    mean = model.mean[: model.num_vertices]
    skin = part_vertices(model, Part.SKIN)
    nose = skin[mean[skin, 1].argmin()]  # the foremost
    assert light[nose] > 0.95
    assert light[part_vertices(model, Part.UPPER_TEETH)].mean() < 0.5


def test_both_sides_get_the_same_light(model):
    light, mean = openness(model), model.mean[: model.num_vertices]
    skin = part_vertices(model, Part.SKIN)
    left, right = (light[skin[side * mean[skin, 0] > 0.05]] for side in (1, -1))
    assert abs(left.mean() - right.mean()) < 0.01
