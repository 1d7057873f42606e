"""One factory for every model size. A size is a data file in `configs/`; the classes are the same for all."""

from __future__ import annotations

import inspect
import json
from collections.abc import Collection, Mapping
from importlib import import_module, resources
from typing import Any

import torch

from hifi_portrait.errors import ModelError

# Part of the pipeline -> where its class is and what it is called. A part is built from the block of the same
# name in the size file.
_CLASSES = {
    "vae": ("diffusers", "AutoencoderKL"),
    "text_encoder": ("transformers", "CLIPTextModel"),
    "text_encoder_2": ("transformers", "CLIPTextModelWithProjection"),
    "unet": ("diffusers", "UNet2DConditionModel"),
    "scheduler": ("diffusers", "DDIMScheduler"),
    "hifi_net": ("hifi_portrait.models.hifi_net", "HiFiNet"),
    "face_encoder": ("hifi_portrait.models.face_encoder", "FaceEncoder"),
    "face_refiner": ("hifi_portrait.models.face_refiner", "FaceRefiner"),
    "face_attention": ("hifi_portrait.models.face_attention", "FaceAttention"),
}
PARTS = tuple(_CLASSES)
_PATCHED = ("hifi_portrait.models.patched_autoencoder", "PatchedAutoencoder")
_OTHER_CLASSES = {"PatchedAutoencoder": _PATCHED}
"""Classes of parts that a size's file names as ``_class_name``."""


def sizes() -> tuple[str, ...]:
    """Return the names that `build` and `size_config` take."""
    folder = resources.files("hifi_portrait.models") / "configs"
    return tuple(sorted(f.name.removesuffix(".json") for f in folder.iterdir() if f.name.endswith(".json")))


def size_config(name: str) -> dict[str, Any]:
    """Return the settings of one size: `image_size` (pixels) and a block for every part.

    A size whose face encoder has the vision tower of a published CLIP names it as `clip`.

    Raises
    ------
    ModelError
        If there is no size of that name.
    """
    if name not in sizes():
        raise ModelError(f"there is no model size {name!r}; choose one of {', '.join(sizes())}")
    text = (resources.files("hifi_portrait.models") / "configs" / f"{name}.json").read_text()
    config: dict[str, Any] = json.loads(text)
    return config


def build(
    name: str,
    parts: Collection[str] | None = None,
    *,
    overrides: dict[str, dict[str, Any]] | None = None,
    seed: int | None = None,
) -> dict[str, Any]:
    """Build the parts of one model size with fresh weights.

    Parameters
    ----------
    name
        A size: `bundled`, `bundled-16`, `sdxl` or `tiny` (`sizes`).
    parts
        Which parts to build, by name (see `PARTS`); all of them by default.
    overrides
        Settings that replace those of the file, by part: `{"hifi_net": {"warp_latents": False}}`.
    seed
        Makes the weights reproducible; the global generator is left as it was.

    Returns
    -------
    dict
        Part name -> model (or scheduler).

    Raises
    ------
    ModelError
        If a size or a part is unknown.
    """
    config = size_config(name)
    wanted = PARTS if parts is None else tuple(parts)
    overrides = overrides or {}
    _check_parts((*wanted, *overrides))
    with torch.random.fork_rng(devices=[]):
        if seed is not None:
            torch.manual_seed(seed)
        settings = {part: _without_class(config[part]) | overrides.get(part, {}) for part in wanted}
        return {part: _construct(part_class(part, name), settings[part]) for part in wanted}


def part_settings(name: str, part: str, changes: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Give all settings, defaults included, with which `build` makes a part of diffusers' kind.

    Parameters
    ----------
    name
        A size, as for `build`.
    part
        A part's name.
    changes
        Settings that replace those of the size.
    """
    parameters = inspect.signature(part_class(part, name)).parameters.values()
    defaults = {each.name: each.default for each in parameters if each.default is not each.empty}
    return {**defaults, **_without_class(size_config(name)[part]), **(changes or {})}


def part_class(part: str, size: str) -> Any:
    """Give the class of a part of a model size."""
    _check_parts((part,))
    named = size_config(size)[part].get("_class_name")
    module, class_name = _OTHER_CLASSES[named] if named else _CLASSES[part]
    return getattr(import_module(module), class_name)


def _check_parts(parts: Collection[str]) -> None:
    for part in parts:
        if part not in _CLASSES:
            raise ModelError(f"there is no model part {part!r}; choose from {', '.join(PARTS)}")


def _without_class(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in settings.items() if name != "_class_name"}


def _construct(cls: Any, fields: dict[str, Any]) -> Any:
    if cls.__module__.startswith("transformers."):  # its models take a config object, diffusers' their fields
        return cls(cls.config_class(**fields))
    return cls(**fields)
