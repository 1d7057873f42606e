"""Compiled functions where there is no place to keep them."""

from __future__ import annotations

import errno
import os
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


@pytest.mark.parametrize("place", ["/proc/none", "/dev/full/none"])
def test_a_place_of_the_users_own_that_cannot_be_written_to_is_passed_over(monkeypatch, place):
    monkeypatch.setattr(numba.config, "CACHE_DIR", place)

    @compiled()
    def double(value):
        return 2 * value

    assert double(4) == 8
    assert not double._cache.cache_path.startswith(place)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS])
def test_a_function_runs_though_it_cannot_be_kept_in_the_end(monkeypatch, number):
    def full(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(caching.IndexDataCacheFile, "save", full)

    @compiled()
    def triple(value):
        return 3 * value

    assert triple(4) == 12


def test_a_compiled_function_is_kept():
    @compiled()
    def double(value):
        return 2 * value

    assert double(4) == 8
    assert double._cache.cache_path
