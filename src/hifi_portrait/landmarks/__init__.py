"""The control image: a head with a target's expression, pose and gaze, drawn as landmarks."""

from hifi_portrait.landmarks.generator import LandmarkGenerator, LandmarkImage

__all__ = ["LandmarkGenerator", "LandmarkImage"]
