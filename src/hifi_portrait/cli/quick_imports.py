"""Import the diffusion libraries without what takes longer to import than a portrait to draw.

diffusers and transformers import ``torch._dynamo``, torch's compiler, to put its marks on their functions.
Marks say what a compiler is to leave alone; a command compiles nothing. transformers also imports SciPy's
optimisers, for training losses, and tensors that are spread over several machines.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from types import ModuleType
from typing import Any

_COMPILER = "torch._dynamo"


@contextmanager
def without_compiler() -> Iterator[None]:
    """Let what is imported within this context find a compiler that marks nothing.

    Where the real one has been imported already, nothing is changed. Afterwards it can be imported as ever.
    """
    if _COMPILER in sys.modules:
        yield
        return
    import torch

    _leave_out_training()

    spec = find_spec(_COMPILER)
    stand_in = ModuleType(_COMPILER)
    stand_in.__spec__ = spec
    stand_in.__path__ = list(spec.submodule_search_locations or ()) if spec else []
    stand_in.__getattr__ = _find_mark  # type: ignore[method-assign]  # PEP 562
    sys.modules[_COMPILER] = stand_in
    try:
        yield
    finally:
        for name in [name for name in sys.modules if name == _COMPILER or name.startswith(f"{_COMPILER}.")]:
            del sys.modules[name]
        if vars(torch).get("_dynamo") is stand_in:
            del torch._dynamo


def _leave_out_training() -> None:
    """Let transformers take this process for one without SciPy and without several devices, for good."""
    import torch
    from transformers.utils import import_utils

    of_package, of_torch = import_utils._is_package_available, torch.distributed.is_available
    import_utils._is_package_available = lambda *_, **__: (False, "")
    torch.distributed.is_available = lambda: False
    try:  # each remembers its first answer
        import_utils.is_scipy_available()
        import_utils.is_torch_distributed_available()
    finally:
        import_utils._is_package_available, torch.distributed.is_available = of_package, of_torch


def _find_mark(name: str) -> Callable[..., Any]:
    if name.startswith("__"):
        raise AttributeError(name)
    return _mark_nothing


def _mark_nothing(marked: Any = None, *_: Any, **__: Any) -> Any:
    """Give back what was to be marked, be this called with it or as a decorator with options."""
    return (lambda other: other) if marked is None else marked
