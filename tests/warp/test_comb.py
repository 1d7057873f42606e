"""Hair is combed along its strands."""

import numpy as np
import pytest

from hifi_portrait.warp.hair.comb import comb

SIDE = 96
LENGTH = 6.0


@pytest.fixture
def detail():
    return np.random.default_rng(0).normal(0, 0.2, (SIDE, SIDE, 3)).astype(np.float32)


@pytest.fixture
def about():
    """A crown above the picture: strands run down, and a little apart."""
    rows, columns = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32)
    return np.stack([columns - SIDE / 2, rows + 4 * SIDE], axis=-1) / 1000


EVERYWHERE = np.ones((SIDE, SIDE), np.bool_)


def roughness(values, axis):
    return float(np.abs(np.diff(values, axis=axis))[20:-20, 20:-20].mean())


def test_detail_runs_along_strands_and_keeps_its_contrast(detail, about):
    combed = comb(detail, about, EVERYWHERE, LENGTH, most_gain=10)
    assert roughness(combed, 0) < 0.4 * roughness(combed, 1)
    assert combed.std() == pytest.approx(detail.std(), rel=0.02)


def test_smoothing_is_as_wide_as_asked_for(about):
    point = np.zeros((SIDE, SIDE, 3), np.float32)
    point[SIDE // 2, SIDE // 2] = 1
    combed = comb(point, about, EVERYWHERE, LENGTH, most_gain=1)[..., 0]
    along, across = combed.sum(axis=1), combed.sum(axis=0)
    places = np.arange(SIDE) - SIDE // 2
    assert np.sqrt((along * places**2).sum() / along.sum()) == pytest.approx(LENGTH, rel=0.1)
    assert np.sqrt((across * places**2).sum() / across.sum()) < 1.5


def test_nothing_comes_in_from_where_there_is_no_hair(detail, about):
    where = EVERYWHERE.copy()
    where[: SIDE // 2] = False
    elsewhere = detail.copy()
    elsewhere[: SIDE // 2] = 100
    combed = comb(elsewhere, about, where, LENGTH, most_gain=1)
    assert np.array_equal(combed, comb(detail, about, where, LENGTH, most_gain=1))
    assert not combed[: SIDE // 2].any()


def test_contrast_is_raised_no_more_than_allowed(detail, about):
    plain = comb(detail, about, EVERYWHERE, LENGTH, most_gain=1)
    assert comb(detail, about, EVERYWHERE, LENGTH, most_gain=1.5) == pytest.approx(1.5 * plain)


def test_curls_are_not_combed(detail, about):
    assert np.array_equal(comb(detail, about, EVERYWHERE, 0.0, most_gain=2), detail)
