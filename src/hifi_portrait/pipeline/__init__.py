"""One call of the pipeline: check the inputs, encode, prepare, denoise, decode, composite."""

from hifi_portrait.pipeline.options import (
    PromptOptions,
    SamplingOptions,
    SizeOptions,
    SteeringOptions,
    WarpOptions,
)
from hifi_portrait.pipeline.pipeline import HiFiPortraitPipeline
from hifi_portrait.pipeline.scene import Scene

__all__ = [
    "HiFiPortraitPipeline",
    "PromptOptions",
    "SamplingOptions",
    "Scene",
    "SizeOptions",
    "SteeringOptions",
    "WarpOptions",
]
