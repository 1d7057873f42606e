"""A pretended GPU: a device that computes on the CPU, refuses two devices, and notes each wait for it.

It stands in for a real one where only these matter: that nothing is computed across two devices, and that
the host does not wait for the device step by step. ``install`` registers it with PyTorch as "pretended", in
the whole process: tests start a process of their own for it.
"""

from __future__ import annotations

import functools
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import torch
from torch.utils._pytree import tree_map_only
from torch.utils.backend_registration import _DummyBackendModule, _setup_privateuseone_for_python_backend

NAME = "pretended"

READS = (
    "aten::_local_scalar_dense",
    "aten::nonzero",
    "aten::equal",
    "aten::is_nonzero",
    "aten::masked_select",
)
"""Operations whose result the host needs before it can go on."""

COPIES = ("aten::_to_copy", "aten::copy_", "aten::_foreach_copy_")
"""Operations that may take tensors of two devices."""


@dataclass(frozen=True)
class Wait:
    """Where the host waited for the device: an operation, and the innermost frames outside PyTorch."""

    operation: str
    frames: tuple[str, ...]

    @property
    def file(self) -> str:
        """The file that asked for it, such as "hifi_portrait/pipeline/denoise.py:80"."""
        return self.frames[-1]

    @property
    def ours(self) -> bool:
        """Whether that file is this package's."""
        return self.file.startswith("hifi_portrait/")


waits: list[Wait] = []
"""All so far."""


class PretendedTensor(torch.Tensor):
    """A tensor on the pretended device, over one of the CPU's."""

    held: torch.Tensor
    __torch_function__ = torch._C._disabled_torch_function_impl

    @staticmethod
    def __new__(cls, held, requires_grad=False):
        made = torch.Tensor._make_wrapper_subclass(
            cls,
            held.shape,
            strides=held.stride(),
            storage_offset=held.storage_offset(),
            dtype=held.dtype,
            device=torch.device(NAME, 0),
            requires_grad=requires_grad,
        )
        made.held = held
        return made

    def __repr__(self):
        return f"PretendedTensor({self.held!r})"

    @classmethod
    def __torch_dispatch__(cls, operation, types, args=(), kwargs=None):
        return _run(operation, args, kwargs or {})


class _Module(_DummyBackendModule):
    """What ``torch.pretended`` offers."""

    def get_amp_supported_dtype(self):
        return [torch.bfloat16, torch.float16]

    def empty_cache(self):
        pass

    def synchronize(self, device=None):
        waits.append(_wait("synchronize"))


def results_of(*arguments):
    """Run `on_a_pretended_gpu` in a process of its own; gives what it prints."""
    script = Path(__file__).with_name("on_a_pretended_gpu.py")
    command = [sys.executable, "-W", "ignore", str(script), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads(done.stdout.splitlines()[-1])


def install():
    """Register the device. It stays for as long as the process lives."""
    _setup_privateuseone_for_python_backend(NAME, backend_module=_Module())
    library = torch.library.Library("_", "IMPL")
    library.fallback(lambda operation, *args, **kwargs: _run(operation, args, kwargs), "PrivateUse1")
    _kept.append(library)
    torch.tensor = _made_here_first(torch.tensor)
    torch.as_tensor = _made_here_first(torch.as_tensor)


def _made_here_first(make):
    """Let a tensor of numbers be made on the CPU and then moved: backends in Python fail at one step."""

    def moved(data, *, device=None, **kwargs):
        if isinstance(data, torch.Tensor) or device is None or torch.device(device).type != NAME:
            return make(data, device=device, **kwargs)
        return make(data, **kwargs).to(device)

    return moved


_kept: list[torch.library.Library] = []
"""What must not be collected as garbage."""


def _run(operation, args, kwargs):
    """Run an operation on the CPU's tensors, and give its results the device they would have."""
    name = operation.overloadpacket._qualified_op_name
    kwargs = dict(kwargs)
    wanted = kwargs.pop("device", None)
    given = [*_tensors(args), *_tensors(kwargs.values())]
    ours = [each for each in given if isinstance(each, PretendedTensor)]
    here = wanted is None or torch.device(wanted).type == NAME
    # As on a GPU, a number in a tensor of the CPU may stand beside, and so may the places of an indexing.
    others = [each for each in given if not isinstance(each, PretendedTensor) and each.dim() > 0]
    if ours and others and name not in COPIES and not _only_indices_are_elsewhere(name, args):
        places = ", ".join(f"{tuple(each.shape)} on {each.device}" for each in (*ours[:2], *others[:2]))
        raise RuntimeError(f"{name} of tensors on two devices: {places}")
    to_host = not here or (name == "aten::copy_" and not isinstance(args[0], PretendedTensor))
    if ours and (to_host or name in READS or _indexes_by_mask(name, args)):
        waits.append(_wait(name))
    plain, named = _held(tuple(args)), {key: _held(value) for key, value in kwargs.items()}
    if not here:
        named["device"] = wanted
    results = operation(*plain, **named)
    if to_host:
        return args[0] if name == "aten::copy_" else results
    if isinstance(results, torch.Tensor):
        return _written(operation, args, kwargs, results)
    return tree_map_only(torch.Tensor, lambda each: _written(operation, args, kwargs, each), results)


def _tensors(values):
    """Give the tensors among values and in the lists among them."""
    for value in values:
        if isinstance(value, torch.Tensor):
            yield value
        elif isinstance(value, list | tuple):
            yield from _tensors(value)


def _held(value):
    """Give the CPU's tensors of those on the device, also in lists."""
    if isinstance(value, PretendedTensor):
        return value.held
    if isinstance(value, list | tuple) and not isinstance(value, torch.Size):
        return type(value)(map(_held, value))
    return value


def _only_indices_are_elsewhere(name, args):
    """Whether an indexing takes its places from the CPU: they are copied to the device without a wait."""
    if not name.startswith(("aten::index", "aten::_index")) or not isinstance(args[1], list | tuple):
        return False
    rest = [args[0], *args[2:]]
    return all(isinstance(each, PretendedTensor) for each in rest if isinstance(each, torch.Tensor))


def _indexes_by_mask(name, args):
    """Whether an indexing has to count a mask on the device first."""
    if not name.startswith("aten::index") or len(args) < 2 or not isinstance(args[1], list | tuple):
        return False
    masks = (torch.bool, torch.uint8)
    return name != "aten::index_put_" and any(
        isinstance(each, PretendedTensor) and each.dtype in masks for each in args[1]
    )


def _written(operation, args, kwargs, result):
    """Return the tensor that an operation in place wrote to; of a new result, one on the device."""
    for number, name in _written_arguments(operation):
        target = args[number] if number < len(args) else kwargs.get(name)
        for each in _tensors([target]):
            if isinstance(each, PretendedTensor) and each.held is result:
                return each
    return PretendedTensor(result)


@functools.cache
def _written_arguments(operation):
    """List the arguments that an operation writes to, by place and name."""
    return [
        (number, argument.name)
        for number, argument in enumerate(operation._schema.arguments)
        if argument.alias_info is not None and argument.alias_info.is_write
    ]


def _wait(operation):
    frames, frame = [], sys._getframe(1)
    while frame is not None and len(frames) < 3:
        path = Path(frame.f_code.co_filename).as_posix()
        if "/torch/" not in path and not path.endswith(Path(__file__).name):
            for root in ("/site-packages/", "/src/"):
                path = path.rpartition(root)[2] or path
            frames.append(f"{path}:{frame.f_lineno}")
        frame = frame.f_back
    return Wait(operation, tuple(reversed(frames)))
