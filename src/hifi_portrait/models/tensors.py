"""Dataclasses of tensors, changed or joined as a whole."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar

import torch
from torch import Tensor

T = TypeVar("T")


def map_tensors(value: T, change: Callable[[Tensor], Tensor]) -> T:
    """A dataclass of tensors, such dataclasses and Nones, with every tensor changed."""
    result: Any = value
    if isinstance(value, Tensor):
        result = change(value)
    elif is_dataclass(value) and not isinstance(value, type):
        names = [field.name for field in fields(value)]
        result = type(value)(**{name: map_tensors(getattr(value, name), change) for name in names})
    elif value is not None:
        raise TypeError(f"expected tensors or dataclasses of them, not {type(value).__name__}")
    return result


def join_tensors(values: Sequence[T]) -> T:
    """Dataclasses of one kind, with each tensor joined along its first dimension.

    Along the second, along which references and tokens are counted, shorter ones are filled up with zeros.

    Raises
    ------
    ValueError
        Something is None in some of them and a tensor in others.
    """
    first: Any = values[0]
    if isinstance(first, Tensor):
        first = _joined(values)  # type: ignore[arg-type]
    elif is_dataclass(first) and not isinstance(first, type):
        names = [field.name for field in fields(first)]
        joined = {name: join_tensors([getattr(value, name) for value in values]) for name in names}
        first = type(first)(**joined)
    elif any(value is not None for value in values):
        raise ValueError("cannot join tensors with None")
    return first


def _joined(values: Sequence[Tensor]) -> Tensor:
    length = max(value.shape[1] for value in values)
    filled = [
        torch.cat([value, value.new_zeros(len(value), length - value.shape[1], *value.shape[2:])], dim=1)
        for value in values
    ]
    return torch.cat(filled)
