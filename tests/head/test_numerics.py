"""Small formulas."""

from __future__ import annotations

import numpy as np
import pytest

from hifi_portrait.head.numerics import block_mean


@pytest.mark.parametrize("shape", [(64, 48), (64, 48, 1), (64, 48, 3)])
@pytest.mark.parametrize("factor", [2, 4])
def test_means_of_blocks_are_numpys_to_the_bit(shape: tuple[int, ...], factor: int) -> None:
    values = np.random.default_rng(0).random(shape).astype(np.float32) ** 3
    blocks = values.reshape(64 // factor, factor, 48 // factor, factor, *shape[2:])
    assert np.array_equal(block_mean(values, factor), blocks.mean(axis=(1, 3)))
