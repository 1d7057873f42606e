"""Fully sharded data parallel training (arXiv 2304.11277), by PyTorch's ``fully_shard``.

Each process keeps a shard of the parameters that learn, of their gradients, of the optimiser's moments and
of the averaged weights. A layer's parameters are gathered when the layer computes and given back after it;
their bfloat16 copies, where autocast makes such, stay until the backward pass. Every process keeps all of
the frozen parameters. Checkpoints hold gathered tensors, as those of one process do, so that a run may
continue with another number of processes, sharded or not.

accelerate's FSDP2 plugin is not used, for three reasons. It is ignored without a word for processes on CPUs
(accelerate 1.15: ``AcceleratorState`` makes a run FSDP on GPUs and the like alone, and two processes of
gloo get ``DistributedDataParallel``), so that nothing here could be tested without several GPUs. It gives
all processes the first one's weights only where it loads them from disk itself. And what is most of this
module, gathering and sharding the state of the optimiser and of the averaged weights, it does not do for a
state whose format does not depend on the number of processes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from diffusers.models.attention import BasicTransformerBlock
from diffusers.models.resnet import ResnetBlock2D
from torch import Tensor, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard, register_fsdp_forward_method
from torch.distributed.tensor import DTensor, distribute_tensor
from torch.utils._pytree import tree_map
from transformers.modeling_layers import GradientCheckpointingLayer

State = TypeVar("State")

_LAYERS = (BasicTransformerBlock, ResnetBlock2D, GradientCheckpointingLayer)
"""What is gathered at a time: the layers of UNets and of CLIP."""


def shard_parameters(objective: nn.Module, device: torch.device, *, methods: Sequence[str] = ()) -> None:
    """Shard the parameters that learn among all processes, which must have joined a process group.

    Parameters
    ----------
    objective
        Each of its parameters that learn becomes a shard of itself, of the first process's values.
    device
        The device of this process.
    methods
        Names of the methods beside ``forward`` that need the gathered parameters. All processes must call
        them together.
    """
    frozen = {p for p in objective.parameters() if not p.requires_grad}
    for tensor in (*objective.parameters(), *objective.buffers()):
        tensor.data = tensor.data.contiguous()
        if tensor not in frozen:
            dist.broadcast(tensor.data, src=0)
    mesh = init_device_mesh(device.type, (dist.get_world_size(),))
    for layer in objective.modules():
        if isinstance(layer, _LAYERS) and not frozen.issuperset(layer.parameters()):
            fully_shard(layer, mesh=mesh, ignored_params=frozen, reshard_after_forward=True)
    # The root is given back at once, too: the averaged weights must not stay when they are no longer shown.
    fully_shard(objective, mesh=mesh, ignored_params=frozen, reshard_after_forward=True)
    objective.set_reduce_scatter_unused_params(True)  # type: ignore[operator]  # a critic may rest in some
    for name in methods:
        register_fsdp_forward_method(objective, name)


def local_shard(parameter: Tensor) -> Tensor:
    """Give this process's shard of a parameter; the parameter itself where it is not sharded."""
    if not isinstance(parameter, DTensor):
        return parameter
    with torch.no_grad():
        return parameter.to_local().detach().requires_grad_(parameter.requires_grad)


def gather_everywhere(value: Tensor) -> Tensor:
    """Give a tensor, gathered in all processes where it is sharded. All processes must call it."""
    return value.full_tensor() if isinstance(value, DTensor) else value


def gather_state(state: State) -> State:
    """Gather the sharded tensors of a state in the first process, on the CPU.

    Parameters
    ----------
    state
        Dicts and lists of tensors and other values. All processes must give the same.

    Returns
    -------
    State
        The same state. In the first process each sharded tensor is gathered, in the others it is None.
    """

    def gather(value: Any) -> Any:
        if not isinstance(value, DTensor):
            return value
        full = value.full_tensor().detach()
        return full.cpu() if dist.get_rank() == 0 else None

    gathered: State = tree_map(gather, state)
    return gathered


def shard_like(value: Tensor, parameter: Tensor) -> Tensor:
    """Shard a gathered tensor, and lay it out in memory, as a parameter of its shape is.

    Fused optimisers walk through a parameter and its moments in the order of memory, whatever their strides.
    A tensor of another shape, such as a count of steps, is given as it is.
    """
    if value.shape != parameter.shape:
        return value
    if not isinstance(parameter, DTensor):
        laid_out = torch.empty_strided(
            value.shape, parameter.stride(), dtype=value.dtype, device=parameter.device
        )
        return laid_out.copy_(value)
    value = value.to(parameter.device).contiguous()
    return distribute_tensor(value, parameter.device_mesh, parameter.placements, src_data_rank=None)


def gather_shards(shards: Sequence[Tensor], parameters: Sequence[Tensor]) -> list[Tensor]:
    """Gather each process's shards, which lie as those of the parameters do; see `gather_state`."""
    return [
        gather_state(
            DTensor.from_local(
                shard,
                parameter.device_mesh,
                parameter.placements,
                run_check=False,
                shape=parameter.shape,
                stride=parameter.stride(),
            )
        )
        if isinstance(parameter, DTensor)
        else shard
        for shard, parameter in zip(shards, parameters, strict=True)
    ]


def shard_optimiser_state(state: dict[str, Any], parameters: Sequence[Tensor]) -> dict[str, Any]:
    """Shard an optimiser's gathered state, and lay it out in memory, as its parameters are."""
    by_parameter = {
        number: {
            name: shard_like(value, parameters[number]) if isinstance(value, Tensor) else value
            for name, value in moments.items()
        }
        for number, moments in state["state"].items()
    }
    return state | {"state": by_parameter}


@contextmanager
def replace_parameters(module: nn.Module, values: Mapping[str, Tensor]) -> Iterator[None]:
    """Put other values in place of a module's parameters, by name, until the end of the context."""
    owners = {name: name.rpartition(".")[::2] for name in values}
    before = {name: module.get_parameter(name) for name in values}
    try:
        for name, (owner, leaf) in owners.items():
            setattr(module.get_submodule(owner), leaf, nn.Parameter(values[name], requires_grad=False))
        yield
    finally:
        for name, (owner, leaf) in owners.items():
            setattr(module.get_submodule(owner), leaf, before[name])
