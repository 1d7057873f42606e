"""Import libraries without those of their parts that take longer to import than a portrait to draw.

diffusers, transformers and torch import ``torch._dynamo``, torch's compiler, to put its marks on functions
and to ask whether a network is compiled. A command that draws compiles nothing, trains nothing and loads no
LoRA, and is one process. Modules that few commands use are imported when something of theirs is used.

All this holds for a process that is a command (`make_imports_quick`), never for one that imports the package.
"""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType, SimpleNamespace
from typing import Any

_COMPILER = "torch._dynamo"

_SCANNER = "transformers.utils.import_utils"

_RARELY_USED = (
    "matplotlib.pyplot",  # MediaPipe, for plots
    "numpy.f2py",  # SciPy, which copies all names of NumPy
    "scipy.integrate",  # diffusers, for one scheduler
    "scipy.stats",  # diffusers, for one sort of noise levels
    "torch._dynamo._trace_wrapped_higher_order_op",  # transformers, for one sort of masks
)
"""Modules that wait for their use, and which library imports them."""


def make_imports_quick() -> None:
    """Leave out what no command uses, and wait with what few use, from now on in this process."""
    if not _are_quick():
        sys.meta_path.insert(0, _Finder())


def import_all_parts() -> None:
    """Import libraries whole from now on, for what uses more of them than drawing does, such as LoRAs."""
    sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, _Finder)]


def _are_quick() -> bool:
    return any(isinstance(finder, _Finder) for finder in sys.meta_path)


@contextmanager
def only_for_drawing() -> Iterator[None]:
    """Import diffusers and transformers within this context without what drawing does not use.

    It changes nothing in a process without quick imports, nor where they have been imported already.
    """
    if "diffusers" in sys.modules or not _are_quick():
        yield
        return
    import importlib.metadata

    import torch
    from transformers.utils import import_utils

    _fill_nothing_without_memory()
    torch.distributed.is_available = lambda: False  # for good: what asks later must get the same answer
    of_package, list_packages, read_version = (
        *(import_utils._is_package_available, importlib.metadata.packages_distributions),
        importlib.metadata.version,
    )
    import_utils._is_package_available = lambda *_, **__: (False, "")
    import_utils.is_scipy_available.cache_clear()
    import_utils.is_scipy_available()  # it remembers its answer: no optimisers, for training losses
    import_utils._is_package_available = of_package
    importlib.metadata.packages_distributions = dict  # diffusers would look through all files of all packages
    importlib.metadata.version = functools.partial(_find_version, read_version)
    try:
        yield
    finally:
        importlib.metadata.packages_distributions = list_packages
        importlib.metadata.version = read_version


def _fill_nothing_without_memory() -> None:
    """Let torch fill no weights on its meta device, where they take no memory; it needs SymPy for that."""
    from torch.nn import init

    fill = init._no_grad_normal_

    def fill_memory(tensor: Any, *args: Any, **kwargs: Any) -> Any:
        return tensor if tensor.is_meta else fill(tensor, *args, **kwargs)

    init._no_grad_normal_ = fill_memory


class _ScanOnce(Loader):
    """Loads transformers' module that reads the names of all its models, twice and slowly, and mends that."""

    def __init__(self, loader: Loader) -> None:
        self._loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """Leave it to the real loader."""
        return self._loader.create_module(spec)

    def exec_module(self, module: Any) -> None:
        """Run the module, and put quicker functions of the same results in their places."""
        self._loader.exec_module(module)
        read_names, read_folder = module.fetch__all__, module.create_import_structure_from_path.__wrapped__
        once = functools.cache(read_folder)

        def read_names_quickly(text: str) -> Any:
            start = text.rfind("\n__all__") + 1
            return read_names(text[start:]) if start or text.startswith("__all__") else []

        module.fetch__all__ = read_names_quickly
        module.create_import_structure_from_path = lambda path: once(
            os.path.dirname(path) if str(path).endswith(".py") else str(path)
        )


def _find_version(read_version: Callable[[str], str], distribution_name: str) -> str:
    """Give the version of any distribution but peft, which is not there for who loads no LoRA."""
    if distribution_name == "peft":
        from importlib.metadata import PackageNotFoundError

        raise PackageNotFoundError(distribution_name)
    return read_version(distribution_name)


class _Finder(MetaPathFinder):
    """Finds stand-ins for the compiler and for modules that wait; other finders find the rest."""

    def __init__(self) -> None:
        self.waiting = set(_RARELY_USED)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find a module; None for those that other finders find."""
        if fullname not in (_COMPILER, _SCANNER) and fullname not in self.waiting:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is None or spec.loader is None:
            return spec
        if fullname == _SCANNER:
            spec.loader = _ScanOnce(spec.loader)
        else:
            spec.loader = _StandIn(_find_mark if fullname == _COMPILER else _Later(self, fullname))
        return spec


class _StandIn(Loader):
    """Makes a module that has no code, but a function that finds what is asked of it."""

    def __init__(self, find: Callable[[str], Any]) -> None:
        self._find = find

    def exec_module(self, module: ModuleType) -> None:
        """Fill the module."""
        module.__getattr__ = self._find  # type: ignore[method-assign]  # PEP 562


class _Later:
    """Finds names in a module that is imported at the first use of one.

    The standard library's lazy loader would import it as soon as somebody looks through `sys.modules`.
    """

    def __init__(self, finder: _Finder, module: str) -> None:
        self._finder, self._module = finder, module

    def __call__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if self._module.startswith(_COMPILER):  # a class, imported by its name long before one is made
            return lambda *args, **kwargs: getattr(self._import(), name)(*args, **kwargs)
        return getattr(self._import(), name)

    def _import(self) -> ModuleType:
        if self._module in self._finder.waiting:
            self._finder.waiting.remove(self._module)
            del sys.modules[self._module]
        return import_module(self._module)


class _Compiled:
    """What a compiled network is one of; here none is."""


def _find_mark(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    return SimpleNamespace(OptimizedModule=_Compiled) if name == "eval_frame" else _mark_nothing


def _mark_nothing(marked: Any = None, *_: Any, **__: Any) -> Any:
    """Give back what was to be marked, be this called with it or as a decorator with options."""
    return (lambda other: other) if marked is None else marked
