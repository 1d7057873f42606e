"""One call of the pipeline: check the inputs, encode, denoise, composite."""

from hifi_portrait.pipeline.pipeline import HiFiPortraitPipeline
from hifi_portrait.pipeline.scene import Scene

__all__ = ["HiFiPortraitPipeline", "Scene"]
