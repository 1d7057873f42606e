"""Compiled functions where there is no place to keep them."""

from __future__ import annotations

import tempfile

import numba
import pytest
from numba.core import caching

from hifi_portrait.head.compiled import compiled


@pytest.mark.parametrize("options", [{}, {"fastmath": True}, {"nogil": True}])
def test_a_function_is_compiled_though_its_place_cannot_be_written_to(monkeypatch, options):
    monkeypatch.setattr(caching.CacheImpl, "_locator_classes", [caching.UserProvidedCacheLocator])
    monkeypatch.setattr(numba.config, "CACHE_DIR", "")

    @compiled(**options)
    def double(value):
        return 2 * value

    assert double(4) == 8
    assert double._cache.cache_path.startswith(tempfile.gettempdir())


def test_a_compiled_function_is_kept():
    @compiled()
    def double(value):
        return 2 * value

    assert double(4) == 8
    assert double._cache.cache_path
