"""Pictures larger than drawn, with the warp's detail."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from hifi_portrait.pipeline.detail import add_detail, reduce_picture


@pytest.fixture(scope="module")
def sharp():
    """A warp (1, 3, 128, 128) of single bright pixels."""
    return 1.2 * torch.rand(1, 3, 128, 128, generator=torch.Generator().manual_seed(0)) - 0.6


@pytest.fixture(scope="module")
def warp(sharp):
    return F.avg_pool2d(sharp, 2)


def enlarged(picture):
    return F.interpolate(picture, scale_factor=2, mode="bicubic")


def test_reduced_pixels_are_means():
    picture = np.arange(2 * 4 * 3, dtype=np.uint8).reshape(2, 4, 3)
    assert np.array_equal(reduce_picture(picture, 2)[0, 1], picture[:, 2:].mean(axis=(0, 1)))
    assert np.array_equal(reduce_picture(picture[..., 0], 2), reduce_picture(picture, 2)[..., 0])


def test_where_a_portrait_is_the_warp_it_is_the_sharp_warp(warp, sharp):
    torch.testing.assert_close(add_detail(warp, warp, sharp), sharp)


def test_a_shade_keeps_the_detail(warp, sharp):
    torch.testing.assert_close(add_detail(warp + 0.2, warp, sharp), sharp + 0.2)


def test_what_was_mended_has_none_of_the_warps_detail(warp, sharp):
    mended = warp.clone()
    mended[..., 20:44, 20:44] = 0.4 * (torch.arange(24) % 2) - 0.2  # stripes that the warp does not have
    larger = add_detail(mended, warp, sharp)
    there, elsewhere = (..., slice(52, 76), slice(52, 76)), (..., slice(0, 16), slice(0, 16))
    lost = (larger - enlarged(mended)).abs() / (sharp - enlarged(warp)).abs().mean()
    assert lost[there].mean() < 0.1
    torch.testing.assert_close(larger[elsewhere], sharp[elsewhere])


def test_with_no_share_pictures_are_only_enlarged(warp, sharp):
    torch.testing.assert_close(add_detail(warp, warp, sharp, 0.0), enlarged(warp).clamp(-1, 1))


def test_each_of_several_pictures_is_enlarged(warp, sharp):
    both = add_detail(torch.cat([warp, warp - 0.3]), warp, sharp)
    torch.testing.assert_close(both, torch.cat([sharp, sharp - 0.3]))
