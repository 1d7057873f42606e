"""HiFi-Portrait: portraits of one person from several photos, with no per-person training."""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

# Public name -> module. Loaded on first use, so that `import hifi_portrait` stays quick; diffusers also looks
# the classes of a saved pipeline up here.
_PUBLIC = {
    "FaceAttention": "hifi_portrait.models",
    "FaceEncoder": "hifi_portrait.models",
    "FaceRefiner": "hifi_portrait.models",
    "Guide": "hifi_portrait.models.guides",
    "HiFiNet": "hifi_portrait.models",
    "HiFiPortraitPipeline": "hifi_portrait.pipeline",
    "Identity": "hifi_portrait.person.identity",
    "Scene": "hifi_portrait.pipeline.scene",
    "Target": "hifi_portrait.person.target",
    "analyse": "hifi_portrait.faces",
}

# diffusers' loader expects the base class of a saved model beside the model's own class.
_FOR_DIFFUSERS = {"ModelMixin": "diffusers"}

__all__ = [*_PUBLIC, "__version__"]


def __getattr__(name: str) -> Any:
    module = (_PUBLIC | _FOR_DIFFUSERS).get(name)
    if module is not None:
        return getattr(import_module(module), name)
    raise AttributeError(f"module 'hifi_portrait' has no attribute {name!r}")
