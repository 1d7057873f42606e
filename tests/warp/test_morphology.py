import cv2
import numpy as np
import pytest

from hifi_portrait.warp.image.morphology import disc, distance_to, square


@pytest.mark.parametrize("element", [disc, square])
@pytest.mark.parametrize("size", [0.4, 6, 6.4, 8, 10, 11])
def test_closing_and_opening_leave_a_large_square_where_it_is(element, size):
    """An element without a middle would move it to the right and down by a pixel."""
    shape = element(size)
    assert abs(len(shape) - size) <= 1 and len(shape) % 2 == 1
    assert np.array_equal(shape, shape[::-1, ::-1])
    mask = np.zeros((64, 64), np.uint8)
    mask[20:44, 20:44] = 1
    closed = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, shape)
    assert np.array_equal(closed, mask)
    opened = cv2.morphologyEx(mask, cv2.MORPH_OPEN, square(size))
    assert np.array_equal(opened, mask)


def test_distances_are_those_to_the_nearest_place_of_a_mask():
    mask = np.zeros((9, 9), bool)
    mask[4, 2] = True
    away = distance_to(mask)
    assert away[4, 2] == 0 and away[4, 7] == pytest.approx(5, abs=0.1)
    assert np.isinf(distance_to(np.zeros((4, 4), bool))).all()
