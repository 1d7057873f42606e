"""Functions that numba compiles, and keeps compiled where there is a place to keep them."""

from __future__ import annotations

import atexit
import contextlib
import shutil
import tempfile
from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

import numba

_Function = TypeVar("_Function", bound=Callable[..., Any])


@cache
def _temporary_place() -> str:
    """Make a folder that is deleted when the process ends."""
    folder = tempfile.mkdtemp(prefix="hifi-portrait-compiled-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def compiled(**options: Any) -> Callable[[_Function], _Function]:
    """Compile a function on its first call.

    The machine code is kept beside the source file, or in the user's cache. Where neither can be written to,
    as in a container that runs as another user, it goes to a temporary place for as long as the process runs.
    On a full disk it is not kept.

    Parameters
    ----------
    options
        Of `numba.njit`.
    """

    def decorate(function: _Function) -> _Function:
        try:
            kept: _Function = numba.njit(cache=True, **options)(function)
        except RuntimeError:  # "no locator available"
            vars(numba.config)["CACHE_DIR"] = _temporary_place()
            kept = numba.njit(cache=True, **options)(function)
        _forgive_full_disks(kept)
        return kept

    return decorate


def _forgive_full_disks(function: Any) -> None:
    """Let a compiled function run where its machine code turns out not to fit into the place for it."""
    cache = getattr(function, "_cache", None)
    if cache is None:  # numba is switched off by NUMBA_DISABLE_JIT
        return
    save = cache.save_overload

    def save_if_possible(signature: Any, code: Any) -> None:
        with contextlib.suppress(OSError):
            save(signature, code)

    cache.save_overload = save_if_possible
