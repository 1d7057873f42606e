from __future__ import annotations

import numpy as np
import pytest

from hifi_portrait.head import HeadModel


@pytest.fixture(scope="session")
def model() -> HeadModel:
    return HeadModel.load()


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)
