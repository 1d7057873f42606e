"""Values carried on from where they are known."""

from __future__ import annotations

import numpy as np
import pytest

from hifi_portrait.faces.pull_push import inpaint


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_what_is_known_stays_and_goes_on(rng: np.random.Generator, channels: int) -> None:
    values = rng.uniform(size=(37, 20, channels)).astype(np.float32)
    known = np.zeros((37, 20), np.float32)
    known[5:30, 4:12] = 1
    filled = inpaint(values, known)
    assert filled.shape == values.shape
    np.testing.assert_array_equal(filled[known > 0], values[known > 0])
    inside = values[known > 0]
    assert (filled >= inside.min(axis=0) - 1e-5).all() and (filled <= inside.max(axis=0) + 1e-5).all()


def test_a_gap_between_two_values_goes_from_one_to_the_other() -> None:
    values = np.zeros((8, 32, 1), np.float32)
    values[:, 24:] = 1
    known = np.ones((8, 32), np.float32)
    known[:, 8:24] = 0
    row = inpaint(values, known)[4, :, 0]
    assert (np.diff(row) > -0.05).all() and 0.2 < row[15] < 0.8
