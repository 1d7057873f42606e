"""Dataclasses of tensors: change or join all tensors at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar

import torch
from torch import Tensor

T = TypeVar("T")

PADDED = {"padded": True}
"""Metadata of a field whose tensors are filled up with zeros, along the second dimension, when joined."""


def map_tensors(value: T, change: Callable[[Tensor], Tensor]) -> T:
    """Change every tensor of a dataclass of tensors, such dataclasses and Nones."""
    result: Any = value
    if isinstance(value, Tensor):
        result = change(value)
    elif is_dataclass(value) and not isinstance(value, type):
        names = [each.name for each in fields(value)]
        result = type(value)(**{name: map_tensors(getattr(value, name), change) for name in names})
    elif value is not None:
        raise TypeError(f"expected tensors or dataclasses of them, not {type(value).__name__}")
    changed: T = result
    return changed


def join_tensors(values: Sequence[T], *, fill: bool = False) -> T:
    """Join dataclasses of one kind, or tensors, along the first dimension.

    With ``fill``, as for fields with `PADDED`, those shorter along the second are filled up with zeros.

    Raises
    ------
    ValueError
        Something is None in some of them and a tensor in others.
    """
    first: Any = values[0]
    missing = sum(value is None for value in values)
    if 0 < missing < len(values):
        raise ValueError("cannot join tensors with None")
    if isinstance(first, Tensor):
        tensors: list[Any] = list(values)
        first = torch.cat(_filled(tensors) if fill else tensors)
    elif is_dataclass(first) and not isinstance(first, type):
        first = type(first)(
            **{
                each.name: join_tensors(
                    [getattr(value, each.name) for value in values], fill=each.metadata.get("padded", False)
                )
                for each in fields(first)
            }
        )
    joined: T = first
    return joined


def _filled(values: Sequence[Tensor]) -> list[Tensor]:
    length = max(value.shape[1] for value in values)
    return [
        torch.cat([value, value.new_zeros(len(value), length - value.shape[1], *value.shape[2:])], dim=1)
        for value in values
    ]
