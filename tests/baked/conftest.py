"""Fixtures of the baked head's tests."""

from __future__ import annotations

import pytest

from hifi_portrait import BakedHead


@pytest.fixture(scope="module")
def head(identity) -> BakedHead:
    """A painted person's head, baked once for all tests of a module."""
    return BakedHead.bake(identity, look=0, texture=256)
