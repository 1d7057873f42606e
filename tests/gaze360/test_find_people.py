"""Faces are found over tangent views, once each, wherever the seam is."""

from __future__ import annotations

import numpy as np
import pytest

from hifi_portrait.synthetic import Person, PhotoSetup, photograph
from mmrgaze360 import Panorama, find_people, sphere


@pytest.mark.slow
def test_a_head_at_the_seam_is_found_once(monkeypatch: pytest.MonkeyPatch) -> None:
    setup = PhotoSetup.sample(
        3, expression="neutral", yaw=5, pitch=0, roll=0, style="photo", sunglasses=False
    )
    taken = photograph(Person.sample(5), setup, 256)
    fov = setup.fov
    ahead = Panorama.from_photo(taken.image, fov)
    behind = Panorama(np.roll(ahead.pixels, ahead.width // 2, 1))
    monkeypatch.setattr(find_people, "_VIEWS", ((-180.0, 0.0), (150.0, 0.0)))  # both show it
    monkeypatch.setattr(find_people, "_SIZE", 320)
    (box,) = find_people.find_heads(behind)
    middle = taken.truth.vertices.mean(0)  # of the whole mesh, about the middle of the head
    truth = sphere.rotation_about_vertical(180) @ sphere.unit(taken.truth.vertices.mean(0))
    height = np.degrees(np.arctan(0.28 / np.linalg.norm(middle)))
    found = sphere.lonlat_to_direction(box[0], box[1])
    assert np.degrees(sphere.angle_between(found, truth)) < 0.4 * height
    assert 0.6 * height < box[3] < 1.4 * height
