"""Number formats of a pipeline's parts, as diffusers' and transformers' loaders take them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import torch
from safetensors import safe_open

Dtypes = torch.dtype | Mapping[str, torch.dtype] | Literal["auto"]
"""One for all parts; one for each part by name, "default" for the others; or "auto", as they were saved."""

_SAVED = {"F16": torch.float16, "BF16": torch.bfloat16, "F32": torch.float32}
"""Formats by their names in safetensors files."""


def dtype_of(part: str, dtype: Dtypes, saved: torch.dtype = torch.float32) -> torch.dtype:
    """Tell the number format of a part.

    Parameters
    ----------
    part
        Its name in the pipeline.
    dtype
        What was requested.
    saved
        What the part was saved in.
    """
    if isinstance(dtype, torch.dtype):
        return dtype
    if isinstance(dtype, str):
        return saved
    return dtype.get(part, dtype.get("default", torch.float32))


def saved_dtype(folder: Path) -> torch.dtype:
    """Tell the number format of the first floating tensor of a model's folder; float32 without weights."""
    for file in sorted(folder.glob("*.safetensors")):
        with safe_open(file, framework="pt") as weights:
            for name in weights.keys():  # noqa: SIM118
                kind = weights.get_slice(name).get_dtype()
                if kind in _SAVED:
                    return _SAVED[kind]
    return torch.float32


def saved_dtypes(folder: Path) -> dict[str, torch.dtype]:
    """Tell the number format of each part of a pipeline's folder."""
    return {each.name: saved_dtype(each) for each in folder.iterdir() if each.is_dir()}
