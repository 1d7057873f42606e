"""Sharing what learns out among processes: fully sharded data parallel training (arXiv 2304.11277).

Each process keeps its part of the parameters that learn, of their gradients, of the optimiser's moments and
of the averaged weights. A layer's are gathered when it is its turn, and given back after it; their bfloat16
copies, where autocast makes such, stay until the backward pass. What is frozen every process keeps.
Checkpoints hold whole parameters, as those of one process do: either goes on from the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

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

_LAYERS = (BasicTransformerBlock, ResnetBlock2D, GradientCheckpointingLayer)  # of UNets, of CLIP


def share_out(objective: nn.Module, device: torch.device, *, methods: Sequence[str] = ()) -> None:
    """Share the parameters that learn out among all processes, which must have joined a process group.

    Parameters
    ----------
    objective
        Its parameters become parts of themselves, with the values that the first process has.
    device
        Of this process.
    methods
        Names of those beside ``forward`` that need the whole parameters. All processes must call them.
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
    # Given back at once at the root, too: averaged weights must not stay beyond what is shown of them.
    fully_shard(objective, mesh=mesh, ignored_params=frozen, reshard_after_forward=True)
    objective.set_reduce_scatter_unused_params(True)  # type: ignore[operator]  # a critic may rest in some
    for name in methods:
        register_fsdp_forward_method(objective, name)


def own_share(parameter: Tensor) -> Tensor:
    """What this process keeps of a parameter: the parameter itself, where it is not shared out."""
    if not isinstance(parameter, DTensor):
        return parameter
    with torch.no_grad():
        return parameter.to_local().detach().requires_grad_(parameter.requires_grad)


def everywhere(value: Tensor) -> Tensor:
    """A tensor, gathered in all processes where it is shared out."""
    return value.full_tensor() if isinstance(value, DTensor) else value


def whole(values: Any) -> Any:
    """A state (dicts and lists of tensors) with each shared one gathered, on the CPU.

    All processes must ask for the same. The first one gets the tensors, the others None for each shared one.
    """

    def gathered(value: Any) -> Any:
        if not isinstance(value, DTensor):
            return value
        full = value.full_tensor().detach()
        return full.cpu() if dist.get_rank() == 0 else None

    return tree_map(gathered, values)


def shared_like(value: Tensor, parameter: Tensor) -> Tensor:
    """A whole tensor, shared out and laid out in memory as a parameter of its shape is.

    Fused optimisers go through a parameter and its moments side by side, wherever in memory that leads them.
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


def joined(shares: Sequence[Tensor], parameters: Sequence[Tensor]) -> list[Tensor]:
    """Whole tensors of each process's shares, which are like the parameters'; see `whole`."""
    return [
        whole(
            DTensor.from_local(
                share,
                parameter.device_mesh,
                parameter.placements,
                run_check=False,
                shape=parameter.shape,
                stride=parameter.stride(),
            )
        )
        if isinstance(parameter, DTensor)
        else share
        for share, parameter in zip(shares, parameters, strict=True)
    ]


def optimiser_state_like(state: dict[str, Any], parameters: Sequence[Tensor]) -> dict[str, Any]:
    """An optimiser's whole state, shared out and laid out as its parameters are."""
    moments = {
        number: {
            name: shared_like(value, parameters[number]) if isinstance(value, Tensor) else value
            for name, value in kept.items()
        }
        for number, kept in state["state"].items()
    }
    return state | {"state": moments}


@contextmanager
def replaced(module: nn.Module, values: Mapping[str, Tensor]) -> Iterator[None]:
    """Other values for a module's parameters, by name, until the end of the context."""
    owners = {name: name.rpartition(".")[::2] for name in values}
    kept = {name: module.get_parameter(name) for name in values}
    try:
        for name, (owner, leaf) in owners.items():
            setattr(module.get_submodule(owner), leaf, nn.Parameter(values[name], requires_grad=False))
        yield
    finally:
        for name, (owner, leaf) in owners.items():
            setattr(module.get_submodule(owner), leaf, kept[name])
