"""Compiled functions where there is no place to keep them."""

from __future__ import annotations

import numba
import pytest

from hifi_portrait.head.compiled import compiled


@pytest.mark.parametrize("options", [{}, {"fastmath": True}, {"nogil": True}])
def test_a_function_is_compiled_though_it_cannot_be_kept(monkeypatch, options):
    njit = numba.njit

    def nowhere_to_keep(cache=False, **others):
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return njit(**others)

    monkeypatch.setattr(numba, "njit", nowhere_to_keep)

    @compiled(**options)
    def double(value):
        return 2 * value

    assert double(4) == 8


def test_a_compiled_function_is_kept():
    @compiled()
    def double(value):
        return 2 * value

    assert double(4) == 8
    assert double._cache.cache_path
