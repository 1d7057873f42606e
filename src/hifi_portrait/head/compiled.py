"""Functions that numba compiles, and keeps compiled where there is a place to keep them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numba

_Function = TypeVar("_Function", bound=Callable[..., Any])


def compiled(**options: Any) -> Callable[[_Function], _Function]:
    """Compile a function on its first call.

    The machine code is kept beside the source file, or in the user's cache. Where neither can be written to,
    as in a container that runs as another user, each process compiles anew.

    Parameters
    ----------
    options
        Of `numba.njit`.
    """

    def decorate(function: _Function) -> _Function:
        try:
            kept: _Function = numba.njit(cache=True, **options)(function)
        except RuntimeError:  # "no locator available"
            kept = numba.njit(**options)(function)
        return kept

    return decorate
