"""HiFi-Portrait: portraits of one person from several photos, with no per-person training."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from hifi_portrait.errors import (
    ArgumentError,
    DatasetError,
    HiFiPortraitError,
    IdentityError,
    ImageError,
    MissingExtraError,
    ModelError,
    MotionError,
    NoFaceError,
    OutputError,
    PipelineBusyError,
    RecipeError,
    SeveralFacesError,
    TargetError,
    VideoError,
)

if TYPE_CHECKING:
    from hifi_portrait.baked import BakedHead
    from hifi_portrait.faces import Face, FaceAnalyser, analyse
    from hifi_portrait.head import HeadPose
    from hifi_portrait.models import FaceAttention, FaceEncoder, FaceRefiner, HiFiNet, PatchedAutoencoder
    from hifi_portrait.models.guides import Guide
    from hifi_portrait.person import Framing, Identity, Target
    from hifi_portrait.person.background import Background
    from hifi_portrait.person.presets import PRESETS
    from hifi_portrait.pipeline import (
        HiFiPortraitPipeline,
        PromptOptions,
        SamplingOptions,
        Scene,
        SizeOptions,
        SteeringOptions,
        WarpOptions,
    )
    from hifi_portrait.warp.session import WarpSession

__version__ = "0.1.0"

__all__ = [
    "PRESETS",
    "ArgumentError",
    "Background",
    "BakedHead",
    "DatasetError",
    "Face",
    "FaceAnalyser",
    "FaceAttention",
    "FaceEncoder",
    "FaceRefiner",
    "Framing",
    "Guide",
    "HeadPose",
    "HiFiNet",
    "HiFiPortraitError",
    "HiFiPortraitPipeline",
    "Identity",
    "IdentityError",
    "ImageError",
    "MissingExtraError",
    "ModelError",
    "MotionError",
    "NoFaceError",
    "OutputError",
    "PatchedAutoencoder",
    "PipelineBusyError",
    "PromptOptions",
    "RecipeError",
    "SamplingOptions",
    "Scene",
    "SeveralFacesError",
    "SizeOptions",
    "SteeringOptions",
    "Target",
    "TargetError",
    "VideoError",
    "WarpOptions",
    "WarpSession",
    "__version__",
    "analyse",
]

# The module of each name that is imported on first use, so that `import hifi_portrait` stays quick. The block
# under TYPE_CHECKING tells type checkers and editors the same; a test keeps the two alike.
_LAZY = {
    "BakedHead": "hifi_portrait.baked",
    "PRESETS": "hifi_portrait.person.presets",
    "Background": "hifi_portrait.person.background",
    "Face": "hifi_portrait.faces",
    "FaceAnalyser": "hifi_portrait.faces",
    "FaceAttention": "hifi_portrait.models",
    "FaceEncoder": "hifi_portrait.models",
    "FaceRefiner": "hifi_portrait.models",
    "Framing": "hifi_portrait.person",
    "Guide": "hifi_portrait.models.guides",
    "HeadPose": "hifi_portrait.head",
    "HiFiNet": "hifi_portrait.models",
    "HiFiPortraitPipeline": "hifi_portrait.pipeline",
    "Identity": "hifi_portrait.person",
    "PatchedAutoencoder": "hifi_portrait.models",
    "PromptOptions": "hifi_portrait.pipeline",
    "SamplingOptions": "hifi_portrait.pipeline",
    "Scene": "hifi_portrait.pipeline",
    "SizeOptions": "hifi_portrait.pipeline",
    "SteeringOptions": "hifi_portrait.pipeline",
    "Target": "hifi_portrait.person",
    "WarpOptions": "hifi_portrait.pipeline",
    "WarpSession": "hifi_portrait.warp.session",
    "analyse": "hifi_portrait.faces",
}

# diffusers looks the classes of a saved pipeline up in this module, and expects their base class beside them.
_FOR_DIFFUSERS = {"ModelMixin": "diffusers"}


if not TYPE_CHECKING:  # otherwise a type checker would take every misspelt name for Any

    def __getattr__(name: str) -> Any:
        module = (_LAZY | _FOR_DIFFUSERS).get(name)
        if module is None:
            raise AttributeError(f"module 'hifi_portrait' has no attribute {name!r}")
        return getattr(import_module(module), name)


def __dir__() -> list[str]:
    return sorted(__all__)
